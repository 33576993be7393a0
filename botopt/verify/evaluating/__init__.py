"""What another policy would have got on a log: each logged decision is put to it, at the state that the log led to."""
