"""Reading one PDU: a message that can be written again, or a PduError, and nothing else."""

from protocols.smpp.errors import LocalProtocolError, PduError
from protocols.smpp.pdu import HEADER, decode, encode


def one_input(data: bytes) -> None:
    """Octets 0–3 the command_id, 4–7 the status, 8–11 the number; the rest is the body."""
    if len(data) < HEADER.size - 4:
        data = data.ljust(HEADER.size - 4, b"\0")
    frame = (len(data) + 4).to_bytes(4, "big") + data
    try:
        message = decode(frame)
    except PduError as error:
        assert error.status
        assert str(error)
        return
    assert str(message.pdu).isprintable()
    if message.pdu is None:
        return
    try:
        written = encode(message.pdu, sequence=message.sequence, status=message.status)
    except LocalProtocolError:
        return  # a peer may say in an address what we must not
    assert decode(written) == message
