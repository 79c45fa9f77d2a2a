"""[privacy]: the keys that texts are sealed with before they are stored."""

from __future__ import annotations

from base64 import b64decode
from typing import Annotated, Final

from msgspec import Meta, Struct

from .carrier import CredentialName
from .fields import END, FileName

__all__ = ["Privacy", "PrivacyFile", "SealKey", "SealKeyFile", "key_octets"]

_OCTETS: Final = 32

KeyId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_.-]{1,64}" + END,
        title="an id: 1 to 64 letters, digits and _ . -",
        description="Stands beside all that this key seals; never used again for another key.",
    ),
]


class SealKeyFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key of 256 bits: 32 octets, or the same in hexadecimal or base64."""

    id: KeyId
    file: Annotated[FileName, Meta(description="Holds the key, mode 0600 or less.")] | None = None
    credential: (
        Annotated[CredentialName, Meta(description="Name of the systemd credential that holds the key.")]
        | None
    ) = None


class PrivacyFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How texts are stored. Without keys one is made in the state folder."""

    keys: Annotated[
        tuple[SealKeyFile, ...],
        Meta(
            max_length=16,
            title="a list of keys",
            description="The first seals; the others open what was sealed with them before.",
        ),
    ] = ()


class SealKey(SealKeyFile, frozen=True, kw_only=True):
    """A key after loading: `path` is absolute, "" where it cannot be known here."""

    path: str


class Privacy(PrivacyFile, frozen=True, kw_only=True):
    """[privacy] after loading."""

    keys: tuple[SealKey, ...] = ()


def key_octets(content: bytes) -> bytes:
    """The key that a file of this content holds. Raises ValueError, which tells nothing of it."""
    # 32 letters and digits are somebody's password, or half a key in hexadecimal.
    if len(content) == _OCTETS and any(octet < 0x20 or octet > 0x7E for octet in content):
        return content
    text = content.strip()
    try:
        hexadecimal = len(text) == 2 * _OCTETS
        found = bytes.fromhex(text.decode("ascii")) if hexadecimal else b64decode(text, validate=True)
    except ValueError:
        found = b""
    if len(found) != _OCTETS:
        raise ValueError(f"holds no key, expected {_OCTETS} octets, or these in hexadecimal or base64")
    return found
