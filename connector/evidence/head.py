"""What is signed: the head of a closed day, and the newest record as it is published to the log."""

from __future__ import annotations

import msgspec

from connector.evidence.canonical import canonical
from connector.evidence.keys import Keys, Verifying

__all__ = ["Head", "Published", "publish", "read_head", "signed_head"]

_LABEL = b"carrier-connector evidence head\n"
_SHOWN = 16


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A closed day.

    first, last   of its records; with none of them `last` is `first` - 1
    previous_mac  of the record before `first`
    mac           of `last`
    sha256        of its lines in order, each without its personal part and with its newline
    key           id of the pair that signed it
    signature     Ed25519 over the canonical form of all the rest, hexadecimal
    """

    day: str
    first: int
    last: int
    count: int
    previous_mac: str
    mac: str
    sha256: str
    key: str
    signature: str = ""

    def message(self) -> bytes:
        """What is signed."""
        rest = {name: value for name, value in msgspec.to_builtins(self).items() if name != "signature"}
        return _LABEL + canonical(rest)

    def octets(self) -> bytes:
        """The head's file."""
        return canonical(self) + b"\n"

    def is_signed(self, keys: Verifying) -> bool:
        """Whether a key that is known signed it."""
        try:
            signature = bytes.fromhex(self.signature)
        except ValueError:
            return False
        return keys.signed(self.key, self.message(), signature)


class Published(msgspec.Struct, frozen=True):
    """The newest record at some time, told where nobody who edits the state folder can edit it.

    mac  the first 16 hexadecimal digits
    """

    seq: int
    mac: str
    at: float
    key: str
    signature: str

    def message(self) -> bytes:
        return _LABEL + canonical([self.seq, self.mac, self.at, self.key])

    def is_signed(self, keys: Verifying) -> bool:
        """Whether a key that is known signed it."""
        try:
            signature = bytes.fromhex(self.signature)
        except ValueError:
            return False
        return keys.signed(self.key, self.message(), signature)


def signed_head(head: Head, keys: Keys) -> Head:
    """The same with our signature."""
    head = msgspec.structs.replace(head, key=keys.signing_id)
    return msgspec.structs.replace(head, signature=keys.sign(head.message()).hex())


def read_head(octets: bytes) -> Head:
    """Of a head's file. Raises ValueError where it is not what `Head.octets` would write."""
    try:
        head = msgspec.json.decode(octets, type=Head)
    except msgspec.MsgspecError as error:
        raise ValueError(f"no head: {error}") from None
    if head.octets() != octets:
        raise ValueError("not in canonical form")
    return head


def publish(keys: Keys, seq: int, mac: str, at: float) -> Published:
    """The newest record, from `Batch.head`, signed for the log."""
    published = Published(seq, mac[:_SHOWN], at, keys.signing_id, "")
    return msgspec.structs.replace(published, signature=keys.sign(published.message()).hex())
