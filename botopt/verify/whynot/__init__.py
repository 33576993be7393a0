"""Why events of one type led to no message: counts by reason over a decision log, and the nearest miss of each."""
