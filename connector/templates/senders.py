"""Under which name and which registered ids a text leaves, by country and carrier. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from connector.config import Carrier
from connector.model import Guise

from .registry import Wording

__all__ = ["Guises", "guises"]


class Guises(NamedTuple):
    """How a text leaves.

    usual    by every carrier that is not in the next two
    own      carriers that need another sender or other ids there
    refused  carriers that cannot carry it there, and why
    """

    usual: Guise
    own: dict[str, Guise]
    refused: dict[str, str]

    @property
    def by_carrier(self) -> dict[str, Guise] | None:
        """For model.Content: what differs from `usual`; None where nothing does."""
        if not self.own and not self.refused:
            return None
        return self.own | {name: Guise("", None, why) for name, why in self.refused.items()}


def guises(wording: Wording | None, country: str, carriers: Iterable[Carrier], sender: str) -> Guises:
    """For a recipient in `country` (ISO 3166; "" where the number is no country's).

    wording  None: free text, which nobody has registered
    sender   the one that the job, the template or the lane names

    A sender that was registered wins; then a carrier's [sender_rules] say whether a brand may stand there.
    """
    usual = Guise(sender, (wording.registered or None) if wording is not None else None)
    own: dict[str, Guise] = {}
    refused: dict[str, str] = {}
    for carrier in carriers:
        guise = usual
        if wording is not None and wording.registrations:
            registration = wording.registration(country, carrier.name)
            if registration is not None:
                ids = wording.registered | registration.ids
                exact = bool(registration.pattern)
                guise = Guise(registration.sender or sender, ids or None, exact=exact)
        rules = carrier.sender_rules
        if not rules.permits(guise.sender, country):
            if rules.instead is None:
                where = f"in {country}" if country else "there"
                refused[carrier.name] = f"this carrier takes no brand as a sender {where}"
                continue
            guise = Guise(rules.instead, guise.registered, exact=guise.exact)
        if guise != usual:
            own[carrier.name] = guise
    return Guises(usual, own, refused)
