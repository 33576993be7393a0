"""Questions to the tables: SQL in, rows out. Nothing here knows of pages."""
