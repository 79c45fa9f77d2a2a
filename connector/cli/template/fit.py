"""In how many parts the texts of a template leave, by each carrier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from protocols.gsm.errors import GsmError
from protocols.gsm.segmentation import Rules, plan

__all__ = ["PLAIN", "Fit", "fit", "leaves"]

PLAIN: Final = "plain"
"""The name of what takes the GSM alphabet and UCS2, without national tables."""


class Fit(NamedTuple):
    """One language by one carrier.

    encoding, parts  of the usual text
    most     in the branch that takes most, with the longest values in plain letters
    refused  why a usual text cannot leave, or None; the others are empty then
    """

    carrier: str
    encoding: str
    parts: int
    most: int
    refused: str | None

    def as_json(self) -> dict[str, Any]:
        return self._asdict()


def fit(carrier: str, rules: Rules, usual: Iterable[str], longest: Iterable[str]) -> Fit:
    """What `carrier` makes of the texts that usual values (the first of them the most usual) and the longest
    ones give.
    """
    try:
        planned = [plan(text, rules) for text in usual]
    except GsmError as error:
        return Fit(carrier, "", 0, 0, str(error))
    if not planned:
        return Fit(carrier, "", 0, 0, "no value that fits its parameters was found to try it with")
    most = max(segments.segments for segments in planned)
    for text in longest:
        try:
            most = max(most, plan(text, rules).segments)
        except GsmError:
            # Another value of the same length may fit; what the usual ones do is what counts.
            continue
    return Fit(carrier, planned[0].encoding, planned[0].segments, most, None)


def leaves(carriers: Mapping[str, Rules], text: str) -> list[dict[str, Any]]:
    """One text by each carrier: encoding, parts, units, and why it cannot leave."""
    shown = []
    for carrier, rules in carriers.items():
        try:
            segments = plan(text, rules)
        except GsmError as error:
            shown.append({"carrier": carrier, "encoding": "", "parts": 0, "units": 0, "refused": str(error)})
            continue
        shown.append(
            {
                "carrier": carrier,
                "encoding": segments.encoding,
                "parts": segments.segments,
                "units": segments.units,
                "refused": None,
            }
        )
    return shown
