"""`botopt tune`: weights, thresholds and windows for a stated goal, proposed as a patch that a person reads."""
