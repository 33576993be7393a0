"""A source in DuckDB: read once, kept in the cache folder, read on where a file grew."""
