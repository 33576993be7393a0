"""From the outbox to the channels: attempts, and what follows from each. See docs/howto/delivery.md."""
