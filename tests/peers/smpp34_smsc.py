"""An SMSC made of smpp34's server, in a process of its own because it may abort when the interpreter ends.

usage: python smpp34_smsc.py PORT; tells what it parsed as JSON lines on stdout.
"""

import asyncio
import json
import sys
from typing import Any

import smpp34

RECEIPT_S = 0.05
DELIVERED = b"\x02"


def tell(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


async def send_receipt(session: smpp34.Esme, submit: smpp34.SubmitSmEvent, message_id: str) -> None:
    """A receipt without any text: its TLVs say everything."""
    await asyncio.sleep(RECEIPT_S)
    try:
        answer = await session.deliver_sm(
            submit.source_addr,
            source_addr=submit.destination_addr,
            source_addr_ton=submit.dest_addr_ton,
            source_addr_npi=submit.dest_addr_npi,
            dest_addr_ton=submit.source_addr_ton,
            dest_addr_npi=submit.source_addr_npi,
            esm_class=0x04,
            tlvs=[
                smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0"),
                smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, DELIVERED),
            ],
        )
    except smpp34.SmppError as error:
        tell("receipt_failed", id=message_id, error=str(error))
    else:
        tell("receipt_answered", id=message_id, status=answer.command_status)


async def serve(port: int) -> None:
    server = smpp34.Server("127.0.0.1", port, system_id="smpp34")
    await server.start()
    tell("listening", port=port)
    receivers: dict[str, smpp34.Esme] = {}
    receipts: set[asyncio.Task[None]] = set()
    submits = 0
    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            tell("bind", system_id=event.system_id, can_receive=event.can_receive)
            if event.can_receive:
                receivers[event.session_id] = event
        elif isinstance(event, smpp34.Unbound):
            tell("unbind")
            receivers.pop(event.session_id, None)
        else:
            submits += 1
            message_id = f"smpp34-{submits:06}"
            tell(
                "submit",
                id=message_id,
                source=event.source_addr,
                source_ton=event.source_addr_ton,
                source_npi=event.source_addr_npi,
                destination=event.destination_addr,
                dest_ton=event.dest_addr_ton,
                dest_npi=event.dest_addr_npi,
                esm_class=event.esm_class,
                data_coding=event.data_coding,
                registered_delivery=event.registered_delivery,
                short_message=event.short_message.hex(),
            )
            event.accept(message_id)
            task = asyncio.create_task(send_receipt(next(iter(receivers.values())), event, message_id))
            receipts.add(task)
            task.add_done_callback(receipts.discard)


asyncio.run(serve(int(sys.argv[1])))
