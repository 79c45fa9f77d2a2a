"""The window and the link's timer alone."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.smpp.timers import Due, LinkTimer
from protocols.smpp.window import Window


def test_the_next_deadline_is_that_of_the_oldest_left():
    window = Window(5, 10.0, 5)
    assert window.next_deadline() is None
    for sequence in (1, 2, 3):
        window.add(sequence, f"context {sequence}", float(sequence))
    assert window.next_deadline() == 11.0
    assert window.take(1) == ("context 1", 1.0)
    assert window.next_deadline() == 12.0
    window.take(3)
    assert window.next_deadline() == 12.0
    assert window.contexts() == ["context 2"]
    assert window.expire(11.999) == []
    assert window.expire(12.0) == [(2, "context 2")]
    assert window.next_deadline() is None


def test_an_answer_is_taken_once():
    window = Window(5, 10.0, 5)
    window.add(1, None, 0.0)
    assert 1 in window
    assert window.take(1) == (None, 0.0)
    assert window.take(1) is None
    assert window.take_late(1) is None
    assert 1 not in window


@pytest.mark.rule("smpp.tombstones", "smpp.sequence-range")
def test_tombstones_keep_their_number_out_of_use_until_they_are_answered_or_pushed_out():
    window = Window(5, 1.0, 2)
    for sequence in (1, 2, 3):
        window.add(sequence, sequence * 10, 0.0)
    window.expire(1.0)
    assert [sequence in window for sequence in (1, 2, 3)] == [False, True, True]
    assert window.take_late(2) == (20,)
    assert window.take_late(2) is None
    window.clear()
    assert 3 not in window


@given(st.lists(st.integers(0, 3), max_size=60))
def test_a_window_does_what_a_plain_list_would(choices):
    window, model, numbers, now = Window(100, 5.0, 0), [], itertools.count(1), 0.0
    for choice in choices:
        if choice == 0:
            sequence = next(numbers)
            window.add(sequence, -sequence, now)
            model.append((sequence, now + 5.0))
        elif choice == 1 and model:
            sequence, deadline = model.pop(len(model) // 2)
            assert window.take(sequence) == (-sequence, deadline - 5.0)
        elif choice == 2:
            now += 1.0
        else:
            due = [(sequence, -sequence) for sequence, deadline in model if deadline <= now]
            model = [pair for pair in model if pair[1] > now]
            assert window.expire(now) == due
        assert len(window) == len(model)
        assert window.contexts() == [-sequence for sequence, _ in model]
        assert window.next_deadline() == (model[0][1] if model else None)


@pytest.mark.rule("smpp.link-dead")
def test_the_link_is_asked_after_one_silent_period_and_dead_after_two():
    timer = LinkTimer(30.0)
    timer.heard(100.0)
    assert (timer.next(), timer.due(129.9), timer.due(130.0)) == (130.0, Due.NOTHING, Due.ENQUIRE)
    timer.asked(130.0)
    assert (timer.next(), timer.due(159.9), timer.due(160.0)) == (160.0, Due.NOTHING, Due.DEAD)
    timer.heard(159.9)
    assert (timer.next(), timer.due(160.0)) == (189.9, Due.NOTHING)


def test_asking_twice_does_not_put_off_the_end():
    timer = LinkTimer(30.0)
    timer.asked(10.0)
    timer.asked(35.0)
    assert timer.due(40.0) is Due.DEAD
