"""What a policy can do and what it never does, decided from its conditions and its arithmetic (docs/adr/0008)."""
