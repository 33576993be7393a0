"""`python -m botopt`."""

from botopt.cli.main import run

run()
