"""Templates: reading them, checking them, and turning them into the words that a user reads."""
