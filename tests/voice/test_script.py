"""Calls as conversations: what the listener does, and what he hears."""

import pytest

from connector.config.voice import ScriptSettings
from connector.model import Voice
from connector.segments import Digits, Text
from connector.voice.flow import WAITS, State
from connector.voice.prompts import CallAgent, Code, Message, PhraseRef
from connector.voice.script import AGENT_TRIES, LONGEST_S, WRONG_KEYS, Script
from tests.voice.listening import MESSAGE, VOICE, Listener

AGENT = "sip:agent@agents.example"
GATED = ScriptSettings(repeats=1)
OPEN = ScriptSettings(gate=False, repeats=1)
RISK = ScriptSettings(kind="risk", gate=False, repeats=1, agent=AGENT)
NOTICE = ScriptSettings(kind="message", gate=False, repeats=0)


def started(settings: ScriptSettings) -> Listener:
    return Listener(settings).answer().audio()


def test_a_code_is_said_after_the_gate_and_repeated_on_request() -> None:
    call = started(GATED).hear_all()
    assert call.said == ["greeting", "gate"]
    call.press("1").hear_all()
    assert call.said[2:] == ["code_intro", "code", "menu"]
    assert call.script.delivered
    call.press("1").hear_all().wait().hear_all()
    assert call.said[5:] == ["again", "code", "menu", "goodbye"]
    assert (call.hung_up, call.script.result) == (True, "delivered")


@pytest.mark.rule("sip.speak-after-answer", "sip.provisional-no-answer")
def test_nothing_is_said_before_the_answer_and_its_media() -> None:
    call = Listener(GATED).audio().press("1")
    assert call.said == []
    call.answer()
    assert (call.said, call.script.next_timer()) == ([], 0.5)
    assert call.audio().said == ["greeting"]
    assert Listener(GATED).answer().wait().said == ["greeting"]
    assert WAITS[State.SETTLING] == 0.5


def test_who_knows_the_call_barges_in() -> None:
    call = started(GATED).press("1")
    assert call.said == ["greeting", "code_intro"]
    assert call.hear_all().press("1").said[-1] == "again"


def test_a_second_press_at_the_gate_does_not_cut_the_code() -> None:
    call = started(GATED).hear_all().press("111")
    assert call.hear_all().whole[-3:] == ["code_intro", "code", "menu"]


def test_silence_at_the_gate_repeats_it_and_then_ends_the_call() -> None:
    call = started(GATED).hear_all().wait().hear_all().wait().hear_all()
    assert call.said == ["greeting", "gate", "gate", "goodbye"]
    assert (call.hung_up, call.script.result, call.script.delivered) == (True, "no_input", False)


def test_wrong_keys_are_ignored_politely_and_counted() -> None:
    call = started(GATED).hear_all().press("7" * WRONG_KEYS)
    assert call.said == ["greeting", "gate"]
    call.press("7").hear_all()
    assert call.said[-1] == "goodbye"
    assert call.script.result == "refused_by_listener"


def test_keys_that_nobody_asked_for_cost_nothing() -> None:
    call = started(GATED).press("#" * 50).hear_all().press("1").press("7" * 50).hear_all()
    assert call.whole == ["greeting", "gate", "code_intro", "code", "menu"]


@pytest.mark.rule("rtp.machine-no-code")
def test_a_machine_is_hung_up_on() -> None:
    call = started(OPEN).verdict("machine")
    assert (call.hung_up, call.script.result, call.said) == (True, "machine", ["greeting"])
    call = started(GATED).verdict("beep")
    assert (call.hung_up, call.script.result, call.said) == (True, "machine", ["greeting"])


def test_behind_a_gate_what_sounds_like_a_machine_is_asked_once() -> None:
    call = started(GATED).verdict("machine").hear_all()
    assert (call.hung_up, call.said) == (False, ["greeting", "gate"])
    call.wait()
    assert (call.hung_up, call.script.result, call.said) == (True, "machine", ["greeting", "gate"])


def test_a_human_who_sounded_like_a_machine_gets_his_code() -> None:
    call = started(GATED).verdict("machine").hear_all().press("1").hear_all()
    assert call.whole[-3:] == ["code_intro", "code", "menu"]
    assert call.script.delivered


