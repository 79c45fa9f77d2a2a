"""What a user agent does with the torture messages of RFC 4475: nothing raises, it answers as the RFC says.

The agent takes calls, is no registrar and no proxy, and has sent nothing that a response could belong to.
"""

import pytest

from protocols.sip.agent import UserAgent
from protocols.sip.events import Flow, Invited
from tests.protocols.sip.test_torture import DROPPED, FOLDER, REFUSED, VALID

FLOW = Flow("udp", ("192.0.2.99", 5060), ("192.0.2.98", 5060))

CALLS = ("baddate", "esc01", "longreq")
"""Offered to the owner, after a 100."""

UNANSWERED = ("badinv01", "bcast", "bigcode", "noreason", "scalarlg", "unreason")
"""Responses to nothing of ours, and a request whose Via cannot be read."""

STATUSES = {
    "badaspec": 200,
    "badbranch": 200,
    "lwsdisp": 200,
    "semiuri": 200,
    "transports": 200,
    "zeromf": 200,
    "wsinv": 481,  # valid, but of a dialog that we have not
    "inv2543": 400,  # no Contact, without which there is no dialog
    "dblreq": 405,
    "cparam01": 405,
    "cparam02": 405,
    "escnull": 405,
    "mpart01": 405,
    "regaut01": 405,
    "regescrt": 405,
    "unksm2": 405,
    "sdp01": 406,
    "invut": 415,
    "novelsc": 416,
    "unkscm": 416,
    "bext01": 420,
    "esc02": 501,
    "intmeth": 501,
    **{name: status for name, (_, status, answerable) in REFUSED.items() if answerable},
}


def started() -> UserAgent:
    count = iter(range(10_000))
    return UserAgent(rng=lambda octets: next(count).to_bytes(octets, "big"), product="", accepts_calls=True)


def test_every_message_has_its_answer_here() -> None:
    assert sorted([*CALLS, *UNANSWERED, *STATUSES]) == sorted([*VALID, *REFUSED, *DROPPED])


@pytest.mark.rule("sip.torture")
@pytest.mark.parametrize("name", [*STATUSES, *UNANSWERED])
def test_the_status_is_the_one_of_the_rfc(name: str) -> None:
    agent = started()
    agent.receive((FOLDER / f"{name}.dat").read_bytes(), FLOW, 0.0)
    statuses = [int(data.split(b" ")[1]) for _, data in agent.data_to_send()]
    assert statuses == ([STATUSES[name]] if name in STATUSES else [])
    assert agent.calls == 0
    assert not any(isinstance(event, Invited) for event in agent.events())


@pytest.mark.rule("sip.torture")
@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_offered(name: str) -> None:
    agent = started()
    agent.receive((FOLDER / f"{name}.dat").read_bytes(), FLOW, 0.0)
    assert [data[:12] for _, data in agent.data_to_send()] == [b"SIP/2.0 100 "]
    assert [type(event) for event in agent.events()] == [Invited]
