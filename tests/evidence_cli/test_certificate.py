import re
from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinyhtml5.parser import HTMLParser

from connector.cli.decision import reason
from connector.evidence.case import Case, cases
from connector.evidence.certificate import Checked, certificate
from connector.evidence.masking import mask, mask_within
from connector.evidence.page import given as shown
from connector.evidence.wording import duration, since
from tests.evidence_cli import samples
from tests.evidence_cli.conftest import DAY_S, Evidence

GOOD = Checked(samples.START + 9_000, True, 1_234, 31, [], 0, "with all keys", True, samples.digest("key"))
BAD = GOOD._replace(findings=[("2026-11-22.jsonl:12", "its MAC does not fit")] * 5, found=7)


def document(
    line: dict[str, Any],
    later: Sequence[dict[str, Any]] = (),
    *,
    numbers: bool = False,
    checked: Checked = GOOD,
    removal: dict[str, Any] | None = None,
    head: dict[str, Any] | None = samples.HEAD,
) -> str:
    case = Case(line, "2026-11-23.jsonl:17", later, removal, head)
    return certificate(
        case, checked, reason, issued_by="carrier-connector 0.6.0", state="/var/lib/x", numbers=numbers
    )


def tree(html: str) -> Element:
    """Read by a parser we did not write, which must find no fault."""
    parser = HTMLParser(namespace_html_elements=False)
    root = parser.parse(html)
    assert parser.errors == []
    found: Element = root
    return found


def words(html: str) -> str:
    """What a reader sees, in one line."""
    root = tree(html)
    (body,) = root.iter("body")
    return re.sub(r"\s+", " ", " ".join(body.itertext()))


def facts(html: str) -> dict[str, str]:
    root = tree(html)
    return {
        "".join(term.itertext()): "".join(value.itertext())
        for term, value in zip(root.iter("dt"), root.iter("dd"), strict=True)
    }


def happened(html: str) -> list[tuple[str, ...]]:
    """The rows of the table: (time, after, what)."""
    root = tree(html)
    rows = [
        [" ".join("".join(cell.itertext()).split()) for cell in row.iter("td")] for row in root.iter("tr")
    ]
    return [tuple(row) for row in rows if row]


def test_a_text_message() -> None:
    html = document(samples.job())
    text = words(html)
    assert "Lane verification · record 17" in text
    assert re.search(
        r"application +shop +asked for as job +order-4711 +was delivered: +\+4477•••••23 *, on", text
    )
    assert (
        ", on 23 November 2026 at 07:33:48 UTC, 4.0 s after it was accepted and 16.0 s before its dead"
        in text
    )
    assert facts(html) == {
        "Template": "login-code, version 3",
        "Language": "en",
        "Its SHA-256": samples.digest("login-code"),
        "Text, HMAC": samples.digest("text"),
        "To": "+4477•••••23",
        "Country": "GB",
        "Application": "shop",
        "Its id of the job": "order-4711",
        "Journey": "sms",
        "Accepted": "23 November 2026, 07:33:44.120 UTC",
        "Deadline": "23 November 2026, 07:34:04.120 UTC",
        "Ended": "23 November 2026, 07:33:48.170 UTC",
        "Record": "17, written 23 November 2026, 07:33:48.180 UTC, in 2026-11-23.jsonl:17",
        "Its MAC": samples.digest("mac 17"),
        "Personal part, SHA-256": samples.job()["record"]["personal"],
        "Its day": "23 November 2026, records 1 to 20 (20)",
        "MAC of the day": samples.digest("last"),
        "SHA-256 of the day": samples.digest("day"),
        "Signature, Ed25519": "9c" * 64,
        "Public key, SHA-256": samples.digest("key"),
    }
    because = "north 93 % in time for 1.0, east 91 % for 1.4: north is worth more"
    assert happened(html) == [
        ("07:33:44.120", "+0.000 s", "Accepted from shop and written to disk; then acknowledged"),
        (
            "07:33:44.160", "+0.040 s",
            f"Text message by northchosen because {because}",
        ),
        ("07:33:44.270", "+0.150 s", "north took itmessage id 9308878062554710041"),
        (
            "07:33:48.170", "+4.050 s",
            f"Receipt DELIVERED from north: the handset has it; counts as deliveredas received {samples.RAW}",
        ),
        ("07:33:48.170", "+4.050 s", "Final outcome: deliveredreason receipt DELIVERED"),
    ]  # fmt: skip
    assert "The chain is whole. 1234 records and 31 closed days were verified with all keys on" in text
    assert "connector evidence verify --state /var/lib/x" in text
    assert "connector evidence match --state /var/lib/x order-4711 --text-file FILE" in text
    assert "Telephone numbers are masked" in text


