"""What a command_status means for a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers.statuses import StatusClass, Statuses, refusal
from protocols.smpp.constants import Status


@pytest.mark.rule(
    "smpp.status-transient",
    "smpp.status-ambiguous",
    "smpp.status-this-route",
    "smpp.status-every-route",
    "smpp.vendor-statuses",
)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status.ESME_RTHROTTLED, StatusClass.THROTTLED),
        (Status.ESME_RMSGQFUL, StatusClass.THROTTLED),
        (Status.ESME_RSYSERR, StatusClass.TRANSIENT),
        (Status.ESME_RX_T_APPN, StatusClass.TRANSIENT),
        (Status.ESME_RSUBMITFAIL, StatusClass.AMBIGUOUS),
        (Status.ESME_RUNKNOWNERR, StatusClass.AMBIGUOUS),
        (Status.ESME_RINVSRCADR, StatusClass.PERMANENT_HERE),
        (Status.ESME_RINVDSTADR, StatusClass.PERMANENT_HERE),
        (0x61, StatusClass.PERMANENT_HERE),
        (0x62, StatusClass.PERMANENT_HERE),
        (0x65, StatusClass.PERMANENT_HERE),
        (0xC3, StatusClass.PERMANENT_HERE),
        (0xC4, StatusClass.PERMANENT_HERE),
        (Status.ESME_RINVMSGLEN, StatusClass.PERMANENT),
        (0x042A, StatusClass.PERMANENT_HERE),
    ],
)
def test_classes(status: int, kind: StatusClass) -> None:
    assert Statuses({}).classify(status) is kind


@pytest.mark.rule("smpp.vendor-statuses", "smpp.plain-numbers")
@given(st.integers(1, 0xFFFFFFFF))
def test_any_status_has_a_class_and_words(status: int) -> None:
    assert isinstance(Statuses({}).classify(status), StatusClass)
    assert refusal(status).startswith("refused: ")


def test_vendors_statuses_are_named_by_their_number() -> None:
    assert refusal(0x042A) == "refused: 0x0000042A"
    assert refusal(Status.ESME_RINVDSTADR) == "refused: ESME_RINVDSTADR"


@pytest.mark.rule("smpp.status-per-carrier")
def test_a_carriers_own_table_goes_first() -> None:
    statuses = Statuses({"0x0000040B": "permanent", "0x45": "transient"})
    assert statuses.classify(0x40B) is StatusClass.PERMANENT
    assert statuses.classify(Status.ESME_RSUBMITFAIL) is StatusClass.TRANSIENT
    assert statuses.classify(Status.ESME_RTHROTTLED) is StatusClass.THROTTLED
