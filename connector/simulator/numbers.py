"""How a carrier writes numbers: international digits inside, its own form on the wire."""

from __future__ import annotations

from typing import NamedTuple

from protocols.smpp.constants import Npi, Ton

from .options import SmscOptions

_MIN_DIGITS = 3


class Written(NamedTuple):
    """An address as PDUs carry it (SMPP 3.4 §5.2.5, §5.2.6, §5.2.8)."""

    ton: int
    npi: int
    address: bytes


class Numbers:
    """Reads and writes destinations in the forms of one carrier (option `destination_forms`)."""

    def __init__(self, options: SmscOptions) -> None:
        self._forms = frozenset(options.destination_forms)
        self._country = options.country_code.lstrip("+").encode("ascii", "ignore")
        self._prefix = options.national_prefix.encode("ascii", "ignore")
        self.plain = not self._forms & {"zeros", "national"}

    def digits(self, address: bytes) -> bytes | None:
        """The international digits of a destination, None when it has none of the carrier's forms."""
        forms, country, prefix = self._forms, self._country, self._prefix
        if "national" in forms and not address.startswith((b"+", b"00")):
            foreign = prefix and not address.startswith(prefix)
            if not foreign and not (country and not prefix and address.startswith(country)):
                return self._checked(country + address[len(prefix) :])
        for form, mark in (("plus", b"+"), ("zeros", b"00"), ("digits", b"")):
            if form not in forms or not address.startswith(mark):
                continue
            found = address[len(mark) :]
            if not found.startswith(b"0") and not self._is_domestic(found):
                return self._checked(found)
        return None

    def written(self, digits: bytes) -> Written:
        """International digits as this carrier writes them."""
        forms = self._forms
        if self._is_domestic(digits):
            return Written(Ton.NATIONAL, Npi.ISDN, self._prefix + digits[len(self._country) :])
        mark = b"" if "digits" in forms else b"+" if "plus" in forms else b"00" if "zeros" in forms else b""
        return Written(Ton.INTERNATIONAL, Npi.ISDN, mark + digits)

    def _is_domestic(self, digits: bytes) -> bool:
        return "national" in self._forms and bool(self._country) and digits.startswith(self._country)

    def _checked(self, digits: bytes) -> bytes | None:
        return digits if digits.isdigit() and len(digits) >= _MIN_DIGITS else None
