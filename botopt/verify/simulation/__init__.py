"""A population with hidden truth, and policies that are tried on it (docs/adr/0025-simulation.md)."""
