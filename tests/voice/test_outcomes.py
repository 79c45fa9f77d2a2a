"""What the end of a call means: every row of the tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers.statuses import StatusClass
from connector.config.trunk import CallOutcome
from connector.voice.outcomes import (
    BY_HUNDRED,
    CAUSES,
    FINAL_WORD,
    POLICIES,
    RESULTS,
    STATUSES,
    CallClass,
    CallOutcomes,
    end_of,
)
from connector.voice.script import Result

USUAL = CallOutcomes()
CAUSE_OR_NONE = st.none() | st.integers(0, 127)


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_each_status_has_its_class(status: int, kind: CallClass) -> None:
    assert USUAL.classify(status) is kind
    assert USUAL.classify(status, 16) is kind  # normal clearing: says nothing
    assert USUAL.classify(status, provisional=True) is kind


@pytest.mark.rule("sip.status-user", "sip.status-number", "sip.status-never", "sip.status-503")
def test_the_statuses_that_matter_most() -> None:
    expected = {
        486: "busy", 480: "unreachable", 408: "unreachable", 404: "bad_number", 410: "bad_number",
        484: "bad_number", 604: "bad_number", 603: "never_again", 607: "never_again", 608: "never_again",
        503: "congested", 500: "congested", 403: "forbidden",
    }  # fmt: skip
    assert {status: str(USUAL.classify(status)) for status in expected} == expected
    assert POLICIES[CallClass.NEVER_AGAIN].redials == 0
    assert POLICIES[CallClass.CONGESTED].next_trunk
    assert POLICIES[CallClass.FORBIDDEN].alarm
    assert POLICIES[CallClass.BAD_NUMBER].refusal is StatusClass.PERMANENT
    assert not POLICIES[CallClass.BAD_NUMBER].next_trunk


@pytest.mark.parametrize("status", [302, 305, 380, 400, 415, 420, 499, 505, 580, 605, 699, 700])
def test_a_status_that_nobody_listed_goes_by_its_hundred(status: int) -> None:
    assert USUAL.classify(status) is STATUSES.get(status, BY_HUNDRED.get(status // 100, CallClass.PEER_FAULT))


@pytest.mark.rule("sip.no-redirect")
def test_a_redirection_is_a_refusal() -> None:
    assert USUAL.classify(302) is CallClass.NO_ROUTE


@pytest.mark.parametrize(("cause", "kind"), CAUSES.items())
@pytest.mark.rule("sip.reason-cause")
def test_each_cause_beats_the_status_that_a_gateway_made_of_it(cause: int, kind: CallClass) -> None:
    for status in (403, 404, 480, 486, 500, 503):
        assert USUAL.classify(status, cause) is kind
    for status in FINAL_WORD:
        assert USUAL.classify(status, cause) is STATUSES[status]


def test_480_tells_apart_by_its_cause() -> None:
    found = [USUAL.classify(480, cause) for cause in (None, 19, 20, 31)]
    assert found == ["unreachable", "no_answer", "unreachable", "unreachable"]


@given(st.integers(300, 699), CAUSE_OR_NONE)
@pytest.mark.rule("sip.redial")
def test_what_may_have_rung_and_has_no_end_is_never_dialled_again(status: int, cause: int | None) -> None:
    kind = USUAL.classify(status, cause, provisional=True, local=True)
    assert kind is CallClass.LOST
    policy = POLICIES[kind]
    assert (policy.end, policy.redials, policy.redial_after_s, policy.next_trunk) == (
        "unknown",
        0,
        None,
        False,
    )


@given(st.integers(300, 699), CAUSE_OR_NONE)
def test_what_nobody_took_goes_to_the_next_trunk(status: int, cause: int | None) -> None:
    kind = USUAL.classify(status, cause, local=True)
    assert kind is CallClass.NO_RESPONSE
    assert POLICIES[kind].next_trunk


@given(st.integers(300, 699), CAUSE_OR_NONE, st.booleans())
def test_every_end_has_a_class_with_a_policy(status: int, cause: int | None, provisional: bool) -> None:
    assert USUAL.classify(status, cause, provisional=provisional) in POLICIES


def test_a_trunks_file_has_the_last_word() -> None:
    own = CallOutcomes({"486": "congested", "603": "declined"})
    assert own.classify(486, 17) is CallClass.CONGESTED
    assert own.classify(603) is CallClass.DECLINED
    assert own.classify(480) is CallClass.UNREACHABLE
    assert own.classify(486, local=True, provisional=True) is CallClass.LOST


def test_the_words_of_a_trunks_file_are_classes() -> None:
    assert set(CallOutcome.__args__) <= set(CallClass)


@pytest.mark.parametrize("kind", CallClass)
def test_each_policy_agrees_with_itself(kind: CallClass) -> None:
    policy = POLICIES[kind]
    assert (policy.redial_after_s is None) == (policy.redials == 0)
    assert (policy.refusal is None) == (policy.end != "refused")
    assert policy.outcome == {"refused": "rejected"}.get(policy.end, policy.end)
    assert policy.reason == policy.reason.lower()
    assert policy.remedy.endswith(".")


@pytest.mark.parametrize(
    "kind", [CallClass.LOST, CallClass.NEVER_AGAIN, CallClass.DECLINED, *RESULTS.values()]
)
def test_nobody_is_called_twice_who_answered_or_said_no(kind: CallClass) -> None:
    assert POLICIES[kind].redials == 0
    assert not POLICIES[kind].next_trunk


def test_every_result_of_a_script_has_a_class() -> None:
    assert set(RESULTS) == set(Result.__args__)
    for result, kind in RESULTS.items():
        assert end_of(kind, delivered=True) == ("undelivered" if result == "machine" else "delivered")
        heard = result in ("delivered", "confirmed", "denied")
        assert end_of(kind, delivered=False) == ("delivered" if heard else "undelivered")
