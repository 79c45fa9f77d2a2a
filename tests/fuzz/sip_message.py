"""Reading a SIP message: any datagram is read or refused, and what was read is written as it was."""

from protocols.sip.errors import MessageError, RemoteProtocolError
from protocols.sip.headers import parse_rack, parse_reason, parse_retry_after, parse_session_expires
from protocols.sip.message import Limits, parse, response_to

LIMITS = Limits(message=2_000, headers=60, header=500, body=300)
BYE = b"BYE sip:h SIP/2.0\r\nv:SIP/2.0/UDP h\r\nf:sip:a@h;tag=1\r\nt:sip:b@h\r\ni:1\r\nCSeq:1 BYE\r\n"


def one_input(data: bytes) -> None:
    """As a datagram, and as the end of one that begins well."""
    for datagram in (data, BYE + data):
        try:
            message = parse(datagram, LIMITS)
        except MessageError as error:
            assert 400 <= error.status <= 699
            answer = response_to(error, "tag")
            if answer is not None:
                assert answer.via.host
                answer.encode()
            continue
        octets = message.encode()
        again = parse(octets)
        assert again.encode() == octets
        assert (again.via, again.cseq, again.call_id) == (message.via, message.cseq, message.call_id)
        assert (again.from_, again.to, again.contact) == (message.from_, message.to, message.contact)
        assert again.body == message.body
        for _, value in message.headers:
            parse_rack(value)
            parse_reason(value)
            parse_retry_after(value)
            parse_session_expires(value)
        try:
            uri = message.to.address()
        except RemoteProtocolError:
            continue
        assert uri.parse(str(uri)) == uri
