"""The keys of the evidence: one secret that chains the records, one pair that signs the days.

Both are made in STATE/evidence at the first start, mode 0600, unless the configuration says where they are.
A key is replaced by moving its file aside: `chain.key` to `chain-OLD.key` lets the older records be verified
as before; the next start makes a new one and says so in a record.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from pathlib import Path
from typing import Final, TypeVar

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

from connector.evidence.files import write_whole
from connector.evidence.mac import Mac

__all__ = [
    "FOLDER",
    "KeyFault",
    "Keys",
    "Verifying",
    "chains_in",
    "load",
    "load_verifying",
    "text_hmac",
    "text_key",
]

FOLDER: Final = "evidence"
"""Of the state folder."""

_T = TypeVar("_T")
_OCTETS: Final = 32
_TEXT: Final = b"carrier-connector evidence: texts"
_ID: Final = b"carrier-connector evidence: id of a chain key"


class KeyFault(Exception):
    """A key is not what it should be; the message names its file, and nothing of its content."""


class Verifying:
    """What verification needs: secrets by their ids, or none of them, and public keys by theirs.

    `stated`: id of the key in public.pem, where that is there.
    """

    def __init__(
        self, chains: Mapping[str, bytes], publics: Mapping[str, Ed25519PublicKey], stated: str | None = None
    ) -> None:
        self.chains = dict(chains)
        self.publics = dict(publics)
        self.stated = stated

    def signed(self, key_id: str, message: bytes, signature: bytes) -> bool:
        """Whether the key of this id signed it; False where that is not known."""
        public = self.publics.get(key_id)
        if public is None:
            return False
        try:
            public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def __repr__(self) -> str:
        return f"Verifying({len(self.chains)} secrets, {sorted(self.publics)})"


class Keys:
    """The present keys. `chain`: the secret of the chain; ids: 16 hexadecimal digits, no secrets."""

    def __init__(self, chain: bytes, signing: Ed25519PrivateKey) -> None:
        self.chain = chain
        self.chain_id = _chain_id(chain)
        self._signing = signing
        self.signing_id = _public_id(signing.public_key())
        self.text = text_key(chain)

    def sign(self, message: bytes) -> bytes:
        """Ed25519 (RFC 8032), 64 octets."""
        return self._signing.sign(message)

    @property
    def public(self) -> Ed25519PublicKey:
        return self._signing.public_key()

    def verifying(self) -> Verifying:
        """What verifies with the present keys alone."""
        return Verifying({self.chain_id: self.chain}, {self.signing_id: self.public}, self.signing_id)

    def __repr__(self) -> str:
        return f"Keys({self.chain_id}, {self.signing_id})"


def text_key(chain: bytes) -> bytes:
    """For text_hmac, of a secret of the chain."""
    return digest(chain, _TEXT, "sha256")


def text_hmac(key: bytes, text: str) -> str:
    """What evidence says of a text that it must not hold: HMAC-SHA256, 64 hexadecimal digits.

    `key` is `Keys.text`. Without it nobody can find a code by trying them all.
    """
    return _macs(key).of(text.encode("utf-8", "surrogatepass")).hex()


_macs: Final = lru_cache(maxsize=4)(Mac)


def load(
    state: Path,
    chain_file: Path | str | None = None,
    signing_file: Path | str | None = None,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> Keys:
    """The keys of a state folder; what is not named and not there is made. Raises KeyFault, OSError."""
    folder = state / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    chain = _read_chain(Path(chain_file)) if chain_file else _kept(folder / "chain.key", _read_chain, random)
    if signing_file is not None:
        signing = _read_signing(Path(signing_file))
    else:
        signing = _kept(folder / "signing.key", _read_signing, lambda n: _pem_of_seed(random(n)))
    keys = Keys(chain, signing)
    pem = _pem_of(keys.public)
    for name in ("public.pem", f"public-{keys.signing_id}.pem"):
        with contextlib.suppress(FileNotFoundError):
            if (folder / name).read_bytes() == pem:
                continue
        write_whole(folder / name, pem, 0o644)
    return keys


def load_verifying(
    state: Path, chain_file: Path | None = None, public_file: Path | None = None, *, secrets: bool = True
) -> Verifying:
    """Every key that lies in a state folder, those that were replaced among them; makes none.

    secrets      False: public keys alone, as an auditor has them
    public_file  the only public key that is believed; for those who do not trust the folder
    Raises KeyFault for a file that holds no key, OSError.
    """
    folder = state / FOLDER
    chains = chains_in(state, chain_file) if secrets else {}
    if public_file is not None:
        public = _read_public(public_file)
        return Verifying(chains, {_public_id(public): public})
    publics = {path.name: _read_public(path) for path in sorted(folder.glob("public*.pem"))}
    for name, public in publics.items():
        if name not in ("public.pem", f"public-{_public_id(public)}.pem"):
            raise KeyFault(f"{folder / name} holds key {_public_id(public)}, expected the one of its name")
    stated = publics.get("public.pem")
    return Verifying(
        chains, {_public_id(key): key for key in publics.values()}, _public_id(stated) if stated else None
    )


def chains_in(state: Path, chain_file: Path | None = None) -> dict[str, bytes]:
    """Secrets of the chain by their ids: the present one and those that were moved aside. Raises KeyFault."""
    files = sorted((state / FOLDER).glob("chain*.key")) + ([chain_file] if chain_file else [])
    return {_chain_id(key): key for key in map(_read_chain, files)}


def _kept(path: Path, read: Callable[[Path], _T], make: Callable[[int], bytes]) -> _T:
    """What `read` finds there; made first where there is nothing."""
    with contextlib.suppress(FileNotFoundError):
        return read(path)
    write_whole(path, make(_OCTETS))
    return read(path)


def _read_chain(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != _OCTETS:
        with contextlib.suppress(ValueError):
            key = bytes.fromhex(key.decode("ascii").strip())
    if len(key) != _OCTETS:
        raise KeyFault(f"{path} holds no key, expected {_OCTETS} octets or these in hexadecimal")
    return key


def _read_signing(path: Path) -> Ed25519PrivateKey:
    key: PrivateKeyTypes | None
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFault(f"{path} holds no Ed25519 private key, expected PEM (PKCS #8) without a password")
    return key


def _read_public(path: Path) -> Ed25519PublicKey:
    key: PublicKeyTypes | None
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFault(f"{path} holds no Ed25519 public key, expected PEM")
    return key


def _pem_of_seed(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem_of(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _chain_id(key: bytes) -> str:
    return digest(key, _ID, "sha256").hex()[:16]


def _public_id(public: Ed25519PublicKey) -> str:
    return sha256(public.public_bytes_raw()).hexdigest()[:16]
