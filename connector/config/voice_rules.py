"""Rules of calls that no schema can say: trunks, and what templates say aloud."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path as FilePath

from .document import FILE, Document
from .model import ConnectorFile
from .problem import Path, Problem, did_you_mean
from .template import Spoken, TemplateFile
from .trunk import Trunk, TrunkFile
from .voice import CALL_LANGUAGES, call_language, lookup

__all__ = [
    "capacity_problems",
    "same_name_problems",
    "spoken_problems",
    "trunk_problems",
    "voice_problems",
]

_MAX_PORT = 65_535
_MIN_SESSION_S = 90  # RFC 4028 §4: no Min-SE is lower


def trunk_problems(document: Document, file: TrunkFile) -> Iterator[Problem]:
    """What contradicts itself in a trunk's file, but for its name and its secrets."""
    account = file.trunk
    for index, address in enumerate(account.standby):
        yield from _port_problems(document, ("trunk", "standby", index), address)
    if account.outbound_proxy is not None:
        yield from _port_problems(document, ("trunk", "outbound_proxy"), account.outbound_proxy)
    if file.tls is not None and account.transport != "tls":
        yield document.problem(
            ("tls",), f'does not go with transport = "{account.transport}", expected "tls"'
        )
    if file.srtp and account.transport != "tls":
        # RFC 4568 §7.2: whoever reads the signalling has the keys.
        yield document.problem(
            ("media", "srtp"), 'sends its keys in clear without TLS, expected transport = "tls" with it'
        )
    secrets = (account.password_file is not None) + (account.password_credential is not None)
    if account.username is None and (secrets or account.register):
        yield document.problem(
            ("trunk", "username"),
            "is missing, expected the name that the password or the registration is for",
            "config_missing_key",
        )
    if len(set(file.media.codecs)) != len(file.media.codecs):
        yield document.problem(("media", "codecs"), "repeats a codec, expected each once")
    if 0 < file.calls.session_expires_s < _MIN_SESSION_S:
        yield document.problem(
            ("calls", "session_expires_s"),
            f"{file.calls.session_expires_s} is too short, expected 0 or at least {_MIN_SESSION_S}",
        )
    national = file.destination.national
    if (file.destination.form == "national") != (national is not None):
        yield document.problem(
            ("destination", "national"),
            'and `form` do not go together, expected form = "national" with a `national` table',
        )


def same_name_problems(
    trunks: Sequence[tuple[Trunk, Document]], carriers: Collection[str]
) -> Iterator[Problem]:
    """A trunk that is called like a carrier: events and metrics would not tell them apart."""
    for trunk, document in trunks:
        if trunk.name in carriers:
            yield Problem(
                code="config_wrong_value", file=document.file, line=1, key=FILE,
                message=f'the file name "{trunk.name}" is a carrier\'s too, expected another name',
            )  # fmt: skip


def _port_problems(document: Document, path: Path, address: str) -> Iterator[Problem]:
    host, colon, port = address.rpartition(":")
    if colon and not host.endswith(":") and port.isdigit() and not 1 <= int(port) <= _MAX_PORT:
        yield document.problem(path, f'"{address}" has no such port, expected 1 to {_MAX_PORT}')


def voice_problems(document: Document, file: ConnectorFile) -> Iterator[Problem]:
    """What contradicts itself in [voice]."""
    first, last = file.voice.rtp_ports
    if _pairs(first, last) < 1:
        yield document.problem(
            ("voice", "rtp_ports"),
            f"[{first}, {last}] has no pair of ports, an even one and the next, expected a larger range",
        )
    port = int(file.voice.listen.rpartition(":")[2])
    if port > _MAX_PORT:
        yield document.problem(("voice", "listen"), f"port {port} is not allowed, expected 0 to {_MAX_PORT}")
    yield from _language_problems(document, file)
    speech = file.voice.speech
    if (speech.engine == "piper") != (speech.piper_voices is not None):
        yield document.problem(
            ("voice", "speech", "piper_voices"),
            'and `engine` do not go together, expected engine = "piper" with `piper_voices`',
        )


