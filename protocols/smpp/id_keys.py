"""Message ids compared across their spellings (SMPP 3.4 §5.2.23 leaves an id to the SMSC).

The same id comes back with other letters' case, with or without leading zeros and dashes, and as a decimal
number where the response had it in hexadecimal, or the reverse. One key is kept for the id of a response;
the id of a receipt is looked up under each key it may stand for.
"""

import re

_DECIMAL = re.compile(r"[0-9]+")
_HEXADECIMAL = re.compile(r"[0-9a-f]+")
_MAX_DIGITS = 256
"""Longer ones are not read as numbers: the work grows with the square, and no SMSC counts that far."""


def stored_key(message_id: bytes) -> str:
    """The key for an id from a submit_sm_resp: small letters, no dashes, no leading zeros."""
    text = message_id.decode("latin-1").lower().replace("-", "")
    return text.lstrip("0") or text[:1]


def lookup_keys(message_id: bytes) -> tuple[tuple[str, str], ...]:
    """(form, key) for an id from a receipt, the likeliest first, no key twice.

    Forms: ``same``; ``hex_in_response``: the receipt's decimal number was hexadecimal in the response;
    ``decimal_in_response``: the reverse.
    """
    key = stored_key(message_id)
    keys = [("same", key)]
    if len(key) <= _MAX_DIGITS:
        if _DECIMAL.fullmatch(key):
            keys.append(("hex_in_response", f"{int(key):x}"))
        if _HEXADECIMAL.fullmatch(key):
            keys.append(("decimal_in_response", str(int(key, 16))))
    return tuple(pair for pair in keys if pair[1] != key or pair[0] == "same")
