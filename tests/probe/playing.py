"""A step played against a carrier of a few lines: no connection, no clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from connector.config import CarrierFile
from connector.probe.finding import Finding
from connector.probe.known import Known
from connector.probe.trial import Answer, Asked, Exchange, Opened, Send, Talk, Trial
from protocols.smpp.pdu import DeliverSm, SubmitSm

TO = "+491511234567"


def known(**tables: Any) -> Known:
    account = {"host": "127.0.0.1", "port": 2775, "system_id": "probe", "password_file": "password"}
    data = {"account": account, "binds": {"tps": 10}, **tables}
    return Known(msgspec.convert(data, CarrierFile), to=TO, now_unix=1_800_000_000.0)


def loop(text: str, data_coding: int = 8) -> DeliverSm:
    """What a handset that shows `text` sends back."""
    return DeliverSm(
        source_addr=TO[1:].encode(), data_coding=data_coding, short_message=text.encode("utf-16-be")
    )


def receipt(text: bytes, **parameters: Any) -> DeliverSm:
    return DeliverSm(**({"source_addr": TO[1:].encode(), "esm_class": 4, "short_message": text} | parameters))


Behaviour = Callable[[SubmitSm, int], tuple[int, list[DeliverSm]]]
"""A submit and its number (from 1) to its status and what comes of it. Its message id is the number."""


def play(
    talk: Talk, behaves: Behaviour, opens: Callable[[], int] = lambda: 0, asked: int = 0
) -> dict[str, Finding]:
    """The findings by key; requests other than Send, Open and Ask are answered by None."""
    count = 0

    def exchange(trial: Trial) -> Exchange:
        nonlocal count
        result = Exchange(trial)
        for pdu in trial.pdus:
            count += 1
            status, delivers = behaves(pdu, count)
            message_id = b"" if status else b"%d" % (1000 + count)
            result.answers.append(Answer(status, message_id, (), float(count), float(count)))
            result.deliveries += delivers
        return result

    came: Any = None
    while True:
        try:
            request = talk.send(came)
        except StopIteration as end:
            return {finding.key: finding for finding in end.value}
        name = type(request).__name__
        if isinstance(request, Send):
            came = [exchange(trial) for trial in request.trials]
        elif name == "Open":
            came = Opened(opens(), 0x34)
        elif name == "Ask":
            came = Asked(asked, None)
        else:
            came = None
