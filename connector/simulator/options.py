"""Everything the simulated carrier can be told to do, declared once.

The command line, the control port and the tests all read this one declaration: each option carries its
own help text, range and choices.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

from .delay import Delay
from .message_ids import SPELLINGS


@dataclass(frozen=True, slots=True)
class Takes:
    """What an option does and which values it takes."""

    help: str
    low: float = 0
    high: float = float("inf")
    choices: tuple[str, ...] = ()


class OptionError(ValueError):
    """An option that does not exist or a value outside what it takes; the text says what is expected."""


_STATUS = 0xFFFFFFFF
_AT_ONCE = Delay()

_SPELT = (
    "How the receipt spells the message id of the response: the same decimal number; hexadecimal in the "
    "response and decimal in the receipt, or the other way round; hexadecimal upper-cased or lower-cased in "
    "the receipt; zeros in front; a UUID that loses its dashes."
)

# Short names keep the table below a table.
_Share = float
_T = Takes


@dataclass(frozen=True, slots=True)
class SmscOptions:
    """How the simulated carrier behaves. Times are seconds; shares lie in 0…1; 0 turns a fault off.

    Raises OptionError when a value is out of its range.
    """

    system_id: Annotated[str, _T("The only account accepted; empty accepts every account.")] = ""
    password: Annotated[str, _T("The password binds must carry; empty accepts any.")] = ""
    bind_status: Annotated[int, _T("Refuse binds with this status, e.g. 0x0D.", high=_STATUS)] = 0
    bind_refuse_first: Annotated[
        int, _T("With bind-status: refuse only the first N binds; 0 refuses all.")
    ] = 0
    ghost_s: Annotated[
        float,
        _T(
            "Ghost session: after a connection ends without unbind, refuse the account's binds so many "
            "seconds with 0x05 (already bound)."
        ),
    ] = 0.0
    enquire_link_s: Annotated[float, _T("Send enquire_link after so many silent seconds.")] = 0.0

    throttle_tps: Annotated[float, _T("Throttle: submits accepted a second; more are refused.")] = 0.0
    throttle_burst: Annotated[
        int, _T("Submits accepted at once after a pause; 0 means a tenth of a second's worth.")
    ] = 0
    throttle_status: Annotated[
        int, _T("Status of a throttled submit: 0x58 THROTTLED or 0x14 MSGQFUL.", 1, _STATUS)
    ] = 0x58
    throttle_scope: Annotated[
        str, _T("Whether the rate is counted per bind or per account.", choices=("bind", "account"))
    ] = "bind"
    window_limit: Annotated[int, _T("Refuse submits above so many unanswered ones on a bind.")] = 0
    window_status: Annotated[int, _T("Status of a submit above the window.", 1, _STATUS)] = 0x58

    response_delay: Annotated[Delay, _T("Delay of submit_sm_resp.")] = _AT_ONCE
    response_missing: Annotated[
        _Share, _T("Share of submits accepted and delivered without any response.", high=1)
    ] = 0.0

    cut_after: Annotated[
        int, _T("Cut each connection at its Nth submit, which is accepted but not answered.")
    ] = 0
    cut_share: Annotated[_Share, _T("Share of submits at which the connection is cut so.", high=1)] = 0.0
    silence_after: Annotated[
        int,
        _T("Half-open: from its Nth submit on a connection gets no answer to anything, but stays open."),
    ] = 0
    silence_share: Annotated[
        _Share, _T("Share of submits at which a connection falls silent so.", high=1)
    ] = 0.0
    garbage_share: Annotated[
        _Share, _T("Share of submits answered with random bytes instead of a PDU.", high=1)
    ] = 0.0
    slow_byte_s: Annotated[float, _T("Slow bytes: write one byte at a time, so many seconds apart.")] = 0.0

    receipt_delay: Annotated[Delay, _T("Delay from the submit to the handset and its receipt.")] = _AT_ONCE
    receipt_missing: Annotated[_Share, _T("Share of messages delivered without a receipt.", high=1)] = 0.0
    receipt_undelivered: Annotated[
        _Share, _T("Share of messages that end UNDELIV instead of DELIVRD.", high=1)
    ] = 0.0
    receipt_duplicate: Annotated[_Share, _T("Share of receipts sent twice.", high=1)] = 0.0
    receipt_early: Annotated[_Share, _T("Share of receipts sent before the submit_sm_resp.", high=1)] = 0.0
    receipt_other_bind: Annotated[
        _Share, _T("Share of receipts sent on another bind of the account, if there is one.", high=1)
    ] = 0.0
    receipt_shuffle: Annotated[int, _T("Send receipts in blocks of N, each block in random order.")] = 0
    receipt_form: Annotated[
        str, _T("Receipts as text, as TLVs, or both.", choices=("both", "text", "tlv"))
    ] = "both"
    id_form: Annotated[str, _T(_SPELT, choices=tuple(SPELLINGS))] = "same"
    deliver_window: Annotated[int, _T("Receipts sent on a bind before one of them is answered.", 1)] = 500
    receipt_retry_s: Annotated[
        float,
        _T("Offer a receipt again so many seconds after it was refused, or sent without an answer.", 0.001),
    ] = 30.0

    stories: Annotated[bool, _T("Play the fixed stories of the reserved numbers +447700900000 to 999.")] = (
        True
    )
    handset_limit: Annotated[int, _T("Messages kept of what handsets received; 0 keeps none.")] = 100_000
    submission_limit: Annotated[
        int, _T("Different accepted submits counted, to find duplicates; 0 counts none.")
    ] = 100_000

    def __post_init__(self) -> None:
        for name, takes in OPTIONS.items():
            value = getattr(self, name)
            if takes.choices and value not in takes.choices:
                raise OptionError(f"{name}: {value!r} is not one of {', '.join(takes.choices)}")
            if isinstance(value, int | float) and not takes.low <= value <= takes.high:
                top = "" if takes.high == float("inf") else f" and at most {takes.high:g}"
                raise OptionError(f"{name}: {value!r} must be at least {takes.low:g}{top}")

    def changed(self, changes: Mapping[str, object]) -> SmscOptions:
        """These options with some replaced; values may be given as text. Raises OptionError."""
        parsed: dict[str, Any] = {name: parse(name, value) for name, value in changes.items()}
        return dataclasses.replace(self, **parsed)

    def as_json(self) -> dict[str, object]:
        """Every option by name, delays in their text form."""
        pairs = ((name, getattr(self, name)) for name in OPTIONS)
        return {name: str(value) if isinstance(value, Delay) else value for name, value in pairs}


OPTIONS: dict[str, Takes] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(SmscOptions, include_extras=True).items()
}
"""What each option of SmscOptions takes, in the order of the declaration."""

DEFAULTS = SmscOptions()
_BOOLEANS = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}


def parse(name: str, value: object) -> object:
    """`value` (text, number or already right) as the type of option `name`. Raises OptionError."""
    if name not in OPTIONS:
        near = difflib.get_close_matches(name, OPTIONS, n=1)
        raise OptionError(f"{name}: there is no such option" + (f"; did you mean {near[0]}?" if near else ""))
    kind = type(getattr(DEFAULTS, name))
    if type(value) is kind:
        return value
    try:
        return _convert(kind, value)
    except ValueError as error:
        raise OptionError(f"{name}: {error}") from None


def _convert(kind: type, value: object) -> object:
    text = str(value)
    if kind is Delay:
        return Delay.parse(text)
    if kind is bool:
        if text.lower() not in _BOOLEANS:
            raise ValueError(f"{value!r} is not true or false")
        return _BOOLEANS[text.lower()]
    if kind is str:
        raise ValueError(f"{value!r} is not a text")
    try:
        return int(text, 0) if kind is int else float(text)
    except ValueError:
        expected = "a whole number (hexadecimal as 0x58)" if kind is int else "a number"
        raise ValueError(f"{value!r} is not {expected}") from None
