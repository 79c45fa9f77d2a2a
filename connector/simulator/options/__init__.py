"""Everything the simulated carrier can be told to do, declared once.

The command line, the control port and the tests all read this one declaration: each option carries its
own help text, range and choices. The groups it consists of stand in the modules beside this one.
"""

from __future__ import annotations

from dataclasses import dataclass

from .addresses import AddressOptions
from .binds import BindOptions
from .declared import Declared, parsed_as, takes_of
from .faults import FaultOptions
from .receipts import ReceiptOptions
from .services import ServiceOptions
from .takes import OptionError, Takes
from .text import TextOptions
from .throughput import ThroughputOptions
from .values import Names, Pairs

__all__ = ["DEFAULTS", "OPTIONS", "Names", "OptionError", "Pairs", "SmscOptions", "Takes", "parse"]


# Fields come in the reverse of this order. Slots: they are read many times a message.
@dataclass(frozen=True, slots=True)
class SmscOptions(
    Declared,
    ServiceOptions,
    FaultOptions,
    ReceiptOptions,
    AddressOptions,
    TextOptions,
    ThroughputOptions,
    BindOptions,
):
    """How the simulated carrier behaves. Times are seconds; shares lie in 0…1; 0 turns a fault off.

    Raises OptionError when a value is out of its range.
    """


OPTIONS: dict[str, Takes] = takes_of(SmscOptions)
"""What each option of SmscOptions takes, in the order of the declaration."""

DEFAULTS = SmscOptions()


def parse(name: str, value: object) -> object:
    """`value` (text, number or already right) as the type of option `name`. Raises OptionError."""
    return parsed_as(SmscOptions, name, value)
