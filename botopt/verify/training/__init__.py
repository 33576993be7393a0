"""From decision logs to a click model: rows, candidates, and the gate that decides whether one is written."""
