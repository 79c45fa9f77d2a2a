"""The torture messages of RFC 4475, all 49 of them: each is read, or refused, as that RFC says.

torture/NAME.dat are the octets that the RFC's sections write out, under the names given there; of mpart01,
whose signature the RFC has as bare octets, the Identity header is left out and the signature is other octets
of the same length. Where the RFC leaves a choice, the table below says which one is ours.
"""

from pathlib import Path

import pytest

from protocols.sip.errors import MessageError
from protocols.sip.message import Message, Request, Response, parse, response_to

FOLDER = Path(__file__).parent / "torture"

VALID = {
    "wsinv": "3.1.1.1",
    "intmeth": "3.1.1.2",
    "esc01": "3.1.1.3",
    "escnull": "3.1.1.4",
    "esc02": "3.1.1.5",
    "lwsdisp": "3.1.1.6",
    "longreq": "3.1.1.7",
    "dblreq": "3.1.1.8",
    "semiuri": "3.1.1.9",
    "transports": "3.1.1.10",
    "mpart01": "3.1.1.11",
    "unreason": "3.1.1.12",
    "noreason": "3.1.1.13",
    # Liberal by choice: a Date that is not GMT is of no use to us, and spaces within <> hide nothing.
    "baddate": "3.1.2.12",
    "badaspec": "3.1.2.14",
    # What is wrong with these is above syntax: the transaction's, the UAS's, the registrar's to tell.
    "badbranch": "3.2.1",
    "unkscm": "3.3.2",
    "novelsc": "3.3.3",
    "unksm2": "3.3.4",
    "bext01": "3.3.5",
    "invut": "3.3.6",
    "regaut01": "3.3.7",
    "bcast": "3.3.10",
    "zeromf": "3.3.11",
    "cparam01": "3.3.12",
    "cparam02": "3.3.13",
    "regescrt": "3.3.14",
    "sdp01": "3.3.15",
    "inv2543": "3.4.1",
}
"""Read."""

REFUSED = {
    "badinv01": ("3.1.2.1", 400, False),
    "clerr": ("3.1.2.2", 400, True),
    "ncl": ("3.1.2.3", 400, True),
    "scalar02": ("3.1.2.4", 400, True),
    "quotbal": ("3.1.2.6", 400, True),
    "ltgtruri": ("3.1.2.7", 400, True),
    "lwsruri": ("3.1.2.8", 400, True),
    "lwsstart": ("3.1.2.9", 400, True),
    "trws": ("3.1.2.10", 400, True),
    "escruri": ("3.1.2.11", 400, True),
    "regbadct": ("3.1.2.13", 400, True),
    "baddn": ("3.1.2.15", 400, True),
    "badvers": ("3.1.2.16", 505, True),
    "mismatch01": ("3.1.2.17", 400, True),
    "mismatch02": ("3.1.2.18", 400, True),
    "insuf": ("3.3.1", 400, True),
    "multi01": ("3.3.8", 400, True),
    "mcl01": ("3.3.9", 400, True),
}
"""Requests that are refused: by which status, and whether they can be answered at all."""

DROPPED = {"scalarlg": "3.1.2.5", "bigcode": "3.1.2.19"}
"""Responses that are as if they had not come."""


def read(name: str) -> Message:
    return parse((FOLDER / f"{name}.dat").read_bytes())


def request(name: str) -> Request:
    message = read(name)
    assert isinstance(message, Request)
    return message


def response(name: str) -> Response:
    message = read(name)
    assert isinstance(message, Response)
    return message


def test_every_message_is_in_one_table() -> None:
    assert sorted([*VALID, *REFUSED, *DROPPED]) == sorted(path.stem for path in FOLDER.glob("*.dat"))
    assert len(VALID) + len(REFUSED) + len(DROPPED) == 49


@pytest.mark.rule("sip.torture")
@pytest.mark.parametrize("name", VALID)
def test_a_message_that_is_read_can_be_written_and_read_again(name: str) -> None:
    message = read(name)
    octets = message.encode()
    again = parse(octets)
    assert again.encode() == octets
    assert (again.via, again.cseq, again.call_id, again.from_, again.to, again.contact, again.body) == (
        message.via,
        message.cseq,
        message.call_id,
        message.from_,
        message.to,
        message.contact,
        message.body,
    )


@pytest.mark.rule("sip.torture")
@pytest.mark.parametrize(("name", "status", "answerable"), [(n, s, a) for n, (_, s, a) in REFUSED.items()])
def test_a_request_that_is_refused(name: str, status: int, answerable: bool) -> None:
    with pytest.raises(MessageError) as caught:
        read(name)
    assert caught.value.status == status
    answer = response_to(caught.value, "tag-1")
    assert (answer is not None) == answerable
    if answer is not None:
        assert answer.encode().startswith(f"SIP/2.0 {status} ".encode())


@pytest.mark.rule("sip.torture")
@pytest.mark.parametrize("name", DROPPED)
def test_a_response_that_is_dropped(name: str) -> None:
    with pytest.raises(MessageError) as caught:
        read(name)
    assert caught.value.partial is None