@pytest.mark.rule("rtp.machine-no-code")
def test_a_machine_gets_the_greeting_after_its_beep_and_no_code() -> None:
    call = started(ScriptSettings(gate=False, machine="greet")).verdict("machine")
    assert call.playing is None
    call.press("1").verdict("beep").hear_all()
    assert call.said == ["greeting", "greeting"]
    assert (call.hung_up, call.script.result, call.script.delivered) == (True, "machine", False)


def test_a_machine_that_never_beeps_is_hung_up_on() -> None:
    call = started(ScriptSettings(gate=False, machine="greet")).verdict("machine").verdict("machine").wait()
    assert (call.hung_up, call.script.result) == (True, "machine")
    assert call.now == WAITS[State.AWAITING_BEEP]


@pytest.mark.rule("rtp.machine-no-code")
def test_without_a_gate_the_code_waits_for_the_detector() -> None:
    call = started(OPEN).hear(1.0)
    assert (call.script.state, call.playing) == (State.HEARKENING, None)
    assert call.script.next_timer() == 4.0
    assert call.verdict("human").playing == PhraseRef("code_intro")
    early = started(OPEN).verdict("human").hear(1.0)
    assert early.playing == PhraseRef("code_intro")
    assert started(OPEN).hear(1.0).wait().said[-1] == "code_intro"


def test_a_beep_makes_a_machine_of_a_human_and_takes_the_delivery_back() -> None:
    call = started(OPEN).verdict("human").hear_all()
    assert call.script.delivered
    call.verdict("beep")
    assert (call.hung_up, call.script.result, call.script.delivered) == (True, "machine", False)


def test_who_has_pressed_a_key_is_no_machine() -> None:
    call = started(GATED).press("1")
    assert not call.listening
    call.verdict("machine").verdict("beep").hear_all()
    assert call.whole[-1] == "menu"


@pytest.mark.parametrize(
    ("heard", "result"), [(0, "hung_up_early"), (1, "hung_up_early"), (2, "refused_by_listener")]
)
def test_hanging_up_before_the_code(heard: int, result: str) -> None:
    call = started(GATED)
    for _ in range(heard):
        call.hear()
    call.hang_up()
    assert (call.script.result, call.script.delivered, call.hung_up) == (result, False, False)


def test_hanging_up_within_the_code_is_not_delivered_and_after_it_is() -> None:
    call = started(GATED).press("1").hear()
    assert call.playing == Code("482917")
    assert call.hang_up().script.result == "hung_up_early"
    call = started(GATED).press("1").hear().hear().hang_up()
    assert (call.script.result, call.script.delivered) == ("delivered", True)


def test_an_agent_is_bridged_in() -> None:
    call = started(ScriptSettings(agent=AGENT)).hear_all().press("1").hear_all().press("0")
    assert (call.said[-1], call.agents) == ("connecting", 0)
    call.hear().agent(True)
    assert (call.agents, call.script.next_timer(), call.hung_up) == (1, None, False)
    call.press("12").hang_up()
    assert (call.script.result, call.script.delivered) == ("transferred", True)


def test_after_the_agent_has_hung_up_there_is_a_goodbye() -> None:
    call = started(ScriptSettings(agent=AGENT)).press("10").hear().agent(True).agent(False).hear()
    assert (call.said[-1], call.hung_up, call.script.result) == ("goodbye", True, "transferred")


def test_an_agent_who_took_over_by_refer_leaves_us_nothing_to_do() -> None:
    settings = ScriptSettings(agent=AGENT, transfer="refer")
    call = started(settings).press("10").hear().agent(True)
    assert (call.hung_up, call.script.result) == (True, "transferred")


def test_an_agent_who_cannot_be_reached_leads_back_to_the_menu() -> None:
    call = started(ScriptSettings(agent=AGENT)).press("1").hear_all()
    for _ in range(AGENT_TRIES):
        call.press("0").hear().agent(False).hear_all()
        assert call.said[-2:] == ["agent_unavailable", "menu_agent"]
    call.press("0").hear_all()
    assert (call.agents, call.said[-1], call.script.result) == (AGENT_TRIES, "goodbye", "delivered")


def test_zero_is_a_wrong_key_where_there_is_no_agent() -> None:
    call = started(GATED).press("1").hear_all().press("0" * (WRONG_KEYS + 1))
    assert (call.agents, call.said[-1]) == (0, "goodbye")


