"""Receipts as each carrier writes them, in the form that the journal keeps."""

import logging

import msgspec
import pytest

from connector.carriers.receipts import ReceiptIntake
from connector.config import Carrier as CarrierConfig
from connector.config import Destination, National
from connector.config.carrier import Account, Binds, Receipts
from connector.journal.ops import Receipt
from connector.metrics import CarrierMetrics
from protocols.smpp.constants import Tag
from protocols.smpp.id_keys import lookup_keys
from protocols.smpp.pdu import DeliverSm

HANDSET = b"4915112345678"
NOW = 1_700_000_000.0
CODE = b"482917"


class Desk:
    """An intake and what it does."""

    def __init__(self, **habits: object) -> None:
        config = CarrierConfig(
            name="north", password_path="", account=Account(host="smsc", port=2775, system_id="shop"),
            binds=Binds(tps=1.0, response_timeout_s=10.0), receipts=Receipts(**habits),  # type: ignore[arg-type]
        )  # fmt: skip
        self.metrics = CarrierMetrics()
        self.intake = ReceiptIntake(config, 7, self.metrics)

    def read(self, pdu: DeliverSm) -> Receipt:
        receipt = self.intake.read(pdu, NOW, "context")
        assert receipt is not None
        return receipt

    def committed(self, match: str, form: str = "", number: int = 1, at: float = NOW, **more: object) -> None:
        ops = [
            Receipt(7, "north", lookup_keys(b"22"), "49", "DELIVERED", "delivered", "", at, None, **more)  # type: ignore[arg-type]
            for _ in range(number)
        ]
        for op in ops:
            op.match, op.form, op.accepted_at = match, form, at - 3.0  # type: ignore[assignment]
        self.intake.committed(ops, at)


def pdu(
    stat: bytes = b"DELIVRD", id: bytes = b"22", *, err: bytes = b"000", esm_class: int = 0x04,
    tlvs: tuple[tuple[int, bytes], ...] = (), id_key: bytes = b"id", text: bytes | None = None,
) -> DeliverSm:  # fmt: skip
    usual = b"%b:%b sub:001 dlvrd:001 submit date:2401010000 done date:2401010000 stat:%b err:%b text:%b" % (
        id_key, id, stat, err, CODE,
    )  # fmt: skip
    return DeliverSm(
        source_addr=HANDSET, destination_addr=b"SHOP", esm_class=esm_class,
        short_message=usual if text is None else text, tlvs=tlvs,
    )  # fmt: skip


def test_what_the_journal_gets() -> None:
    receipt = Desk().read(pdu(err=b"0A1", stat=b"UNDELIV", tlvs=((Tag.NETWORK_ERROR_CODE, b"\3\0\x1b"),)))
    kept = b"id:22 sub:001 dlvrd:001 submit date:2401010000 done date:2401010000 stat:UNDELIV err:0A1 "
    assert receipt == Receipt(
        7, "north", lookup_keys(b"22"), HANDSET.decode(), "UNDELIVERABLE", "failed", kept.hex(), NOW,
        "context", b"22".hex(), "same", "err 0A1, network error GSM 27", "receipt",
    )  # fmt: skip
    assert CODE.hex() not in repr(receipt), "the subscriber's text"


@pytest.mark.rule("receipts.id-raw")
def test_the_id_is_kept_as_it_came() -> None:
    receipt = Desk().read(pdu(id=b"00aB-c9"))
    assert bytes.fromhex(receipt.message_id) == b"00aB-c9"
    assert receipt.keys[0] == ("same", "abc9")


@pytest.mark.rule("receipts.id-learned")
def test_a_form_of_the_file_is_used_alone() -> None:
    """response 812FC7470000001B, receipt 9308878062554710043: the same number."""
    receipt = Desk(id_form="hex_in_response").read(pdu(id=b"9308878062554710043"))
    assert (receipt.keys, receipt.trusted) == (
        (("hex_in_response", "812fc7470000001b"),), "hex_in_response",
    )  # fmt: skip


