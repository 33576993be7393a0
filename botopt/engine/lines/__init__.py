"""The engine for many events: the same decisions as `botopt.engine.engine`, written as record lines at once.

`Engine` builds a record that explanations, screens and programs read; here nobody reads it before it is a line.
"""
