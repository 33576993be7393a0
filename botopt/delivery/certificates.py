"""Whose certificates are believed."""

from __future__ import annotations

import os
import ssl
from functools import cache


@cache
def certificates() -> ssl.SSLContext:
    """Those that `SSL_CERT_FILE` or `SSL_CERT_DIR` name, else Mozilla's (certifi) where there, else the system's."""
    if not os.environ.get("SSL_CERT_FILE") and not os.environ.get("SSL_CERT_DIR"):
        try:
            import certifi
        except ImportError:
            pass
        else:
            return ssl.create_default_context(cafile=certifi.where())
    return ssl.create_default_context()