def test_three_attempts_by_three_ways() -> None:
    html = document(samples.three_attempts())
    assert facts(html)["Text 2, HMAC"] == samples.digest("b")
    assert facts(html)["Text of the call, HMAC"] == samples.digest("c")
    assert facts(html)["Keys pressed"] == "1"
    told = [what for *_, what in happened(html)]
    assert re.match(
        r"Attempt 1: text message by east.*and then east refused it \(ESME_RTHROTTLED\)$", told[1]
    )
    assert told[2].startswith("Attempt 2: text message by north in 2 parts")
    assert told[3:5] == [f"north took part {part} of 2message id 930887806255471004{part}" for part in (1, 2)]
    assert told[5].startswith(
        "Receipt ENROUTE from north for part 1 of 2: under way to the handset; not final"
    )
    assert told[6].startswith("Attempt 3: call by west")
    assert told[-1] == "Final outcome: deliveredreason the call was confirmed"


def test_a_call() -> None:
    html = document(samples.called())
    found = facts(html)
    assert found["Call-ID"] == "a84b4c76e66710.4f1c@gateway.example"
    assert (found["Rang"], found["Answered"], found["Length"]) == (
        "1.8 s after it was placed", "6.4 s after it was placed", "24.1 s",
    )  # fmt: skip
    assert (found["Keys pressed"], found["Taken for"]) == ("1 0", "a person")
    assert found["Said"] == "greeting, code, repeat (cut after 4.7 s)"
    assert found["Agent"] == "spoke with the listener for 8.9 s"
    assert found["Sound"] == "PCMA, encrypted; 1184 packets heard, 3 lost"
    told = [what for *_, what in happened(html)]
    end = "so that west placed the call, and it said all that it had to say"
    assert told[-4:-1] == [
        "The telephone rang",
        "The call was answered",
        f"The call ended: the listener hung up after 24.1 s{end}",
    ]
    assert "was answered and heard" in words(html)


def test_a_call_that_nobody_answered() -> None:
    call = samples.call(
        answered=None, ended=20.0, ended_by="us", status=487, prompts=[], media=None, machine=None
    )
    attempt = samples.attempt(1, channel="voice", parts=[], result="missed", status=487, call=call)
    html = document(samples.job(attempts=[attempt], outcome="undelivered", personal={"keys": {}}))
    assert facts(html)["Answered"] == "no, SIP status 487"
    assert facts(html)["Keys pressed"] == "none recorded"
    assert "so that north placed the call, and nobody heard it to its end (SIP 487)" in words(html)
    assert "was not heard" in words(html)


def test_what_nobody_took() -> None:
    html = document(samples.unsent())
    assert facts(html)["Template"] == "none recorded"
    assert [what for *_, what in happened(html)] == [
        "Accepted from shop and written to disk; then acknowledged",
        "Final outcome: expiredreason the deadline passed",
    ]
    assert "Not in time" in words(html)


