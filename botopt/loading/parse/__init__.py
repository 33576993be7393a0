"""Data with positions -> model values and findings. An author's mistake raises nothing."""
