"""Binding: which modes and versions are let in, and how many binds at a time."""

from __future__ import annotations

from collections.abc import Generator
from math import ceil
from typing import Any

from connector.probe.finding import Finding, assumed, found, unknown
from connector.probe.known import Known
from connector.probe.trial import BindMode, CarrierGone, Opened, Request, Talk, close, open_bind, pause
from protocols.smpp.constants import Status, status_name

__all__ = ["bind", "bind_count", "pauses"]

MOST_BINDS = 5
"""More are not tried: a carrier may take a row of refused binds for an attack."""

_NO_SUCH_MODE = frozenset((Status.ESME_RINVCMDID, Status.ESME_RBINDFAIL, Status.ESME_RINVBNDSTS,
                           Status.ESME_RSYSERR))  # fmt: skip
_FIRST_WAIT_S, _LARGEST_STEP_S, _LONGEST_WAIT_S = 0.5, 5.0, 240.0

_VERSIONS = {0x33: "3.3", 0x34: "3.4", 0x50: "5.0"}


def bind(known: Known) -> Talk:
    """A transceiver first, a transmitter and a receiver where there is none (SMPP 3.4 §2.2)."""
    mode = known.profile.binds.mode
    opened = yield from open_bind(mode)
    if opened.status in _NO_SUCH_MODE:
        other: BindMode = "transmitter+receiver" if mode == "transceiver" else "transceiver"
        how = f"the other mode is answered {_why(opened)}"
        mode = other
        opened = yield from open_bind(other)
    else:
        how = "a bind of this mode is accepted"
    if opened.status != Status.ESME_ROK:
        raise CarrierGone(f"no bind: {_why(opened)}")
    return [found("binds.mode", mode, how), _version(known, opened)]


def _version(known: Known, opened: Opened) -> Finding:
    key, asked = "account.interface_version", known.profile.account.interface_version
    if opened.version is None:
        return (
            assumed(key, "3.3", "the bind is answered without sc_interface_version, as before 3.4")
            if (asked == "3.3")
            else unknown(key, "the bind is answered without sc_interface_version (SMPP 3.4 §5.3.2.25)")
        )
    named = _VERSIONS.get(opened.version)
    if named is None:
        return unknown(key, f"the bind is answered with sc_interface_version 0x{opened.version:02X}")
    return found(key, named, f"the bind is answered with sc_interface_version 0x{opened.version:02X}")


def _why(opened: Opened) -> str:
    return opened.reason or ("no answer" if opened.status is None else status_name(opened.status))


def bind_count(known: Known) -> Talk:
    """One bind after another until one is refused, then all but the first are closed again."""
    opened = 1
    refusal: Opened | None = None
    while opened < MOST_BINDS and refusal is None:
        answer = yield from open_bind()
        if answer.status == Status.ESME_ROK:
            opened += 1
        else:
            refusal = answer
    for _ in range(opened - 1):
        yield from close()
    if refusal is None:
        return [unknown("binds.count", f"{opened} binds at a time are accepted; more were not tried")]
    how = f"bind {opened + 1} at the same time: {_why(refusal)}"
    # A carrier that wants a pause between binds answers the second one just so.
    return [(found if opened > 1 else assumed)("binds.count", opened, how)]


def pauses(known: Known) -> Talk:
    """Bind again at once after an unbind, and again after a connection that just ended."""
    yield from close()
    after_unbind, spacing = yield from _again()
    yield from close(abruptly=True)
    after_cut, ghost = yield from _again()
    findings = [_waited("binds.spacing_s", spacing, after_unbind, "after an unbind")]
    if ghost <= spacing:
        findings.append(unknown("backoff.ghost_s", "a bind after a lost connection waits no longer"))
    else:
        findings.append(_waited("backoff.ghost_s", ghost, after_cut, "after a lost connection"))
    return findings


def _again() -> Generator[Request, Any, tuple[Opened, float]]:
    """The first refusal (or the success), and the seconds until a bind was accepted."""
    first = opened = yield from open_bind()
    waited, step = 0.0, _FIRST_WAIT_S
    while opened.status != Status.ESME_ROK and waited < _LONGEST_WAIT_S:
        yield from pause(step)
        waited += step
        step = min(step * 1.3, _LARGEST_STEP_S)
        opened = yield from open_bind()
    if opened.status != Status.ESME_ROK:
        raise CarrierGone(f"no bind within {_LONGEST_WAIT_S:g} s: {_why(opened)}")
    return first, waited


def _waited(key: str, seconds: float, first: Opened, when: str) -> Finding:
    if not seconds:
        return (
            assumed(key, 0.0, f"a bind {when} is accepted at once")
            if key == "binds.spacing_s"
            else (unknown(key, f"a bind {when} is accepted at once"))
        )
    how = f"a bind {when} is answered {_why(first)}, and accepted after {seconds:.1f} s"
    return found(key, float(ceil(seconds)), how)
