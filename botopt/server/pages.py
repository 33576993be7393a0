"""The one page that people see: a link of a message that leads nowhere. It fetches nothing, and runs nothing."""

from __future__ import annotations

import base64
from hashlib import sha256

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:15vh 1.5rem 2rem}"
    "h1{font-size:1.6rem;line-height:1.2}"
)

NOWHERE = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>This link leads nowhere</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>
<h1>This link leads nowhere</h1><p>It is incomplete, or the message it belongs to is too old. Please open the link
in the message again, or ask whoever sent it.</p></body></html>
"""

CONTENT_POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "frame-ancestors 'none'"
)
"""What a browser may do with anything that comes from here: nothing but show it, with the style of this page."""
