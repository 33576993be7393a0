"""Results for machines: GitHub annotations, SARIF and JUnit XML, written from plain entries.

A command makes `Entry`s (or `Suite`s) of what it found; the writers know nothing of findings, tests or differences.
"""
