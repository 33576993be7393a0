"""Reading a template's source: its words, its tree, and whether all of it is allowed."""
