"""How a carrier's receipts spell the message ids of its responses: learned, or given by its file.

SMPP 3.4 §5.2.23 leaves the id to the SMSC, and some write it in hexadecimal in submit_sm_resp and in decimal
in the receipt, or the reverse. Until it is known which, an id is looked up under every form (`id_keys`), and
what is not the id as it stands counts only together with the handset's number. Once known, one look-up does,
and no other message can be taken for this one: where ids are counted up, the hexadecimal of one is another's
decimal. What finds nothing by it is looked up under the others when no answer can be on its way any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final, Literal, get_args

from protocols.smpp.id_keys import lookup_keys, stored_key

__all__ = ["ANY", "Form", "IdForms", "Keys"]

Form = Literal["same", "hex_in_response", "decimal_in_response"]
Keys = tuple[tuple[str, str], ...]

ANY: Final = "any"
"""Stands for the form where all of them spell the id alike: its match is no evidence."""

_FORMS: Final[frozenset[str]] = frozenset(get_args(Form))

_PIN_AFTER: Final = 50
"""Matches of one form, with none of another between them.

Where one receipt in ten is spelt otherwise, 0.5 % of such runs get so far. Doubled each time that a pinned
form lapses, so that a carrier with two kinds of SMSC is not pinned over and over.
"""
_PIN_AT_MOST: Final = 12_800

_LAPSE: Final = 10.0
_USUAL_MISSES: Final = 0.02
"""A CUSUM of the receipts that find no message: each adds 1, each receipt takes the usual share off.

Where every id is spelt in another way from now on, eleven receipts make a lapse; where one in ten is, some
125. A share of misses below the usual one, as of lost responses, never adds up to one.
"""
_RECENT: Final = 200
"""Receipts that `ratio` is told of, or up to twice as many: older ones fade."""


class IdForms:
    """The forms of one account.

    form   the only one that is looked up; None: not known, all are
    fixed  the carrier's file says so; it never lapses

    answer_timeout_s  a receipt that has waited so long for its submit_sm_resp has missed its message
    """

    def __init__(self, id_form: Form | Literal["learn"], answer_timeout_s: float) -> None:
        self.fixed = id_form != "learn"
        self.form: Form | None = None if id_form == "learn" else id_form
        self._answer_timeout_s = answer_timeout_s
        self._seen: Counter[str] = Counter()
        self._contrary: Counter[str] = Counter()
        self._leader = ""
        self._run = 0
        self._pin_after = _PIN_AFTER
        self._hits = 0.0
        self._misses = 0.0
        self._lapse = 0.0
        self._waiting: dict[int, int] = {}

    @property
    def learned(self) -> bool:
        """Whether only one form is looked up, and not because the file says so."""
        return self.form is not None and not self.fixed

    @property
    def ratio(self) -> float | None:
        """The share of recent receipts that found their message, 0…1; None before the first."""
        told = self._hits + self._misses
        return self._hits / told if told else None

    def keys(self, message_id: bytes) -> tuple[Keys, str]:
        """What to look up for the id of a receipt, the likeliest first, and the form that counts by itself.

        A form that is not trusted counts only together with the handset's number. While nothing speaks
        against it, that is not asked of the id as it stands: many carriers' receipts do not tell the number.
        """
        form = self.form
        if form == "same":
            return (("same", stored_key(message_id)),), "same"
        pairs = lookup_keys(message_id)
        own = pairs[0][1]
        if form is None:
            if len(pairs) == 1:
                return ((ANY, own),), ANY
            if self._seen.keys() <= {"same"}:
                return pairs, "same"
            return tuple(sorted(pairs, key=lambda pair: -self._seen[pair[0]])), ""
        for pair in pairs:
            if pair[0] == form:
                return (pair,), form
        if len(own) == 1 and own.isdigit():
            return ((form, own),), form
        return (("same", own),), ""  # not a number of this form

    def remember(self, forms: Mapping[str, int]) -> None:
        """So many receipts found their message by each form before a restart."""
        if self.form is None:
            self._learn(forms)

    def matched(self, forms: Mapping[str, int]) -> None:
        """So many receipts found their message by each form, since the last call."""
        hits = sum(forms.values())
        self._count(hits, 0)
        self._lapse = max(0.0, self._lapse - hits * _USUAL_MISSES)
        self.remember(forms)

    def parked(self, at: float) -> None:
        """A receipt that came at `at` waits for its message."""
        second = int(at)
        self._waiting[second] = self._waiting.get(second, 0) + 1

    def found(self, form: str, at: float) -> None:
        """A receipt that was parked since `at` has found its message: it has not missed it after all.

        By the handset's number alone, which is no `form` of ids, it tells nothing either way. By another form
        than the one that is known, which is tried last, it speaks against that one.
        """
        second = int(at)
        if self._waiting.get(second):
            self._waiting[second] -= 1
        else:
            self._misses = max(0.0, self._misses - 1)
            self._lapse = max(0.0, self._lapse - 1)
        if self.learned and form in _FORMS and form != self.form:
            self._count(1, 0)
            self._lapse += 1
            self._contrary[form] += 1
        elif form != "address":
            self.matched({form: 1})

    def lapsed(self, now: float) -> bool:
        """Whether too many receipts have missed their message by now; a learned form is given up then."""
        overdue = [second for second in self._waiting if second + 1 + self._answer_timeout_s < now]
        misses = sum(self._waiting.pop(second) for second in overdue)
        self._count(0, misses)
        self._lapse += misses * (1 - _USUAL_MISSES)
        if self._lapse < _LAPSE:
            return False
        self._lapse = 0.0
        if self.learned:
            # Another form that was seen keeps its doubt on the id as it stands, see `keys`.
            self._seen = +self._contrary
            if self.form is not None and self.form != "same":
                self._seen[self.form] += 1
            self.form = None
            self._run = 0
            self._pin_after = min(2 * self._pin_after, _PIN_AT_MOST)
        return True

    def _count(self, hits: int, misses: int) -> None:
        self._hits += hits
        self._misses += misses
        told = self._hits + self._misses
        if told > 2 * _RECENT:
            self._hits *= _RECENT / told
            self._misses *= _RECENT / told

    def _learn(self, forms: Mapping[str, int]) -> None:
        evidence = {form: number for form, number in forms.items() if form in _FORMS and number}
        self._seen.update(evidence)
        if len(evidence) > 1:
            self._leader, self._run = "", 0
        for form, number in evidence.items() if len(evidence) == 1 else ():
            self._run = number + (self._run if form == self._leader else 0)
            self._leader = form
            if self._run >= self._pin_after and not self.fixed:
                self.form = form  # type: ignore[assignment]  # one of _FORMS
                self._seen.clear()
                self._contrary.clear()
