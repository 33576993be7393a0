"""The dashboard: what was decided, what became of it, and what was learned, in a browser.

`store` reads a source into DuckDB once, `queries` ask it, `pages` show the answers, `launching` starts Streamlit.
"""
