"""A finished message as a row of the last table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.cli.demo.filing import Filed
    from connector.cli.demo.result import Result
    from connector.cli.demo.track import Track

__all__ = ["HEADINGS", "cells", "filed_words", "verdict"]

HEADINGS = ("JOB", "OUTCOME", "PARTS", "BY", "CARRIER", "HANDSET", "RECEIVED")
"""CARRIER and HANDSET are the times from acceptance to submit_sm_resp and to the receipt; RECEIVED is the
text that the handset shows, or the code that the telephone heard."""


def cells(track: Track) -> tuple[str, ...]:
    """In the order of HEADINGS."""
    delivered = track.outcome == "delivered"
    return (
        track.message.id,
        track.outcome or "no outcome",
        str(track.parts or ""),
        route(track),
        milliseconds(track.seconds_to_carrier),
        seconds(track.seconds) if delivered else "",
        _handset(track),
    )


def route(track: Track) -> str:
    """The carriers of its attempts, in order."""
    return "→".join(track.carriers)


def milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value * 1000:.0f} ms"


def seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


def verdict(result: Result) -> str:
    """The last line."""
    if result.ok:
        return f"{len(result.tracks)} jobs, {len(result.refusals)} refusals: everything as expected."
    wrong = [f"{track.message.id}: {track.wrong}" for track in result.tracks if track.wrong]
    return "\n".join(["Not as expected.", *wrong])


def filed_words(filed: Filed) -> str:
    """Of the evidence."""
    verdict = "verified" if filed.verified else "NOT verified"
    certificate = filed.certificate or "missing"
    return f"{filed.records} records of evidence, {verdict}; its certificate is {certificate}"


def _handset(track: Track) -> str:
    if track.wrong is not None:
        return f"WRONG: {track.wrong}"
    if track.message.spoken:
        return f"heard {track.heard}" + (", and the agent" if track.transferred else "")
    return " ".join((track.received or ["nothing, as it must be"])[0].split())
