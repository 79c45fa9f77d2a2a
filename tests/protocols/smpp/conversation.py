"""What several conversations of a session say."""

from protocols.smpp.constants import DataCoding
from protocols.smpp.events import SubmitAnswered
from protocols.smpp.pdu import DeliverSm, SubmitSm

SM = SubmitSm(destination_addr=b"4915112345678", data_coding=DataCoding.DEFAULT, short_message=b"code 4711")
DLR = DeliverSm(esm_class=0x04, short_message=b"id:1 stat:DELIVRD")


def answered(context, status, message_id, tlvs, sequence, sent_at=1000.0, congestion=None) -> SubmitAnswered:
    """The answer to a submit sent when the conversation began."""
    return SubmitAnswered(context, status, message_id, tlvs, sequence, sent_at, congestion)
