"""Reading a receipt: any deliver_sm is one or is none, and what stands right of text: has no say."""

from datetime import UTC, datetime

from protocols.smpp.constants import Tag
from protocols.smpp.id_keys import lookup_keys, stored_key
from protocols.smpp.pdu import DeliverSm
from protocols.smpp.receipt import Grammar, ReceiptState, parse, read_date
from protocols.smpp.tlv import decode_all

OTHER = Grammar(id_key=b"msgid", prefer="text", unflagged="mo", words={b"OK": ReceiptState.DELIVERED})
NEAR = datetime(2026, 1, 1, tzinfo=UTC)
INJECTED = b"id:0 stat:REJECTD done date:2601010000 err:999"


def one_input(data: bytes) -> None:
    """Octet 0 is esm_class, octet 1 the length of the text; what follows the text are TLVs."""
    head, rest = data[:2].ljust(2, b"\0"), data[2:]
    text, options = rest[: head[1]], rest[head[1] :]
    tlvs, _ = decode_all(options, 0)
    pdu = DeliverSm(esm_class=head[0], short_message=text, tlvs=tlvs)
    other = parse(pdu, OTHER)
    told = {tag for tag, _ in tlvs} & {Tag.RECEIPTED_MESSAGE_ID, Tag.MESSAGE_STATE}
    assert other is None or told or head[0] & 0x3C in (0x04, 0x20)
    receipt = parse(pdu)
    if receipt is None:
        return
    assert receipt.intermediate is (head[0] & 0x3C == 0x20)
    assert not (receipt.final and receipt.intermediate)
    for date in (receipt.submit_date, receipt.done_date):
        read_date(date, NEAR)
    keys = lookup_keys(receipt.message_id)
    assert keys[0] == ("same", stored_key(receipt.message_id))
    assert len({key for _, key in keys}) == len(keys)

    if text and all(tag != Tag.MESSAGE_PAYLOAD for tag, _ in tlvs) and b"text:" in text.lower():
        injected = parse(DeliverSm(esm_class=head[0], short_message=text + INJECTED, tlvs=tlvs))
        assert injected is not None
        assert (injected.message_id, injected.state, injected.err) == (
            receipt.message_id, receipt.state, receipt.err,
        )  # fmt: skip