@pytest.mark.parametrize(
    ("key", "phrase", "result"), [("1", "confirmed", "confirmed"), ("2", "denied", "denied")]
)
def test_a_risk_is_confirmed_or_denied(key: str, phrase: str, result: str) -> None:
    call = started(RISK).hear().verdict("human").hear_all()
    assert call.said == ["greeting", "message", "confirm_agent"]
    call.press(key).hear_all()
    assert call.said[3:] == [phrase, "goodbye"]
    assert (call.script.result, call.script.delivered) == (result, True)


def test_nobody_confirms_a_risk_that_he_has_not_heard() -> None:
    call = started(RISK).press("1").hear().press("121")
    assert call.playing == Message(MESSAGE.message)
    call.hear().press("2")
    assert call.said == ["greeting", "message", "confirm_agent", "denied"]


def test_a_risk_is_repeated_on_silence() -> None:
    call = started(RISK).hear().wait().hear_all().wait()
    assert call.said[-1] == "again"
    call.hear_all().wait().hear_all()
    assert call.said[-1] == "goodbye"
    assert (call.script.result, call.script.delivered) == ("no_input", True)


def test_after_a_missing_agent_the_risk_is_told_whole() -> None:
    call = started(RISK).hear().wait().press("0").hear().agent(False).press("12").hear()
    assert call.playing == Message(MESSAGE.message)
    assert not call.script.delivered


def test_a_message_needs_no_menu() -> None:
    call = started(NOTICE).hear().wait().hear_all()
    assert call.said == ["greeting", "message", "goodbye"]
    assert (call.script.result, call.script.delivered) == ("delivered", True)


def test_a_message_behind_the_gate_is_asked_for_as_a_message() -> None:
    call = started(ScriptSettings(kind="message")).hear_all()
    assert call.said == ["greeting", "gate_message"]
    assert call.press("1").hear_all().said[-2:] == ["message", "menu"]


def test_the_templates_words_introduce_the_code() -> None:
    voice = Voice("", "en", code="12", message=(Text("Your Acme code is"), Digits("99")))
    call = Listener(GATED, voice).answer().audio().press("1")
    assert call.said[-1] == "message"
    assert not call.hear().script.delivered
    assert call.playing == Code("12")
    assert call.hear().script.delivered


def test_a_goodbye_after_the_agent_has_an_end_too() -> None:
    call = started(ScriptSettings(agent=AGENT)).press("10").hear().agent(True)
    call.now = 5 * LONGEST_S
    assert call.agent(False).said[-1] == "goodbye"
    call.wait()
    assert (call.hung_up, call.script.result) == (True, "transferred")


def test_who_asked_for_an_agent_did_not_refuse() -> None:
    call = started(RISK).hear().wait().hear_all().press("0").hang_up()
    assert (call.script.result, call.script.delivered) == ("hung_up_early", True)
    call = started(RISK).hear().wait().hear_all().wait().hang_up()
    assert call.script.result == "refused_by_listener"


@pytest.mark.rule("sip.max-length")
def test_a_call_does_not_last_for_ever() -> None:
    call = started(ScriptSettings(agent=AGENT)).press("10").hear()
    assert call.script.next_timer() == LONGEST_S
    call.wait()
    assert (call.hung_up, call.script.result) == (True, "no_input")


def test_everything_that_may_be_said_is_known_before() -> None:
    without = {prompt for prompt in Script(GATED, VOICE, 0.0).prompts if isinstance(prompt, PhraseRef)}
    assert {prompt.name for prompt in without} == {
        "greeting", "gate", "code_intro", "again", "menu", "goodbye",
    }  # fmt: skip
    assert Code("482917") in Script(GATED, VOICE, 0.0).prompts
    assert PhraseRef("agent_unavailable") in Script(RISK, MESSAGE, 0.0).prompts


def test_a_job_with_nothing_to_say_is_refused() -> None:
    with pytest.raises(ValueError, match="has none"):
        Script(GATED, MESSAGE, 0.0)
    with pytest.raises(ValueError, match="has none for voice"):
        Script(RISK, VOICE, 0.0)


def test_no_repr_tells_the_code_or_the_number() -> None:
    shown = repr([Code("482917"), Message(MESSAGE.message), CallAgent("+447700900001", "bridge")])
    shown += repr(Script(GATED, VOICE, 0.0))
    assert "payment" not in shown
    assert "4829" not in shown
    assert "7700" not in shown
