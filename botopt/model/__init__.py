"""Frozen values and protocols that every layer shares; no behaviour that needs another layer."""
