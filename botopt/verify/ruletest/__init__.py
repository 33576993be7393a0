"""Rule tests: conversations on a virtual clock, and what must come of each step (section 11 of the language)."""
