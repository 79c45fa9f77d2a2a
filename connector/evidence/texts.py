"""Whether a text is the one that was sent, told by its HMAC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from connector.evidence.keys import Verifying, text_hmac, text_key

__all__ = ["matching"]


def matching(
    record: Mapping[str, Any], text: str, keys: Verifying
) -> list[tuple[Literal["sms", "voice"], int]]:
    """(channel, number from 1) of the job's texts that are exactly `text`, under any key of the chain."""
    macs = {text_hmac(text_key(chain), text) for chain in keys.chains.values()}
    found: list[tuple[Literal["sms", "voice"], int]] = []
    for channel in ("sms", "voice"):
        for number, mac in enumerate(record["text_hmac"][channel], 1):
            if mac in macs:
                found.append((channel, number))
    return found
