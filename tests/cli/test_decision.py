"""Decisions as the journal keeps them, in words."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.cli import decision
from connector.cli.preview import print_decision
from connector.routing.decision import Decision, OfferRecord, Plan, Rule, Silent

NORTH = OfferRecord("north", 0.93, 1.0, 36.2, 0.0)
EAST = OfferRecord("east", 0.91, 1.4, 35.0, 0.0)


def stored(rule: str, chosen: str, *offers: OfferRecord, **fields: Any) -> Any:
    """As `why` gets it: JSON there and back. Offers with a utility are the candidates."""
    names = tuple(offer.route for offer in offers if offer.utility is not None) or (chosen,)
    made = Decision(rule, chosen, names, offers=offers, **fields)  # type: ignore[arg-type]
    return msgspec.json.decode(msgspec.json.encode(made))


def test_the_best_is_told_with_what_the_others_would_have_been_worth() -> None:
    words = decision.reason(stored("best_utility", "north", NORTH, EAST), "sms")
    assert words == "north 93 % in time for 1.0, east 91 % for 1.4: north is worth more"


@pytest.mark.parametrize(
    ("offers", "verdict"),
    [
        ((NORTH, OfferRecord("east", 0.93, 1.0, 36.2)), "north is worth about as much and comes first"),
        ((NORTH, OfferRecord("east", 0.95, 1.75, 36.25)), "north is worth about as much and is cheaper"),
        ((NORTH,), ""),
    ],
)
def test_what_decided(offers: tuple[OfferRecord, ...], verdict: str) -> None:
    told = decision.reason(stored("best_utility", "north", *offers), "sms")
    assert told.partition(": ")[2] == verdict


def test_the_draw_is_told_where_it_decided() -> None:
    words = decision.reason(stored("best_utility", "east", NORTH, EAST, draw=0.043), "sms")
    assert words.endswith(": the draw moved the chance of east by +4.3 points, and that decided")


def test_a_queue_and_what_else_is_known_are_told() -> None:
    waits = OfferRecord("east", 0.999, 0.35, 39.0, 2.04, "receipts in doubt")
    words = decision.reason(stored("only_candidate", "east", waits), "sms")
    assert words == (
        "east 99.9 % in time for 0.35 after 2.0 s in its queue (receipts in doubt); nobody else could take it"
    )


def test_many_candidates_are_cut_short() -> None:
    offers = [OfferRecord(f"route{n}", 0.5, 1.0, 19.0 - n) for n in range(40)]
    words = decision.reason(stored("best_utility", "route0", *offers), "sms")
    assert words.count("%") == 6
    assert words.endswith(" and 34 more: route0 is worth more")


def test_a_trial_tells_what_is_the_matter() -> None:
    broken = OfferRecord("north", reason="breaker open for 12 s: no receipts in time")
    words = decision.reason(stored("trial", "north", broken), "sms")
    assert words == (
        "a trial: north gets a few messages that show whether it works again; breaker open for 12 s: no "
        "receipts in time"
    )


def test_a_priority_is_told_with_the_chance_and_with_who_had_none() -> None:
    record = stored("priority", "north", NORTH, OfferRecord("south", reason="another priority"))
    assert decision.reason(record, "sms") == ("north comes first by its priority; north 93 % in time for 1.0")
    assert list(decision.no_candidates(record)) == ["south was no candidate: another priority"]


SILENT = Silent("north", 6.2, 0.31, 0.88, 6.1)


def test_a_follow_up_tells_what_was_known() -> None:
    record = stored("follow_up", "east", OfferRecord("east", 0.88, 1.4, 19.6), silent=SILENT)
    known = (
        "north has been silent for 6.2 s: its chance fell to 31 %; east would make it with 88 %; "
        "so it went by east as well"
    )
    assert decision.reason(record, "sms") == known
    assert decision.reason(record, "voice").endswith("; so east calls as well")


def test_a_follow_up_among_several_tells_the_others_and_when_it_was_planned() -> None:
    silent = msgspec.structs.replace(SILENT, planned_at_s=9.8)
    offers = OfferRecord("east", 0.88, 1.4, 19.6), OfferRecord("west", 0.4, 1.0, 4.0)
    words = decision.reason(stored("follow_up", "east", *offers, silent=silent), "sms")
    assert words.startswith("north has been silent for 6.2 s (planned for 9.8 s): its chance fell to 31 %;")
    assert words.endswith("as well (east 88 % in time for 1.4, west 40 % for 1.0: east is worth more)")


def test_who_was_no_candidate_and_why() -> None:
    refused = OfferRecord("west", reason="breaker open for 12 s: silent"), OfferRecord("south")
    record = stored("only_candidate", "north", NORTH, *refused)
    assert list(decision.no_candidates(record)) == [
        "west was no candidate: breaker open for 12 s: silent",
        "south was no candidate: too late for the deadline",
    ]


def test_the_plan() -> None:
    record = stored("best_utility", "north", NORTH, EAST, plan=Plan(6.42, "east"))
    assert decision.plan(record) == "if nothing is heard of it for 6.4 s, east is to try as well"
    at_once = stored("best_utility", "north", NORTH, EAST, plan=Plan(0.0, "east"))
    assert decision.plan(at_once) == "east is to try at once as well"
    assert decision.plan(stored("best_utility", "north", NORTH, EAST)) is None


@pytest.mark.parametrize("rule", get_args(Rule))
def test_every_rule_has_its_words(rule: str) -> None:
    for offers in ((), (NORTH, EAST)):
        words = decision.reason(stored(rule, "north", *offers, step=1), "sms")
        assert "by the rule" not in words
        assert "north" in words


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (
            {"rule": "only_candidate", "candidates": ["north"], "chosen": "north"},
            "north was the only carrier with room that had not refused it",
        ),
        (
            {"rule": "priority_then_room", "candidates": ["north", "south"], "chosen": "north"},
            "north out of north, south: the lowest priority, among equals the most room",
        ),
        (
            {"rule": "by_the_stars", "candidates": ["north", "south"], "chosen": "north"},
            "north out of north, south by the rule by_the_stars",
        ),
    ],
)
def test_records_of_older_and_newer_daemons(record: dict[str, Any], words: str) -> None:
    assert decision.reason(record, "sms") == words
    assert list(decision.no_candidates(record)) == []
    assert decision.plan(record) is None


@pytest.mark.parametrize(
    ("p", "words"),
    [(0.0, "0.0 %"), (0.004, "0.4 %"), (0.01, "1 %"), (0.937, "94 %"), (0.9961, "99.6 %"), (1.0, "100.0 %")],
)
def test_chances(p: float, words: str) -> None:
    assert decision.chance(p) == words


def test_a_preview_shows_all_routes_and_what_decided(capsys: pytest.CaptureFixture[str]) -> None:
    waits = OfferRecord("west", 0.7, 0.35, 27.65, 3.0, "receipts in doubt")
    down = OfferRecord("south", reason="no bind")
    print_decision(stored("best_utility", "north", NORTH, EAST, waits, down, plan=Plan(6.42, "east")))
    assert capsys.readouterr().out.splitlines() == [
        "",
        "ROUTE  IN TIME  PRICE  UTILITY  NOTES",
        "north  93 %     1.0    36.2",
        "east   91 %     1.4    35.0",
        "west   70 %     0.35   27.6     receipts in doubt; 3.0 s in its queue",
        "south  -        -      -        no bind",
        "",
        (
            "north 93 % in time for 1.0, east 91 % for 1.4, west 70 % for 0.35 after 3.0 s in its queue "
            "(receipts in doubt): north is worth more"
        ),
        "if nothing is heard of it for 6.4 s, east is to try as well",
    ]


NAMES = st.sampled_from(("north", "east", "south", "west"))
CHANCES = st.floats(0.0, 1.0)
SECONDS = st.floats(0.0, 1e6)
DECISIONS = st.builds(
    Decision,
    rule=st.sampled_from(get_args(Rule)),
    chosen=NAMES,
    candidates=st.lists(NAMES, unique=True).map(tuple),
    step=st.integers(0, 15),
    draw=st.none() | st.floats(-1.0, 1.0),
    offers=st.lists(
        st.builds(OfferRecord, NAMES, reason=st.sampled_from(("", "no bind")))
        | st.builds(OfferRecord, NAMES, CHANCES, SECONDS, st.floats(-1e6, 1e6), SECONDS, st.just("")),
        unique_by=lambda offer: offer.route,
    ).map(tuple),
    silent=st.none() | st.builds(Silent, NAMES, SECONDS, CHANCES, CHANCES, SECONDS),
    plan=st.none() | st.builds(Plan, SECONDS, NAMES),
)


@given(made=DECISIONS, channel=st.sampled_from(("sms", "voice")))
def test_whatever_was_decided_can_be_told(made: Decision, channel: str) -> None:
    record = msgspec.json.decode(msgspec.json.encode(made))
    words = decision.reason(record, channel)
    assert words and "None" not in words
    told = {line.partition(" ")[0] for line in decision.no_candidates(record)}
    assert told == {offer.route for offer in made.offers} - set(made.candidates)
    assert (decision.plan(record) is None) == (made.plan is None)
