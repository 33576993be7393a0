"""The live service: events in, decisions committed, messages delivered. See docs/architecture.md."""
