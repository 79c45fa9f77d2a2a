"""What connector.toml says of calls: media, speech, and how a call goes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from .fields import END, FileName, Flag, Seconds
from .template import LanguageTag

__all__ = ["CALL_LANGUAGES", "ScriptSettings", "SpeechConfig", "Voice", "call_language", "lookup"]

CALL_LANGUAGES: Final = (
    "ar", "bg", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "hi", "hr", "hu", "id", "it",
    "ja", "ko", "ms", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sv", "sw", "tr", "uk", "ur", "vi",
    "yue", "zh",
)  # fmt: skip
"""The BCP 47 languages that an engine speaks; connector/voice/speech has their words."""

# What callers write for a language that has another tag today, or whose listeners expect another one: Chinese
# of Hong Kong is read in Cantonese.
_ALIASES: Final = {
    "no": "nb", "nn": "nb", "in": "id", "bs": "hr", "cmn": "zh", "zsm": "ms",
    "zh-hk": "yue", "zh-mo": "yue", "zh-hant-hk": "yue", "zh-hant-mo": "yue", "zh-yue": "yue",
}  # fmt: skip

Port = Annotated[int, Meta(ge=1024, le=65_535, title="a port from 1,024 to 65,535")]
Listen = Annotated[
    str,
    Meta(
        pattern=r"^(\[[0-9A-Fa-f:.]+\]|[0-9.]{7,15}):[0-9]{1,5}" + END,
        title='an IP address and a port such as "192.0.2.7:5060"; port 0 takes any',
    ),
]
IpAddress = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f:.]{2,45}" + END, title="an IP address")]


def lookup(tag: str, known: Collection[str]) -> str | None:
    """The longest part of a BCP 47 tag that is in `known`, which are in lower case (RFC 4647 §3.4: "de-at",
    then "de").
    """
    parts = tag.replace("_", "-").lower().split("-")
    while parts:
        if (found := "-".join(parts)) in known:
            return found
        parts.pop()
    return None


def call_language(tag: str) -> str | None:
    """The one of CALL_LANGUAGES that serves a BCP 47 tag ("de-AT" is served by "de"), None without one."""
    alias = lookup(tag, _ALIASES)
    return _ALIASES[alias] if alias is not None else lookup(tag, CALL_LANGUAGES)


class SpeechConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who speaks. Recordings come first, where there are any."""

    engine: Literal["espeak", "piper"] = "espeak"
    workers: Annotated[
        int,
        Meta(ge=1, le=16, title="a number of processes from 1 to 16", description="Synthesis in parallel."),
    ] = 1
    recordings: (
        Annotated[FileName, Meta(description="Folder of your own prompts; see docs/speech.md.")] | None
    ) = None
    piper_voices: (
        Annotated[FileName, Meta(description="Folder with a piper voice (NAME.onnx) for each language.")]
        | None
    ) = None
    bank_mb: Annotated[
        int, Meta(ge=8, le=10_000, title="megabytes from 8 to 10,000", description="Prompts kept on disk.")
    ] = 256


class Voice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls: needed as soon as there is a file in trunks/."""

    listen: Annotated[
        Listen,
        Meta(description="Where we take SIP; the address is also the one that media come to."),
    ] = "0.0.0.0:0"
    public_address: (
        Annotated[IpAddress, Meta(description="What carriers are told, behind a NAT that keeps the ports.")]
        | None
    ) = None
    rtp_ports: Annotated[
        tuple[Port, Port],
        Meta(title="[first, last] port", description="Two for each call; open them in the firewall."),
    ] = (20_000, 29_999)
    languages: Annotated[
        tuple[LanguageTag, ...],
        Meta(
            min_length=1, title="a list of language tags", description="Prompts of these are made at start."
        ),
    ] = ("en",)
    speech: SpeechConfig = SpeechConfig()


class ScriptSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a call goes from the answer to the goodbye."""

    kind: Annotated[
        Literal["code", "risk", "message"],
        Meta(
            description="code: says it twice, offers to repeat. risk: names it, asks to confirm or deny. "
            "message: says it."
        ),
    ] = "code"
    gate: Annotated[
        Flag, Meta(description="A key must be pressed before the code or the message is said.")
    ] = True
    repeats: Annotated[
        int, Meta(ge=0, le=5, title="a whole number from 0 to 5", description="How often it is said again.")
    ] = 2
    agent: (
        Annotated[
            str,
            Meta(
                pattern=r"^(\+[1-9][0-9]{6,14}|sips?:[!-~]{1,200})" + END,
                title="a number in E.164 or a SIP URI",
                description="Who gets the call on key 0; absent: nobody.",
            ),
        ]
        | None
    ) = None
    transfer: Annotated[
        Literal["bridge", "refer"],
        Meta(description="bridge: we stay in the call and know its length. refer: the carrier connects."),
    ] = "bridge"
    machine: Annotated[
        Literal["hang_up", "greet"],
        Meta(description="What an answering machine gets: nothing, or the greeting without the code."),
    ] = "hang_up"
    input_timeout_s: Annotated[Seconds, Meta(description="How long we wait for a key.")] = 6.0
