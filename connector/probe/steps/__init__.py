"""What the probe tries, in this order: later steps send by what earlier ones have found."""

from __future__ import annotations

from connector.probe.steps.alphabets import alphabets
from connector.probe.steps.binding import bind, bind_count, pauses
from connector.probe.steps.conditions import destinations, senders, validities, vendor_parameters
from connector.probe.steps.first_message import first_message
from connector.probe.steps.load import rate, window
from connector.probe.steps.long_messages import flash, long_messages
from connector.probe.steps.national import national
from connector.probe.steps.operations import operations
from connector.probe.steps.receipts import RECEIPT_KEYS, receipts
from connector.probe.trial import Step

__all__ = ["SLOW_STEPS", "STEPS"]

STEPS: tuple[Step, ...] = (
    Step("bind", "bind", ("binds.mode", "account.interface_version"), bind),
    Step("first message", "a first message", (), first_message),
    Step("receipts", "receipts and message ids", RECEIPT_KEYS, receipts),
    Step("window", "messages without answer", ("binds.window",), window),
    Step("rate", "messages a second", ("binds.tps", "binds.rate_scope"), rate),
    Step("alphabets", "alphabets", ("text.alphabets",), alphabets),
    Step("national", "national tables", ("text.national_tables", "text.national_shifts"), national),
    Step("long", "long messages", ("text.long_message",), long_messages),
    Step("flash", "flash", ("text.flash",), flash),
    Step("validity", "validity", ("validity.form",), validities),
    Step("senders", "sender ids", ("source.kinds", "source.alphanumeric_max"), senders),
    Step("destinations", "destinations", ("destination.form",), destinations),
    Step("parameters", "vendor parameters", ("tlvs",), vendor_parameters),
    Step("operations", "query and cancel", ("supports.query_sm", "supports.cancel_sm"), operations),
    Step("binds", "number of binds", ("binds.count",), bind_count),
)

SLOW_STEPS: tuple[Step, ...] = (
    Step("spacing", "pauses between binds", ("binds.spacing_s", "backoff.ghost_s"), pauses),
)
"""Only when asked for: a ghost of a session may take minutes to die."""
