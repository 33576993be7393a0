"""What an editor asks about a workspace: where names stand, what may be typed, what it means.

Functions from a `View` (botopt/verify/live.py) and a place to plain values. No protocol here: that is `botopt/lsp`.
"""
