"""What a command_status means for a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers.statuses import Verdict, classify, refusal
from protocols.smpp.constants import Status


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (Status.ESME_RTHROTTLED, Verdict.HERE_LATER),
        (Status.ESME_RMSGQFUL, Verdict.HERE_LATER),
        (Status.ESME_RSYSERR, Verdict.NOT_NOW),
        (Status.ESME_RX_T_APPN, Verdict.NOT_NOW),
        (Status.ESME_RSUBMITFAIL, Verdict.NOT_NOW),
        (Status.ESME_RUNKNOWNERR, Verdict.NOT_NOW),
        (Status.ESME_RINVSRCADR, Verdict.OTHER_ROUTE),
        (Status.ESME_RINVDSTADR, Verdict.OTHER_ROUTE),
        (0x61, Verdict.OTHER_ROUTE),
        (0x62, Verdict.OTHER_ROUTE),
        (0x65, Verdict.OTHER_ROUTE),
        (0xC3, Verdict.OTHER_ROUTE),
        (0xC4, Verdict.OTHER_ROUTE),
        (Status.ESME_RINVMSGLEN, Verdict.NOWHERE),
        (0x042A, Verdict.OTHER_ROUTE),
    ],
)
def test_verdicts(status: int, verdict: Verdict) -> None:
    assert classify(status) is verdict


@given(st.integers(1, 0xFFFFFFFF))
def test_any_status_has_a_verdict_and_words(status: int) -> None:
    assert isinstance(classify(status), Verdict)
    assert refusal(status).startswith("refused: ")


def test_vendors_statuses_are_named_by_their_number() -> None:
    assert refusal(0x042A) == "refused: 0x0000042A"
    assert refusal(Status.ESME_RINVDSTADR) == "refused: ESME_RINVDSTADR"