@pytest.mark.rule("receipts.meaning")
@pytest.mark.parametrize(
    ("states", "word", "state", "result"),
    [
        ({}, b"ACCEPTD", "ACCEPTED", None),
        ({}, b"UNKNOWN", "UNKNOWN", None),
        ({}, b"DELIVRD", "DELIVERED", "delivered"),
        ({}, b"EXPIRED", "EXPIRED", "expired"),
        ({}, b"DELETED", "DELETED", "failed"),
        ({}, b"BLOCKED", "BLOCKED", None),
        ({"ACCEPTD": "final_delivered"}, b"ACCEPTD", "ACCEPTED", "delivered"),
        ({"ACCEPTD": "final_delivered"}, b"accepted", "ACCEPTED", "delivered"),
        ({"ACCEPTD": "final_delivered"}, b"BLOCKED", "BLOCKED", None),
        ({"UNKNOWN": "final_undelivered"}, b"UNKNOWN", "UNKNOWN", "failed"),
        ({"BLOCKED": "final_undelivered"}, b"BLOCKED", "BLOCKED", "failed"),
        ({"TOO-LATE": "final_expired"}, b"TOO-LATE", "TOO-LATE", "expired"),
        ({"DELIVRD": "non_final", "ON-PHONE": "final_delivered"}, b"DELIVRD", "DELIVERED", None),
        ({"DELIVRD": "non_final", "ON-PHONE": "final_delivered"}, b"ON-PHONE", "ON-PHONE", "delivered"),
    ],
)
def test_states_mean_what_the_carriers_own_table_says(
    states: dict[str, str], word: bytes, state: str, result: str | None
) -> None:
    receipt = Desk(states=states).read(pdu(word))
    assert (receipt.state, receipt.result) == (state, result)


@pytest.mark.rule("receipts.meaning")
def test_the_table_holds_for_the_number_in_the_tlv_too() -> None:
    receipt = Desk(states={"ACCEPTD": "final_delivered"}).read(
        pdu(tlvs=((Tag.RECEIPTED_MESSAGE_ID, b"22\0"), (Tag.MESSAGE_STATE, b"\6")), text=b"")
    )
    assert (receipt.state, receipt.result, receipt.kind) == ("ACCEPTED", "delivered", "receipt")


@pytest.mark.rule("receipts.esm-class")
def test_an_intermediate_notification_is_never_final() -> None:
    receipt = Desk(states={"DELIVRD": "final_delivered"}).read(pdu(esm_class=0x20))
    assert (receipt.kind, receipt.state, receipt.result) == ("intermediate", "DELIVERED", None)


def test_another_word_in_front_of_the_id() -> None:
    assert Desk(id_key="msgid").read(pdu(id_key=b"MsgId")).keys[0] == ("same", "22")


@pytest.mark.parametrize(("prefer", "id", "state"), [("tlv", "33", "EXPIRED"), ("text", "22", "DELIVERED")])
def test_which_is_believed_where_text_and_tlvs_differ(prefer: str, id: str, state: str) -> None:
    both = pdu(tlvs=((Tag.RECEIPTED_MESSAGE_ID, b"33\0"), (Tag.MESSAGE_STATE, b"\3")))
    receipt = Desk(prefer=prefer).read(both)
    assert (receipt.keys[0][1], receipt.state) == (id, state)


@pytest.mark.rule("receipts.never-mo")
def test_a_text_that_reads_as_a_receipt_without_the_flag() -> None:
    assert Desk().read(pdu(esm_class=0)).state == "DELIVERED"
    assert Desk(unflagged="mo").intake.read(pdu(esm_class=0), NOW, None) is None
    assert Desk(unflagged="mo").intake.read(pdu(), NOW, None) is not None


def test_the_handset_may_stand_in_the_destination() -> None:
    swapped = msgspec.structs.replace(pdu(), source_addr=b"SHOP", destination_addr=b"+" + HANDSET)
    assert Desk(handset="destination").read(swapped).address == HANDSET.decode()


@pytest.mark.parametrize(
    ("err", "network", "error"),
    [
        (b"000", None, ""),
        (b"0", b"\3\0\0", ""),
        (b"", None, ""),
        (b"075", None, "err 075"),
        (b"000", b"\1\1\0", "network error ANSI-136 256"),
        (b"34", b"\x08\0\5", "err 34, network error 8 5"),
        (b"34", b"\3", "err 34"),
        (b"\x1b[2J" + b"9" * 99, None, "err ·[2J" + "9" * 28),
    ],
)
def test_what_is_told_of_the_cause(err: bytes, network: bytes | None, error: str) -> None:
    tlvs = ((Tag.NETWORK_ERROR_CODE, network),) if network is not None else ()
    text = b"id:22 stat:UNDELIV err:" + err
    assert Desk().read(pdu(text=text, tlvs=tlvs)).error == error


