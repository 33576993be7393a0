from __future__ import annotations

from tests.delivery.factories import Factory

FACTORIES = {"console": Factory(options=lambda url, folder: {}, local=True, http=False)}
