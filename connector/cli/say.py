"""`connector say`: what a call will say, as a WAV file to listen to."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from connector.config.voice import SpeechConfig
    from connector.segments import Segment
    from connector.voice.audio import Audio
    from connector.voice.speech import Speech, SpokenCode

__all__ = ["command"]

_ONE_OF = "expected one of --code, --phrase, or any of --text, --amount, --date"


@click.command("say")
@click.argument("out", required=False, type=click.Path(path_type=Path, dir_okay=False), metavar="OUT.wav")
@click.option("--lang", default="en", show_default=True, metavar="TAG", help="BCP 47, such as hi or de-AT.")
@click.option("--code", metavar="DIGITS", help="Read out as in a call: twice, slower the second time.")
@click.option("--phrase", metavar="NAME", help="One of the fixed phrases, such as greeting.")
@click.option("--text", help="Any text; with --amount and --date it comes first.")
@click.option("--amount", metavar="DECIMAL", help="An amount of money, such as 12.50.")
@click.option("--currency", default="EUR", show_default=True, metavar="ISO", help="Of --amount.")
@click.option("--date", metavar="YYYY-MM-DD", help="A date.")
@click.option("--slow", is_flag=True, help="Speak --text, --amount and --date at the slow pace.")
@click.option("--recordings", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="FOLDER",
              help="Your own prompts, used where there are any.")  # fmt: skip
@click.option("--engine", type=click.Choice(["espeak", "piper"]), default="espeak", show_default=True)
@click.option("--piper-voices", type=click.Path(path_type=Path, exists=True, file_okay=False),
              metavar="FOLDER", help="Models of --engine piper.")  # fmt: skip
@click.option("--list-languages", is_flag=True, help="Print the languages and end.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(out: Path | None, *, list_languages: bool, as_json: bool, **options: Any) -> None:
    """Write what a call says to OUT.wav: 8,000 samples a second, as it comes out of G.711 (µ-law).

    Exit codes: 0 written, 1 it cannot be said, 2 bad usage.

    \b
    Examples:
      connector say --lang hi --code 4829 out.wav
      connector say --lang de --text "Der Betrag ist" --amount 5000 --currency EUR out.wav
      connector say --lang fr --phrase greeting --recordings /etc/connector/prompts out.wav
    """
    import asyncio

    from connector.voice.speech import SpeechError, languages

    if list_languages:
        click.echo(json.dumps({"languages": languages()}) if as_json else "\n".join(languages()))
        return
    if out is None:
        raise click.UsageError("expected a file to write: OUT.wav")
    _check(options)
    try:
        audio, engine = asyncio.run(_spoken(options))
        _write(audio, out)
    except (SpeechError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    shown = {"file": str(out), "seconds": round(audio.seconds, 3), "engine": engine}
    readings = getattr(audio, "readings", ())
    if readings:
        shown["readings"] = [[round(start, 3), round(end, 3)] for start, end in readings]
    if as_json:
        click.echo(json.dumps({"schema": 1, **shown}))
    else:
        click.echo(f"{out}: {audio.seconds:.2f} s by {engine}")


def _check(options: dict[str, Any]) -> None:
    from connector.voice.speech import PHRASES, match

    message = any(options[name] is not None for name in ("text", "amount", "date"))
    if sum((options["code"] is not None, options["phrase"] is not None, message)) != 1:
        raise click.UsageError(_ONE_OF)
    if options["phrase"] is not None and options["phrase"] not in PHRASES:
        raise click.BadParameter(f"one of {', '.join(PHRASES)} is expected", param_hint="'--phrase'")
    if match(options["lang"]) is None and options["recordings"] is None:
        raise click.BadParameter(
            f"no digit words and phrases for {options['lang']!r}; see --list-languages", param_hint="'--lang'"
        )


async def _spoken(options: dict[str, Any]) -> tuple[Audio | SpokenCode, str]:
    import tempfile

    from connector.voice.speech import Speech

    with tempfile.TemporaryDirectory(prefix="connector-say-") as state:
        speech = Speech(_config(options), Path(state))
        fixed = options["code"] is not None or options["phrase"] is not None
        await speech.start([options["lang"]] if fixed else [])
        try:
            return await _ask(speech, options), speech.engine
        finally:
            await speech.stop()


def _config(options: dict[str, Any]) -> SpeechConfig:
    from connector.config.voice import SpeechConfig

    def folder(name: str) -> str | None:
        return str(options[name].absolute()) if options[name] is not None else None

    return SpeechConfig(
        engine=options["engine"], recordings=folder("recordings"), piper_voices=folder("piper_voices")
    )


async def _ask(speech: Speech, options: dict[str, Any]) -> Audio | SpokenCode:
    if options["code"] is not None:
        return await speech.code(options["lang"], options["code"])
    if options["phrase"] is not None:
        return await speech.phrase(options["lang"], options["phrase"])
    return await speech.prompt(options["lang"], _segments(options), "slow" if options["slow"] else "normal")


def _segments(options: dict[str, Any]) -> tuple[Segment, ...]:
    from connector.segments import Amount, Date, Text

    segments: list[Segment] = []
    if options["text"] is not None:
        segments.append(Text(options["text"]))
    if options["amount"] is not None:
        segments.append(Amount(options["amount"], options["currency"]))
    if options["date"] is not None:
        segments.append(Date(options["date"]))
    return tuple(segments)


def _write(audio: Audio | SpokenCode, out: Path) -> None:
    import wave

    from connector.voice.audio import SAMPLE_RATE
    from protocols.rtp.g711 import PCMU

    with out.open("wb") as raw, wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(PCMU.decode(audio.pcmu))