def _language_problems(document: Document, file: ConnectorFile) -> Iterator[Problem]:
    recordings = file.voice.speech.recordings
    recorded: set[str] = set()
    if recordings is not None:
        manifests = FilePath(document.file).parent.joinpath(recordings).glob("*/manifest.toml")
        recorded = {manifest.parent.name.lower() for manifest in manifests}
    for index, tag in enumerate(file.voice.languages):
        if call_language(tag) is None and lookup(tag, recorded) is None:
            near = did_you_mean(tag.lower(), CALL_LANGUAGES)
            yield document.problem(
                ("voice", "languages", index),
                f'"{tag}" cannot be spoken, expected one of {", ".join(CALL_LANGUAGES)}, or a language with '
                f"recordings of all digits and phrases{near}",
            )


def capacity_problems(document: Document, file: ConnectorFile, calls: int) -> Iterator[Problem]:
    """Fewer ports than `calls` under way need: the last ones would find none."""
    first, last = file.voice.rtp_ports
    pairs = _pairs(first, last)
    if 0 < pairs < calls:
        yield document.problem(
            ("voice", "rtp_ports"),
            f"[{first}, {last}] has room for {pairs} calls, expected room for the {calls} of `calls.max` of "
            "all trunks, two ports each",
        )


def _pairs(first: int, last: int) -> int:
    """RTP has the even port of each, RTCP the next (RFC 3550 §11)."""
    return (last + 1) // 2 - (first + 1) // 2


def spoken_problems(document: Document, file: TemplateFile) -> Iterator[Problem]:
    """What contradicts itself in the [voice] table of a template."""
    voice = file.voice
    if voice is None:
        return
    if voice.code is None and not voice.say:
        yield document.problem(("voice",), "says nothing, expected `code`, `say` or both")
    if voice.code is not None:
        yield from _digits_problems(document, file, ("voice", "code"), voice.code)
    for tag in voice.say.keys() - file.text.keys() if voice.say else ():
        yield document.problem(
            ("voice", "say", tag), "has no text of the language, expected [text] to have it"
        )
    for tag in file.text.keys() - voice.say.keys() if voice.say else ():
        yield document.problem(("voice", "say"), f"lacks {tag}, expected every language of [text]")
    for tag, pieces in voice.say.items():
        for index, piece in enumerate(pieces):
            if isinstance(piece, Spoken):
                yield from _piece_problems(document, file, ("voice", "say", tag, index), piece)


def _piece_problems(document: Document, file: TemplateFile, path: Path, piece: Spoken) -> Iterator[Problem]:
    choices = ("digits", "amount", "date", "number", "pause")
    kinds = [kind for kind in choices if getattr(piece, kind) is not None]
    if len(kinds) != 1:
        yield document.problem(
            path, "expected exactly one of `digits`, `amount`, `date`, `number` and `pause`"
        )
        return
    amount = file.params.get(piece.amount) if piece.amount is not None else None
    priced = amount is not None and amount.kind == "amount"
    if (piece.currency is not None) != (kinds[0] == "amount") and not priced:
        yield document.problem(path, "expected `currency` with `amount`, and only there")
    if priced and piece.currency is not None:
        yield document.problem(
            (*path, "currency"), f"is that of [params.{piece.amount}] already, expected it only there"
        )
    if piece.digits is not None:
        yield from _digits_problems(document, file, (*path, "digits"), piece.digits)
    names = [("amount", piece.amount), ("date", piece.date), ("number", piece.number)]
    if piece.currency is not None and piece.currency[0].islower():
        names.append(("currency", piece.currency))
    for key, name in names:
        if name is not None and name not in file.params:
            yield document.problem(
                (*path, key), f"there is no [params.{name}], expected a declared parameter"
            )
    number = file.params.get(piece.number) if piece.number is not None else None
    if number is not None and number.kind != "number":
        yield document.problem(
            (*path, "number"), f'"{piece.number}" is of kind {number.kind}, expected one of kind number'
        )


def _digits_problems(document: Document, file: TemplateFile, path: Path, name: str) -> Iterator[Problem]:
    parameter = file.params.get(name)
    if parameter is None:
        near = did_you_mean(name, file.params)
        yield document.problem(path, f"there is no [params.{name}], expected a declared parameter{near}")
    elif parameter.kind not in ("digits", "code"):
        yield document.problem(
            path, f'"{name}" may hold other characters, expected one of kind = "digits" or "code"'
        )
