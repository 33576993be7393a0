"""What Kore.ai's errors mean. They come as a status, as a code in the body, or as both."""

from __future__ import annotations

import msgspec

from botopt.delivery.answers import items, record, said
from botopt.delivery.http import Http, Response
from botopt.model.delivery import Failed
from botopt.model.durations import MINUTE_US

CREDENTIALS_STATUS = frozenset({401, 403})
"""By which Kore.ai refuses a credential."""

_LIMIT_WORDS = "rate limit"


def refusal(http: Http, response: Response) -> Failed | None:
    """The failure that an answer tells of; None if it tells of none.

    No `Retry-After` is documented. The limits are counted over a minute, so a minute is how long to wait.
    """
    errors = [record(error) for error in items(record(response.json()).get("errors"))]
    told = said(errors[0].get("msg")) if errors else ""
    if response.ok and not errors:
        return None
    if _LIMIT_WORDS in told.lower():
        response = msgspec.structs.replace(response, status=429)
    elif response.ok:
        response = msgspec.structs.replace(response, status=_code(errors[0].get("code")))
    look_at = "client_id, client_secret, and the scopes of the app"
    failed = http.failure(response, told, credentials=CREDENTIALS_STATUS, look_at=look_at)
    if response.status == 408:
        # Synchronous requests end after 15 s at their side; the dialog may have begun.
        return msgspec.structs.replace(failed, unsure=True)
    if response.status == 429 and failed.retry_after_us is None:
        return msgspec.structs.replace(failed, retry_after_us=MINUTE_US)
    return failed


def _code(code: object) -> int:
    """A code of the body as a status; 400 where it is none."""
    text = str(code) if isinstance(code, (int, str)) else ""
    return int(text) if len(text) == 3 and text.isascii() and text.isdigit() and text[0] in "45" else 400
