"""Pages: thin, one question after another, each with a chart, its table, and its download."""
