"""How a text leaves: in which alphabet, under which tables, in how many short messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Final, Literal

import msgspec

from protocols.gsm import alphabet, udh
from protocols.gsm.coding import SEPTETS, Coding, encode
from protocols.gsm.cutting import MOST_CHARACTERS, LongMessage, cut, fits, room
from protocols.gsm.errors import TooManyParts, Unencodable
from protocols.gsm.languages import Language
from protocols.gsm.national import LOCKING
from protocols.gsm.packing import fill_after, pack
from protocols.gsm.substitution import substitute

__all__ = ["Alphabet", "Coding", "Form", "LongMessage", "Rules", "Segments", "plan"]

Form = Literal["single", "udh8", "udh16", "sar", "payload"]

# What is written alike in ASCII and in the GSM alphabet needs no look at anything else up to here. 160 packed
# septets may end in a CR that needs more room.
_ALIKE_ALONE: Final = {
    "gsm7": 160, "gsm7_packed": 159, "latin1": 140, "ascii": 140, "utf8": 140, "ucs2": 0,
}  # fmt: skip


class Alphabet(msgspec.Struct, frozen=True, gc=False):
    """What a carrier means by one value of data_coding."""

    data_coding: int
    codec: Coding


class Rules(msgspec.Struct, frozen=True):
    """What a carrier takes.

    alphabets      in order of preference
    locking        languages whose locking shift tables may be used, in order of preference; those that
                   have none (Spanish) change nothing
    single         likewise single shift tables
    long_message   how the parts of a long text are told to belong together
    max_parts      1 to 255 (the total is one octet)
    substitutions  approved replacements: characters of the text to what may stand for them

    Raises ValueError for rules that cannot be followed.
    """

    alphabets: tuple[Alphabet, ...] = (Alphabet(0, "gsm7"), Alphabet(8, "ucs2"))
    locking: tuple[Language, ...] = ()
    single: tuple[Language, ...] = ()
    long_message: LongMessage = "udh8"
    max_parts: int = 255
    substitutions: Mapping[str, str] = {}

    def __post_init__(self) -> None:
        if not self.alphabets:
            raise ValueError("at least one alphabet is expected")
        if not 1 <= self.max_parts <= 255:
            raise ValueError(f"max_parts must be 1 to 255, not {self.max_parts}")
        if "" in self.substitutions:
            raise ValueError("a substitution of nothing")


class Segments(msgspec.Struct, frozen=True, gc=False):
    """A text as it will leave.

    encoding, data_coding  the alphabet
    parts                  a part a PDU: user data without header, septets one an octet for both GSM forms
    units                  septets, 16-bit units (UCS2) or octets of all parts, headers excluded
    locking, single        the national tables in force, named in each part's header
    substituted            what became what and how often
    form                   "single" for one short message, else the form of the long one
    segments               how many short messages the handset receives: `parts`, but for a payload, which
                           the carrier's network cuts; then as many as an 8-bit reference leaves
    """

    encoding: Coding
    data_coding: int
    parts: tuple[bytes, ...]
    units: int
    locking: Language | None = None
    single: Language | None = None
    substituted: tuple[tuple[str, str, int], ...] = ()
    form: Form = "single"
    segments: int = 1

    def __repr__(self) -> str:
        return f"Segments({self.encoding}, {self.form}, {len(self.parts)} parts, {self.units} units)"

    @property
    def has_header(self) -> bool:
        """Whether `user_data` begins with a user data header: the UDHI of esm_class (SMPP 3.4 §5.2.12)."""
        return self.form in ("udh8", "udh16") or self.locking is not None or self.single is not None

    def user_data(self, reference: int = 0) -> tuple[bytes, ...]:
        """Return the octets for short_message (message_payload for that form), a PDU each.

        ``reference`` tells the parts of this message from others to the same handset: its low 8 or 16 bits.
        """
        packed = self.encoding == "gsm7_packed"
        if not self.has_header:
            return tuple(map(pack, self.parts)) if packed else self.parts
        shifts = udh.shifts(self.locking, self.single)
        data: list[bytes] = []
        for index, part in enumerate(self.parts, 1):
            elements = shifts
            if self.form in ("udh8", "udh16"):
                bits = 8 if self.form == "udh8" else 16
                elements = [udh.place(reference % (1 << bits), len(self.parts), index, bits), *shifts]
            header = udh.header(elements)
            data.append(header + (pack(part, fill_after(len(header))) if packed else part))
        return tuple(data)


_Tables = tuple[Language | None, Language | None]
_PLAIN: Final[_Tables] = (None, None)


class _Candidate(msgspec.Struct, frozen=True, gc=False):
    """One lossless way. ``order`` decides: least parts (at first a lower bound), then what is plainest."""

    alphabet: Alphabet
    text: str
    octets: bytes
    tables: _Tables
    substituted: tuple[tuple[str, str, int], ...]
    order: tuple[int, bool, bool]


def plan(text: str, rules: Rules = Rules()) -> Segments:  # noqa: B008
    """Return the way of fewest parts in which ``text`` arrives unchanged, but for reported substitutions.

    Of equal ways one without substitutions is taken, then one without national tables, then the order of
    the rules. An alphabet's own characters are never substituted. National tables are not used in a long
    message by ``sar`` or ``payload``, whose headers are not ours.

    Raises Unencodable with the first character that no way can carry, or TooManyParts.
    """
    first = rules.alphabets[0]
    if len(text) <= _ALIKE_ALONE[first.codec] and alphabet.is_ascii(text):
        return Segments(first.codec, first.data_coding, (text.encode("ascii"),), len(text))
    # A megabyte must not be tried in every alphabet before it is refused.
    least = _least_parts(text, rules)
    if least > min(4 * rules.max_parts, 255):
        raise TooManyParts(least, rules.max_parts)
    ways = sorted(_ways(text, rules), key=attrgetter("order"))
    if ways[0].order[0] > rules.max_parts:
        raise TooManyParts(ways[0].order[0], rules.max_parts)
    best, pieces = ways[0], _pieces(ways[0], rules)
    for way in ways[1:]:
        if way.order >= (len(pieces), *best.order[1:]):
            break
        others = _pieces(way, rules)
        if (len(others), *way.order[1:]) < (len(pieces), *best.order[1:]):
            best, pieces = way, others
    if len(pieces) > rules.max_parts:
        raise TooManyParts(len(pieces), rules.max_parts)
    return _segments(best, pieces, rules)


def _least_parts(text: str, rules: Rules) -> int:
    """Fewer are impossible, whatever the alphabet."""
    substitutions = rules.substitutions.items()
    dropped = sum(text.count(key) * len(key) for key, replacement in substitutions if not replacement)
    longest = max((len(key) for key, replacement in substitutions if replacement), default=1)
    return (len(text) - dropped) // (longest * MOST_CHARACTERS)


def _segments(way: _Candidate, pieces: list[bytes], rules: Rules) -> Segments:
    locking, single = way.tables
    codec = way.alphabet.codec
    return Segments(
        codec,
        way.alphabet.data_coding,
        (way.octets,) if rules.long_message == "payload" else tuple(pieces),
        len(way.octets) // 2 if codec == "ucs2" else len(way.octets),
        locking,
        single,
        way.substituted,
        rules.long_message if len(pieces) > 1 else "single",
        len(pieces),
    )


def _pieces(way: _Candidate, rules: Rules) -> list[bytes]:
    if way.order[0] == 1:
        return [way.octets]
    several = room(way.alphabet.codec, _count(way.tables), rules.long_message)
    return cut(way.text, way.octets, way.alphabet.codec, several, way.tables)


def _ways(text: str, rules: Rules) -> list[_Candidate]:
    """All that can be the best; raises Unencodable for none."""
    ways = list(_attempts(text, ((choice, _PLAIN) for choice in rules.alphabets), rules))
    if (rules.single or rules.locking) and not any(way.order == (1, False, False) for way in ways):
        national = _attempts(text, _national(text, rules), rules)
        ways += [way for way in national if way.order[0] == 1 or rules.long_message in ("udh8", "udh16")]
    if not ways:
        raise _obstacle(text, rules)
    return ways


def _attempts(text: str, ways: Iterable[tuple[Alphabet, _Tables]], rules: Rules) -> Iterator[_Candidate]:
    for choice, tables in ways:
        try:
            yield _way(text, choice, tables, rules)
        except Unencodable:
            continue


def _national(text: str, rules: Rules) -> Iterator[tuple[Alphabet, _Tables]]:
    """The tables with some of what the default ones lack, and with all that is not replaced."""
    characters = frozenset(text)
    foreign = characters - alphabet.pair(*_PLAIN).characters
    kept = characters.difference(*rules.substitutions)
    for choice in rules.alphabets:
        if choice.codec in SEPTETS:
            for tables in _tables(rules):
                there = alphabet.pair(*tables).characters
                if not foreign.isdisjoint(there) and kept <= there:
                    yield choice, tables


def _tables(rules: Rules) -> Iterator[_Tables]:
    for language in rules.single:
        yield None, language
    for language in rules.locking:
        if language not in LOCKING:
            continue
        yield language, None
        if language in rules.single:
            yield language, language


def _way(text: str, choice: Alphabet, tables: _Tables, rules: Rules) -> _Candidate:
    text, octets, substituted = _encoded(text, choice.codec, tables, rules.substitutions)
    parts = 1
    if not fits(octets, choice.codec, room(choice.codec, _count(tables))):
        several = room(choice.codec, _count(tables), rules.long_message)
        parts = max(2, -(-len(octets) // several))
    order = (parts, bool(substituted), tables != _PLAIN)
    return _Candidate(choice, text, octets, tables, substituted, order)


def _encoded(
    text: str, codec: Coding, tables: _Tables, substitutions: Mapping[str, str]
) -> tuple[str, bytes, tuple[tuple[str, str, int], ...]]:
    """The text that leaves, in octets, and what was replaced; raises Unencodable of the original text."""
    try:
        return text, encode(text, codec, *tables), ()
    except Unencodable:
        foreign = [key for key in substitutions if key in text and not _carries(key, codec, tables)]
        if not foreign:
            raise
        replaced = substitute(text, {key: substitutions[key] for key in foreign})
        if not replaced.text:
            raise  # nobody wants a message of nothing
    try:
        return replaced.text, encode(replaced.text, codec, *tables), replaced.made
    except Unencodable as error:
        position = replaced.original(error.position)
        raise Unencodable(position, text[position]) from None


def _carries(text: str, codec: Coding, tables: _Tables) -> bool:
    try:
        encode(text, codec, *tables)
    except Unencodable:
        return False
    return True


def _obstacle(text: str, rules: Rules) -> Unencodable:
    """What no way gets past: the furthest of what stops each."""
    stops: list[Unencodable] = []
    for choice in rules.alphabets:
        for tables in (_PLAIN, *(_tables(rules) if choice.codec in SEPTETS else ())):
            try:
                _encoded(text, choice.codec, tables, rules.substitutions)
            except Unencodable as error:
                stops.append(error)
    return max(stops, key=attrgetter("position"))


def _count(tables: _Tables) -> int:
    return 2 - tables.count(None)