@pytest.mark.rule("sip.folded-headers", "sip.compact-headers")
def test_wsinv() -> None:
    message = request("wsinv")
    assert message.uri == "sip:vivekg@chair-dnrc.example.com;unknownparam"
    assert (message.to.uri, message.to.tag) == ("sip:vivekg@chair-dnrc.example.com", "1918181833n")
    assert (message.from_.display, message.from_.tag) == ('J Rosenberg \\"', "98asjd8")
    assert message.from_.uri == "sip:jdrosen@example.com"
    assert int(message.headers.get("Max-Forwards") or "") == 68
    assert message.cseq == (9, "INVITE")
    assert message.headers.get("Subject") == ""
    assert message.headers.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert message.headers.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    vias = [type(message.via).parse(value) for value in message.headers.all("Via")]
    assert [(via.transport, via.host, via.branch) for via in vias] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    assert message.via == vias[0]
    contact = message.contact
    assert contact is not None
    assert (contact.display, contact.uri) == ('Quoted string ""', "sip:jdrosen@example.com")
    assert [contact.param(name) for name in ("newparam", "secondparam", "q")] == ["newvalue", "", "0.33"]
    assert len(message.body) == 150


def test_intmeth() -> None:
    message = request("intmeth")
    assert message.method == message.cseq.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert message.via.branch == "z9hG4bK-.!%66*_+`'~"
    assert message.to.display == "BEL:\a NUL:\0 DEL:\x7f"
    uri = message.to.address()
    assert (uri.user, uri.host) == ("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*", "example.com")
    assert message.from_.display == "token1~` token2'+_ token3*%!.-"
    assert message.from_.param("fromparam''~+*_!.-%") == "работающий"
    assert message.from_.tag == "_token~1'+`*%!-."
    assert message.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
    assert message.headers.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"
    asked = uri.parse(message.uri)
    assert asked.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert asked.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"


def test_esc01() -> None:
    message = request("esc01")
    uri = message.to.address().parse(message.uri)
    assert (uri.scheme, uri.user, uri.host) == ("sip", "sips:user@example.com", "example.net")
    assert message.to.address().user == "user"
    assert message.from_.address().user == "I have spaces"
    assert message.contact is not None
    assert message.contact.address().user == "caller"
    assert message.contact.address().params == (("lr", None), ("name", "value%41"))
    assert message.headers.get("Content-Type") == "application/sdp"
    assert message.encode().startswith(b"INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0\r\n")


def test_escnull() -> None:
    message = request("escnull")
    assert message.to.address().user == "null-\0-null"
    assert message.headers.all("Contact") == ("<sip:%00@host5.example.com>", "<sip:%00%00@host5.example.com>")
    assert str(message.to.address()) == "sip:null-%00-null@example.com"
    assert b"\0" not in message.encode()


def test_esc02() -> None:
    message = request("esc02")
    assert message.method == "RE%47IST%45R"
    assert message.to.display == "%Z%45"
    assert message.via.branch == "z9hG4bK209%fzsnel234"
    assert len(message.headers.values("Contact")) == 2
    assert message.headers.get("C%6Fntact") == "<sip:alias2@host2.example.com>"


def test_lwsdisp() -> None:
    assert request("lwsdisp").from_[:2] == ("caller", "sip:caller@example.com")


def test_longreq() -> None:
    message = request("longreq")
    assert len(message.headers.all("Via")) == 34
    assert (message.via.host, message.via.branch) == ("sip33.example.com", None)
    assert message.to.display.startswith("I have a user name of extremeextreme")
    assert message.to.address().port == 6000
    assert len(message.body) == 150


def test_dblreq() -> None:
    message = request("dblreq")
    assert (message.method, message.body) == ("REGISTER", b"")
    assert b"INVITE" not in message.encode()


def test_semiuri() -> None:
    uri = request("semiuri").to.address().parse(request("semiuri").uri)
    assert (uri.user, uri.host, uri.params) == ("user;par=u@example.net", "example.com", ())
    assert len(request("semiuri").headers.all("Accept")) == 6


def test_transports() -> None:
    via = request("transports").via
    transports = [via.parse(value).transport for value in request("transports").headers.all("Via")]
    assert transports == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def test_mpart01() -> None:
    message = request("mpart01")
    assert len(message.body) == 553
    assert (FOLDER / "mpart01.dat").read_bytes().endswith(message.body)


def test_unreason() -> None:
    message = response("unreason")
    assert (message.status, message.reason) == (200, "= 2**3 * 5**2 но сто девяносто девять - простое")


def test_noreason() -> None:
    message = response("noreason")
    assert (message.status, message.reason) == (100, "")
    assert message.encode().startswith(b"SIP/2.0 100 \r\n")


def test_badaspec() -> None:
    assert request("badaspec").to[:2] == ("Watson, Thomas", "sip:t.watson@example.org")


@pytest.mark.parametrize("name", ["unkscm", "novelsc"])
def test_a_scheme_nobody_knows_is_read(name: str) -> None:
    message = request(name)
    uri = message.to.address().parse(message.uri)
    assert uri.scheme not in ("sip", "sips")
    assert str(uri).lower() == message.uri.lower()


def test_unksm2() -> None:
    message = request("unksm2")
    assert (message.to.uri, message.from_.uri) == ("isbn:2983792873", "http://www.example.com")
    assert message.contact is not None
    assert message.contact.uri == "name:John_Smith"


def test_cparam() -> None:
    header, uri = request("cparam01").contact, request("cparam02").contact
    assert header is not None
    assert uri is not None
    assert (header.params, header.address().params) == ((("unknownparam", None),), ())
    assert (uri.params, uri.address().params) == ((), (("unknownparam", None),))


def test_regescrt() -> None:
    contact = request("regescrt").contact
    assert contact is not None
    assert contact.address().headers == "Route=%3Csip:sip.example.com%3E"


def test_bcast() -> None:
    assert len(response("bcast").headers.all("Via")) == 2


def test_inv2543() -> None:
    message = request("inv2543")
    assert (message.via.branch, message.from_.tag, message.contact) == (None, None, None)
    assert message.to.params == (("user", "phone"),)
    assert message.body.endswith(b"RTP/AVP 0\r\n")
