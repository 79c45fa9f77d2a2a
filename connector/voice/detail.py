"""What is kept of one call: its times, its media and its end, for the journal and for `connector why`.

No number, code or text is in it. The keys that were pressed are: they are the listener's answers to a menu,
and evidence of a consent.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = [
    "KEYS_KEPT", "PROMPTS_KEPT", "CallDetail", "EndedBy", "KeyPressed", "MediaDetail", "Said", "Transfer",
]  # fmt: skip

KEYS_KEPT = 64
PROMPTS_KEPT = 64
"""A call has no end of keys and repeats that its limits allow, but its detail has."""

EndedBy = Literal["listener", "us", "agent", "carrier", "session_timer", "media_timeout", "transport"]


class Said(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One prompt by its name; `ended` is None where the call ended in it, `whole` False where it was cut."""

    name: str
    began: float
    ended: float | None = None
    whole: bool = False


class KeyPressed(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """0–9, *, #, A–D."""

    key: str
    at: float


class Transfer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One try to bring an agent in; `answered` is also when the carrier said that a REFER was done."""

    mode: Literal["bridge", "refer"]
    began: float
    answered: float | None = None
    ended: float | None = None
    status: int | None = None

    @property
    def seconds(self) -> float | None:
        """How long listener and agent spoke; None where nobody knows, as after a REFER."""
        if self.mode == "refer" or self.answered is None or self.ended is None:
            return None
        return self.ended - self.answered


class MediaDetail(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Packets and what became of them; ours are judged by the peer's receiver reports (RFC 3550 §6.4)."""

    codec: str
    encrypted: bool = False
    sent: int = 0
    received: int = 0
    lost: int = 0
    duplicates: int = 0
    reordered: int = 0
    spoofed: int = 0
    jitter_ms: float = 0.0
    remote_lost_fraction: float | None = None
    remote_jitter_ms: float | None = None
    round_trip_s: float | None = None


class CallDetail(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One attempt by voice. All times are seconds from the INVITE, but for its own.

    at           INVITE, seconds since 1970
    call_id      of SIP: what a carrier asks for when a call is disputed
    trying       100
    ringing      the first of 180 to 199, with its status
    answered     200
    acknowledged our ACK of it
    first_heard  first RTP packet that came in, first_sent the first that left
    ended        BYE, CANCEL, or the final status of a call that was not answered
    status       the final status of the INVITE; None where none came
    cause        of Q.850, from a Reason header
    kind         the call class
    result       the script's, where the call was answered
    """

    trunk: str
    call_id: str
    at: float
    trying: float | None = None
    ringing: float | None = None
    ringing_status: int | None = None
    answered: float | None = None
    acknowledged: float | None = None
    first_heard: float | None = None
    first_sent: float | None = None
    prompts: list[Said] = []
    keys: list[KeyPressed] = []
    keys_dropped: int = 0
    transfers: list[Transfer] = []
    machine: Literal["human", "machine", "beep"] | None = None
    machine_at: float | None = None
    ended: float | None = None
    ended_by: EndedBy | None = None
    status: int | None = None
    cause: int | None = None
    kind: str = ""
    result: str | None = None
    delivered: bool = False
    media: MediaDetail | None = None

    @property
    def seconds(self) -> float:
        """From the answer to the end: what a carrier bills."""
        return 0.0 if self.answered is None or self.ended is None else max(self.ended - self.answered, 0.0)

    def prompt_began(self, name: str, at: float) -> None:
        self.prompt_ended(at)
        if len(self.prompts) < PROMPTS_KEPT:
            self.prompts.append(Said(name, at))

    def prompt_ended(self, at: float, *, whole: bool = False) -> None:
        """Of the newest prompt, where it has not ended yet."""
        if self.prompts and self.prompts[-1].ended is None:
            newest = self.prompts[-1]
            self.prompts[-1] = Said(newest.name, newest.began, at, whole)

    def key_pressed(self, key: str, at: float) -> None:
        if len(self.keys) < KEYS_KEPT:
            self.keys.append(KeyPressed(key, at))
        else:
            self.keys_dropped += 1

    def lines(self) -> list[tuple[float, str]]:
        """What happened, in order: (seconds from the INVITE, in words)."""
        told: list[tuple[float | None, str]] = [
            (0.0, f"INVITE to {self.trunk}"),
            (self.trying, "100: the trunk has it"),
            (self.ringing, "183: early media" if self.ringing_status == 183 else "it rings"),
            (self.answered, "200: answered"),
            (self.acknowledged, "ACK"),
            (self.first_sent, "first RTP out"),
            (self.first_heard, "first RTP in"),
            (self.machine_at, f"detector: {self.machine}"),
        ]  # fmt: skip
        told += [(said.began, f"says {said.name}") for said in self.prompts]
        told += [(said.ended, f"{said.name} {'said' if said.whole else 'stopped'}") for said in self.prompts]
        told += [(pressed.at, f"key {pressed.key}") for pressed in self.keys]
        for transfer in self.transfers:
            told += _transfer_lines(transfer)
        told.append((self.ended, self._end()))
        # Stable, so that what has one time stays in the order above.
        return sorted(((at, words) for at, words in told if at is not None), key=lambda line: line[0])

    def _end(self) -> str:
        words = [f"ended by {self.ended_by}" if self.ended_by else "ended"]
        if self.answered is None and self.status is not None:
            words.append(str(self.status))
        if self.cause is not None:
            words.append(f"Q.850 {self.cause}")
        words += [word for word in (self.kind, self.result) if word]
        return ", ".join(dict.fromkeys(words))

    def __str__(self) -> str:
        if self.answered is None:
            return f"{self.trunk}: {self._end()} after {self.ended or 0.0:.1f} s"
        heard = f", {self.media.codec}, {self.media.lost} lost" if self.media else ""
        times = f"answered after {self.answered:.1f} s, {self.seconds:.1f} s long"
        return f"{self.trunk}: {times}{heard}, {self._end()}"

    def __repr__(self) -> str:
        return f"CallDetail({self.trunk}, {self.kind})"


def _transfer_lines(transfer: Transfer) -> list[tuple[float | None, str]]:
    ended = "agent's leg ended" if transfer.answered is not None else "no agent"
    if transfer.status is not None:
        ended += f", {transfer.status}"
    if transfer.seconds is not None:
        ended += f", {transfer.seconds:.1f} s together"
    return [
        (transfer.began, f"calls the agent, {transfer.mode}"),
        (transfer.answered, "agent answered"),
        (transfer.ended, ended),
    ]
