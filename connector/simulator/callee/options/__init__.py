"""Everything the simulated callee can be told to do, declared once.

The command line, the control port and the tests all read this one declaration. All but `SERVER_WIDE` may
differ from one dialled number to the next.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from connector.simulator.options import Names, OptionError, Takes
from connector.simulator.options.declared import Declared, parsed_as, takes_of

from .answering import AnsweringOptions
from .challenge import ChallengeOptions
from .dialogs import DialogOptions
from .faults import FaultOptions
from .media import MediaOptions
from .server import ServerOptions

__all__ = [
    "DEFAULTS",
    "OPTIONS",
    "SERVER_WIDE",
    "CalleeOptions",
    "Names",
    "OptionError",
    "Takes",
    "line_changes",
    "parse",
]


# Fields come in the reverse of this order.
@dataclass(frozen=True)
class CalleeOptions(
    Declared, ServerOptions, FaultOptions, ChallengeOptions, DialogOptions, MediaOptions, AnsweringOptions
):
    """How the callee behaves. Times are seconds; shares lie in 0…1; 0 turns a fault off.

    Raises OptionError when a value is out of its range.
    """


OPTIONS: dict[str, Takes] = takes_of(CalleeOptions)
"""What each option of CalleeOptions takes, in the order of the declaration."""

DEFAULTS = CalleeOptions()

SERVER_WIDE = frozenset(field.name for field in dataclasses.fields(ServerOptions))
"""Options that no number can have for itself."""


def parse(name: str, value: object) -> object:
    """`value` (text, number or already right) as the type of option `name`. Raises OptionError."""
    return parsed_as(CalleeOptions, name, value)


def line_changes(changes: dict[str, object]) -> dict[str, object]:
    """`changes` for one number, checked and parsed. Raises OptionError."""
    for name in changes:
        if name in SERVER_WIDE:
            raise OptionError(f"{name}: is the whole server's, no number has it for itself")
    changed = DEFAULTS.changed(changes)
    return {name: getattr(changed, name) for name in changes}
