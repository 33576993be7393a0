"""What a channel gave back, if it is a receipt: channels of other packages may give anything."""

from __future__ import annotations

import msgspec

from botopt.model.delivery import Delivered, Failed, Receipt

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Receipt)


def sound(given: object) -> Receipt:
    """The receipt. Values of a wrong kind would break their row, or keep it claimed for ever."""
    if not isinstance(given, Receipt):
        return Failed(f"the channel gave no receipt, but {type(given).__name__}", retryable=True, unsure=True)
    try:
        receipt: Receipt = _decoder.decode(_encoder.encode(given))
    except (msgspec.MsgspecError, UnicodeError, TypeError, OverflowError):
        if isinstance(given, Delivered):
            return Delivered()  # by whatever name
        return Failed("the channel gave a receipt that cannot be read", retryable=True, unsure=True)
    return receipt
