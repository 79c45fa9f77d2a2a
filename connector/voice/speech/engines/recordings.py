"""Recordings of the operator's own: a folder for each language with a manifest and WAV files.

recordings/de/manifest.toml
    [digits]
    0 = "null.wav"          # all ten, or none: one voice reads a code
    [slow]                  # optional: the same ten for the second reading
    [phrases]
    greeting = "gruss.wav"  # any of the names in phrases/*.toml

A language that no engine speaks has all ten digits and all phrases.
"""

from __future__ import annotations

import re
import tomllib
import wave
from array import array
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from connector.config.voice import lookup
from connector.voice.speech.errors import RecordingsError
from connector.voice.speech.names import DIGITS, PHRASES, Pace, match

from . import Pcm

__all__ = ["MANIFEST", "Recording", "Recordings"]

MANIFEST = "manifest.toml"

_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")
_RATES = (8_000, 48_000)
_LONGEST_S = {"digits": 3.0, "slow": 3.0, "phrases": 30.0}
_NAMES = {"digits": tuple(DIGITS), "slow": tuple(DIGITS), "phrases": PHRASES}
_QUIETEST = 300
"""Of 32,768: a file whose highest sample is under it is held to be silent."""


class Recording(NamedTuple):
    """One WAV file; `digest` is of its octets."""

    pcm: Pcm
    digest: str


class Recordings:
    """All of a folder, read and checked at once. RecordingsError names every problem of every file."""

    def __init__(self, folder: Path) -> None:
        self._found: dict[tuple[str, Pace, str], Recording] = {}
        self._languages: set[str] = set()
        problems: list[str] = []
        manifests = sorted(folder.glob(f"*/{MANIFEST}"))
        if not manifests:
            problems.append(f"{folder}: no LANGUAGE/{MANIFEST} in it")
        for path in manifests:
            tag = path.parent.name.lower()
            language = match(tag)
            if language is None and not _TAG.fullmatch(tag):
                problems.append(f"{path.parent}: a folder named after a language such as de is expected")
                continue
            problems += self._read(path, language or tag, alone=language is None)
        if problems:
            raise RecordingsError(problems)

    def of(self, tag: str, pace: Pace, name: str) -> Pcm | None:
        """The recording of a phrase or a digit; a slow one falls back to the only one there is."""
        language = match(tag) or lookup(tag, self._languages) or ""
        found = self._found.get((language, pace, name)) or self._found.get((language, "normal", name))
        return found.pcm if found is not None else None

    def digests(self) -> dict[str, dict[Pace, dict[str, str]]]:
        """By language, pace and name."""
        found: dict[str, dict[Pace, dict[str, str]]] = {}
        for (language, pace, name), recording in self._found.items():
            found.setdefault(language, {"normal": {}, "slow": {}})[pace][name] = recording.digest
        return found

    def _read(self, manifest: Path, language: str, *, alone: bool) -> list[str]:
        """`alone`: no engine speaks the language."""
        self._languages.add(language)
        try:
            tables = tomllib.loads(manifest.read_text("utf-8"))
        except (OSError, ValueError) as error:
            return [f"{manifest}: {error}"]
        problems = [
            f"{manifest}: [{table}] is not known; [digits], [slow] and [phrases] are expected"
            for table in tables
            if table not in _NAMES or not isinstance(tables[table], dict)
        ]
        for table, names in _NAMES.items():
            found = tables.get(table)
            if isinstance(found, dict):
                problems += _named_wrongly(manifest, table, found, names)
                problems += self._read_table(manifest, language, table, found)
        if alone:
            problems += _missing_alone(manifest, tables)
        if "slow" in tables and "digits" not in tables:
            problems.append(f"{manifest}: [slow] needs [digits] beside it")
        return problems

    def _read_table(self, manifest: Path, language: str, table: str, files: dict[str, Any]) -> list[str]:
        problems = []
        pace: Pace = "slow" if table == "slow" else "normal"
        for name, file in files.items():
            if not isinstance(file, str) or "/" in file or file.startswith("."):
                problems.append(f"{manifest}: [{table}] {name}: the name of a file beside it is expected")
                continue
            found = _recording(manifest.parent / file, _LONGEST_S[table])
            if isinstance(found, str):
                problems.append(f"{manifest.parent / file}: {found}")
            else:
                self._found[language, pace, name] = found
        return problems


def _named_wrongly(manifest: Path, table: str, found: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    problems = [
        f"{manifest}: [{table}] {name}: one of {', '.join(names)} is expected"
        for name in found
        if name not in names
    ]
    missing = [name for name in names if name not in found]
    if table != "phrases" and missing:
        problems.append(f"{manifest}: [{table}]: all ten digits are expected, missing: {', '.join(missing)}")
    return problems


def _missing_alone(manifest: Path, tables: dict[str, Any]) -> list[str]:
    phrases = tables.get("phrases", {})
    missing = [] if "digits" in tables else ["[digits]"]
    missing += [name for name in PHRASES if not isinstance(phrases, dict) or name not in phrases]
    if not missing:
        return []
    listed = ", ".join(missing)
    return [
        f"{manifest}: all digits and phrases are expected of a language without an engine, missing: {listed}"
    ]


def _recording(path: Path, longest_s: float) -> Recording | str:
    """The file, or what was expected of it."""
    try:
        octets = path.read_bytes()
        with wave.open(str(path)) as file:
            channels, width, rate, count = file.getparams()[:4]
            samples = file.readframes(count)
    except FileNotFoundError:
        return "no such file"
    except (OSError, EOFError, wave.Error) as error:
        return f"a WAV file of PCM samples is expected ({error})"
    if channels != 1 or width != 2:
        return f"one channel of 16 bits is expected, it has {channels} of {width * 8}"
    if not _RATES[0] <= rate <= _RATES[1]:
        return f"{_RATES[0]} to {_RATES[1]} samples a second are expected, it has {rate}"
    if not 0.05 <= count / rate <= longest_s:
        return f"0.05 to {longest_s:g} s are expected, it has {count / rate:.2f} s"
    if max(map(abs, array("h", samples)), default=0) < _QUIETEST:
        return "it is silent"
    return Recording(Pcm(samples, rate), blake2b(octets, digest_size=16).hexdigest())