def test_what_came_later() -> None:
    line = samples.job(
        outcome="unknown", reason="no receipt", attempts=[samples.attempt(parts=[samples.part(state=None)])]
    )
    later = [samples.late_receipt(line), samples.late_receipt(line), samples.feedback(line, DAY_S)]
    html = document(line, later)
    *_, end, receipt, used = happened(html)
    assert end[2].startswith("Final outcome: unknown")
    assert receipt[2] == (
        "Receipt DELIVERED from north: the handset has it; counts as delivered"
        f"as received {samples.RAW}record 91 of the chain"
    )
    assert used[1:] == (
        "+1 days 0 h" if False else used[1],
        "shop said that it was usedrecord 90 of the chain",
    )
    assert "24 November 2026" in words(html)


def test_a_call_that_went_on_when_its_job_had_ended() -> None:
    ringing = samples.attempt(1, channel="voice", carrier="west", parts=[], result=None)
    line = samples.job(
        attempts=[ringing], outcome="cancelled", reason="cancelled", finished_at=samples.START + 3
    )
    over = {**ringing, "call": samples.call(samples.START + 0.05), "result": "completed"}
    later = samples.late_receipt(line)
    later["record"] |= {"what": ["call"], "attempts": [over]}
    later["personal"] = {"to": samples.NUMBER, "salt": "6a" * 16, "keys": {"1": "1"}}
    html = document(line, [later])
    assert (facts(html)["Length"], facts(html)["Keys pressed"]) == ("24.1 s", "1")
    told = [what for *_, what in happened(html)]
    assert told[-1].startswith("The call ended: the listener hung up after 24.1 s")
    assert told[-1].endswith("record 91 of the chain")


def test_an_attempt_whose_end_is_known_later() -> None:
    unknown = samples.attempt(parts=[], result="unknown")
    line = samples.job(attempts=[unknown], outcome="unknown", reason="no answer")
    later = samples.late_receipt(line)
    later["record"] |= {"what": ["attempt"], "attempts": [{**unknown, "result": "refused", "status": 0x45}]}
    *_, last = happened(document(line, [later, later]))
    assert last[2] == "north refused it (ESME_RSUBMITFAIL)record 91 of the chain"


def test_personal_parts_that_were_removed() -> None:
    line = samples.job()
    del line["personal"]
    html = document(line, removal=samples.redacted(samples.job()))
    assert facts(html)["To"] == "removed on 21 February 2027: the time to keep it is over (record 99)"
    assert "stat:DELIVRD" not in html
    assert facts(html)["Personal part, SHA-256"] == f"{line['record']['personal']} (of what was removed)"
    assert facts(document(line))["To"] == "removed"


def test_an_open_day_has_no_signature_yet() -> None:
    html = document(samples.job(), head=None)
    assert facts(html)["Head of its day"].startswith("none yet: it is signed after midnight UTC.")


def test_what_the_public_key_alone_proves() -> None:
    public = GOOD._replace(secret=False)
    signed = words(document(samples.job(), checked=public))
    assert "The signed days are whole." in signed
    assert "proves nothing of it" not in signed
    unsigned = words(document(samples.job(), checked=public, head=None))
    assert "This record is of a day without a head yet: the public key proves nothing of it." in unsigned


def test_a_chain_that_was_not_verified() -> None:
    text = words(document(samples.job(), checked=GOOD._replace(done=False)))
    assert "The chain was not verified for this document." in text
    assert "whole" not in text


def test_a_chain_that_is_not_whole() -> None:
    html = document(samples.job(), checked=BAD)
    text = words(html)
    assert "The chain is whole" not in text
    assert "7 findings: the evidence is not what was written, or is not whole." in text
    assert text.count("2026-11-22.jsonl:12 : its MAC does not fit") == 5
    assert "and 2 more" in text


def test_numbers_are_masked_unless_asked_for() -> None:
    line = samples.strange()
    assert samples.NUMBER[3:] not in document(line)
    html = document(line, numbers=True)
    assert facts(html)["To"] == samples.NUMBER
    assert samples.NUMBER[1:] in words(html)
    assert "masked" not in words(html)