def test_the_answer_to_a_query_goes_by_the_same_table() -> None:
    desk = Desk(states={"ACCEPTD": "final_delivered"})
    answer = desk.intake.answer_to_query("2a", "4915", 6, 0, NOW)
    assert (answer.keys, answer.state, answer.result, answer.kind) == (
        (("same", "2a"),), "ACCEPTED", "delivered", "query",
    )  # fmt: skip
    failed = desk.intake.answer_to_query("2a", "4915", 5, 34, NOW)
    assert (failed.state, failed.result, failed.error) == ("UNDELIVERABLE", "failed", "err 34")
    assert desk.intake.answer_to_query("2a", "4915", 1, 0, NOW).result is None
    assert desk.intake.answer_to_query("2a", "4915", 99, 0, NOW).result is None


# What the matching teaches


def test_matches_are_counted_and_teach_the_form(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    with caplog.at_level(logging.INFO):
        desk.committed("id", "hex_in_response", 30)
        desk.committed("late", "hex_in_response", 20)
    assert desk.read(pdu(id=b"22")).keys == (("hex_in_response", "16"),)
    assert "form of receipt ids learned" in caplog.text
    metrics = desk.metrics
    assert (metrics.receipts_matched, metrics.receipts_late, metrics.to_handset.counts[0]) == (50, 20, 0)
    assert metrics.to_handset.sum == 150.0


def test_answers_to_queries_teach_nothing() -> None:
    desk = Desk()
    desk.committed("id", "same", 50, kind="query")
    desk.committed("", "", 50, kind="query")
    assert (desk.intake.id_forms.form, desk.intake.id_forms.ratio) == (None, None)
    assert desk.metrics.receipts_matched == 0


@pytest.mark.rule("receipts.id-learned", "receipts.unmatched")
def test_when_receipts_stop_to_match_it_alarms_and_learns_again(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    desk.committed("id", "same", 50)
    desk.committed("parked", number=20, at=NOW + 1)
    desk.committed("id", "same", 1, at=NOW + 12)
    assert desk.read(pdu()).narrow
    assert desk.metrics.receipts_parked == 20
    desk.committed("id", "same", 1, at=NOW + 14)
    assert desk.read(pdu()).keys == lookup_keys(b"22")
    assert not desk.read(pdu()).narrow
    (alarm,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert alarm.getMessage() == "receipts find their message late or never"
    assert alarm.fields["match_ratio"] == pytest.approx(52 / 72, abs=0.001)  # type: ignore[attr-defined]


def test_the_alarm_is_not_repeated_at_once(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(id_form="same")
    for minute in range(15):
        desk.committed("parked", number=20, at=NOW + 60 * minute)
    assert len(caplog.records) == 2
    assert (desk.read(pdu()).keys, desk.read(pdu()).narrow) == ((("same", "22"),), False)


def test_parked_receipts_that_found_their_message_count() -> None:
    desk = Desk()
    desk.committed("parked", number=50)
    for _ in range(50):
        found = Receipt(7, "north", lookup_keys(b"22"), "49", "DELIVERED", "delivered", "", NOW, None)
        found.match, found.form = "id", "decimal_in_response"
        desk.intake.found([found], NOW + 1)
    assert (desk.intake.id_forms.form, desk.intake.id_forms.ratio) == ("decimal_in_response", 1.0)


def test_what_a_handset_acknowledges_is_no_receipt_that_misses() -> None:
    desk = Desk(id_form="same")
    for _ in range(50):
        kept = Receipt(7, "north", (), "49", "MO", None, "", NOW, None)
        kept.match = "parked"
        desk.intake.committed([kept], NOW)
    desk.intake.committed([], NOW + 60)
    assert desk.intake.id_forms.ratio is None


@pytest.mark.parametrize(
    ("ton", "written", "read"),
    [
        (2, b"09876543210", "919876543210"), (1, b"919876543210", "919876543210"),
        (1, b"+4915112345678", "4915112345678"), (0, b"004915112345678", "4915112345678"),
        (5, b"SHOP", "SHOP"),
    ],
)  # fmt: skip
def test_the_handsets_number_is_read_as_the_carrier_writes_it(ton: int, written: bytes, read: str) -> None:
    national = National(country_code="91", prefix="0", ton=2, npi=1)
    config = CarrierConfig(
        name="north", password_path="", account=Account(host="smsc", port=2775, system_id="shop"),
        binds=Binds(tps=1.0), destination=Destination(national=national),
    )  # fmt: skip
    intake = ReceiptIntake(config, 7, CarrierMetrics())
    receipt = intake.read(msgspec.structs.replace(pdu(), source_addr_ton=ton, source_addr=written), NOW, None)
    assert receipt is not None
    assert receipt.address == read
