"""[evidence]: how long it is kept, and where its keys are."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from .carrier import CredentialName
from .fields import FileName

__all__ = ["EvidenceFile", "EvidenceSettings"]

_Days = Annotated[int, Meta(ge=0, le=36_500, title="a whole number of days from 0 to 36,500; 0: for ever")]


class EvidenceFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What proves what was done with each job. Keys that are not named are made in the state folder."""

    personal_days: Annotated[
        _Days,
        Meta(description="Numbers, pressed keys and raw receipts are taken out after this; 0: never."),
    ] = 90
    keep_days: Annotated[_Days, Meta(description="Days are deleted after this; 0: never.")] = 1_825
    chain_key_file: (
        Annotated[
            FileName,
            Meta(description="Holds 32 octets, or these in hexadecimal; mode 0600 or less."),
        ]
        | None
    ) = None
    chain_key_credential: (
        Annotated[CredentialName, Meta(description="The same as a systemd credential.")] | None
    ) = None
    signing_key_file: (
        Annotated[
            FileName, Meta(description="Holds the Ed25519 private key of the days: PEM, mode 0600 or less.")
        ]
        | None
    ) = None
    signing_key_credential: (
        Annotated[CredentialName, Meta(description="The same as a systemd credential.")] | None
    ) = None


class EvidenceSettings(EvidenceFile, frozen=True, kw_only=True):
    """[evidence] after loading: paths are absolute, None where a key is made in the state folder."""

    chain_key_path: str | None = None
    signing_key_path: str | None = None