def test_strange_values_stay_in_their_places() -> None:
    html = document(samples.strange())
    root = tree(html)
    assert list(root.iter("script")) == []
    assert "\u202e" not in html
    assert "\0" not in html
    assert "⟨U+202E⟩" in facts(html)["Its id of the job"]
    assert facts(html)["Application"] == "تطبيق<script>alert(1)</script>"
    # The command may be copied into a shell.
    assert "match --state /var/lib/x 'طلب-٤٧١١-⟨U+202E⟩" in words(html)


anything = st.text(st.characters(), max_size=20)


@settings(max_examples=40)
@given(anything, anything, anything, anything, st.binary(max_size=40))
def test_any_value_leaves_the_document_valid(id: str, app: str, why: str, error: str, raw: bytes) -> None:
    line = samples.job(
        id=id, app=app, reason=why, personal={"receipts": {"1/1": raw.hex()}},
        attempts=[samples.attempt(parts=[samples.part(error=error, message_id=raw.hex())])],
    )  # fmt: skip
    html = document(line, checked=BAD._replace(findings=[(app, why)]))
    assert f"<dd>{shown(id)}</dd>" in html
    tree(html)


def test_nothing_is_fetched() -> None:
    html = document(samples.three_attempts())
    assert re.findall(r"""(?:src|href)\s*=|url\(|@import|https?://""", html) == []


@pytest.mark.parametrize(
    "line",
    [samples.job(), samples.three_attempts(), samples.called(), samples.unsent()],
    ids=lambda x: x["seq"],
)
@pytest.mark.usefixtures("pango")
@pytest.mark.filterwarnings("ignore:HarfBuzz-Subset:DeprecationWarning")
def test_it_prints_on_one_page(line: dict[str, Any]) -> None:
    from weasyprint import HTML

    assert len(HTML(string=document(line)).render().pages) == 1


def test_a_number_is_masked_whatever_its_spelling() -> None:
    assert mask("+447700900123") == "+4477•••••23"
    assert mask("+1234567") == "•••••"
    for spelling in ("447700900123", "+447700900123", "07700900123", "7700900123", "00447700900123"):
        assert mask_within(f"to:{spelling} id:12345678", samples.NUMBER) == "to:+4477•••••23 id:12345678"


def test_durations_in_words() -> None:
    assert [duration(s) for s in (0.044, 4.21, 59.99, 60, 125, 3_600, 11_400, 172_800, 190_000)] == [
        "0.04 s", "4.2 s", "1 min", "1 min", "2 min 5 s", "1 h", "3 h 10 min", "2 days", "2 days 4 h",
    ]  # fmt: skip
    assert [since(s, 0) for s in (0, 4.2, -0.01, 125)] == ["+0.000 s", "+4.200 s", "-0.010 s", "+2 min 5 s"]


def test_cases_of_an_id(evidence: Evidence) -> None:
    other = samples.job(app="bank")
    evidence.ledger.close_day([samples.moved(each, 2 * DAY_S) for each in (other, samples.job())])
    of_shop = cases(evidence.state, "order-4711", "shop")
    assert [case.line["seq"] for case in of_shop] == [2, 9]
    assert [len(case.later) for case in of_shop] == [1, 1]
    assert of_shop[0].head is not None
    assert (of_shop[0].head["first"], of_shop[0].head["last"]) == (1, 4)
    assert of_shop[0].where == "2026-11-23.jsonl:2"
    assert [case.line["seq"] for case in cases(evidence.state, "order-4711")] == [2, 8, 9]
    assert [case.line["seq"] for case in cases(evidence.state, "order-4711", None, 9)] == [9]
    assert cases(evidence.state, "order") == []


def test_the_head_of_another_day_is_not_shown(evidence: Evidence) -> None:
    folder = evidence.ledger.file("2026-11-23").parent
    (folder / "2026-11-23.head.json").write_bytes((folder / "2026-11-24.head.json").read_bytes())
    assert cases(evidence.state, "order-4711")[0].head is None
    (folder / "2026-11-23.head.json").write_text("{}")
    assert cases(evidence.state, "order-4711")[0].head is None
