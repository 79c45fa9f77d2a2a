"""Texts as our encoder writes them, and as Wireshark's SMPP and GSM SMS dissectors read them: every alphabet,
every long form. No connection is needed for that: the PDUs stand in capture files of our own making.
"""

from pathlib import Path
from random import Random

import pytest

from connector.carriers.contract import Unsendable
from connector.carriers.encoding import SubmitEncoder
from connector.config.carrier import Account, Binds, CarrierFile
from connector.config.habits import Coding, Text, TextAlphabet
from connector.model import Content, LiveJob
from protocols.gsm.languages import Language
from protocols.gsm.segmentation import Alphabet, Rules, Segments, plan
from protocols.smpp.pdu import SubmitSm, encode
from tests.peers import packets
from tests.peers.dissection import Dissection, Pdu, everything, frames
from tests.peers.messages import CHINESE, GSM_ONLY, LATIN, LONG_CHINESE, LONG_LATIN, whole_texts

pytestmark = pytest.mark.peer("tshark")

EUROPEAN = "Ça coûte 5 £, ¿verdad? Grüße, Ærø! "
HINDI = "आपका सत्यापन कोड 482917 है। इसे किसी के साथ साझा न करें।"
SEVENTH = "1234567"  # packed: seven octets and a spare septet
ESCAPED = "Line {n} of a long " * 14  # an escape stands where the first part is full
TEXTS = (LATIN, GSM_ONLY, EUROPEAN * 6, HINDI, CHINESE, SEVENTH, LONG_LATIN, ESCAPED, LONG_CHINESE)

# What tshark is told of data_coding 0; data_coding 1, 3 and 8 it knows by itself.
CARRIERS: dict[str, tuple[int, Coding, str]] = {
    "gsm7": (0, "gsm7", "GSM 7-bit"),
    "packed": (0, "gsm7_packed", "GSM 7-bit (packed)"),
    "latin1 as the default": (0, "latin1", "ISO-8859-1"),
    "latin1": (3, "latin1", "None"),
    "ascii as the default": (0, "ascii", "ASCII"),
    "ascii": (1, "ascii", "None"),
    "ucs2": (8, "ucs2", "None"),
}


def encoder(*alphabets: tuple[int, Coding], long_message: str) -> SubmitEncoder:
    known = tuple(TextAlphabet(data_coding=number, codec=codec) for number, codec in alphabets)
    carrier = CarrierFile(
        account=Account(host="127.0.0.1", port=2775, system_id="acme", password_file="p"),
        binds=Binds(tps=1.0),
        text=Text(alphabets=known, long_message=long_message),  # type: ignore[arg-type]
    )
    return SubmitEncoder(carrier, 20, Random(1))


def submits(encoder: SubmitEncoder) -> tuple[dict[str, str], list[SubmitSm]]:
    """The texts by handset, and the PDUs of all of them."""
    expected: dict[str, str] = {}
    pdus: list[SubmitSm] = []
    for number, text in enumerate(TEXTS):
        job = LiveJob(
            key=number, app=1, id="j", recipient=f"+44770091{number:04}", content=Content(text, "ACME"),
            accepted_at=0.0, deadline_at=60.0,
        )  # fmt: skip
        try:
            made, substituted = encoder.encode(job, 0.0)
        except Unsendable:
            continue
        assert substituted == ()
        pdus += made
        expected[job.recipient[1:]] = text
    return expected, pdus


def shown(pdu: Pdu) -> str:
    """The text of one part as tshark shows it; UCS2 beyond its reach is read from the octets."""
    if "smpp.message_payload" in pdu.fields:  # tshark shows the octets alone
        octets = bytes.fromhex(pdu.fields["smpp.message_payload"].replace(":", ""))
        return octets.decode({1: "ascii", 3: "latin-1", 8: "utf-16-be"}[pdu.number("smpp.data_coding")])
    text = pdu.fields["smpp.message_text"]
    if pdu.number("smpp.data_coding") == 8:
        begin = pdu.octets[0] + 1 if pdu.number("smpp.esm.submit.features") else 0
        whole = pdu.octets[begin:].decode("utf-16-be")
        assert text == whole or max(whole) > "\uffff"
        return whole
    return text


def place(pdu: Pdu) -> bytes:
    """What tells the part's place, as an element of a user data header (TS 23.040 §9.2.3.24.1 or .8)."""
    if pdu.number("smpp.esm.submit.features"):
        width = 2 if pdu.number("gsm_sms.ie_identifier") == 0x08 else 1
        names = ("gsm_sms.udh.mm.msg_id", "gsm_sms.udh.mm.msg_parts", "gsm_sms.udh.mm.msg_part")
    elif "smpp.sar_msg_ref_num" in pdu.fields:
        width = 2
        names = ("smpp.sar_msg_ref_num", "smpp.sar_total_segments", "smpp.sar_segment_seqnum")
    else:
        return b""
    reference, total, number = map(pdu.number, names)
    octets = reference.to_bytes(width, "big") + bytes((total, number))
    return bytes((0x08 if width == 2 else 0x00, len(octets))) + octets


@pytest.mark.rule(
    "text.default-alphabet", "text.packed-fill", "text.long-udh", "text.long-sar", "text.long-payload",
    "text.long-one-form", "text.ucs2", "text.lossless",
)  # fmt: skip
@pytest.mark.parametrize("long_message", ["udh8", "udh16", "sar", "payload"])
@pytest.mark.parametrize(("data_coding", "codec", "preference"), CARRIERS.values(), ids=CARRIERS)
def test_the_text_is_the_one_that_was_given(
    tmp_path: Path, data_coding: int, codec: Coding, preference: str, long_message: str
) -> None:
    expected, pdus = submits(encoder((data_coding, codec), (8, "ucs2"), long_message=long_message))
    file = tmp_path / "texts.pcap"
    encoded = (encode(pdu, sequence=number) for number, pdu in enumerate(pdus, 1))
    packets.write(file, packets.of_esme(encoded), packets.RAW_IP)
    dissection = Dissection(file, packets.SMSC_PORT, default_alphabet=preference)

    assert dissection.faults == []
    assert dissection.undissected == 0
    assert len(dissection.pdus) == len(pdus)
    long_forms = {
        "header": [pdu for pdu in dissection.pdus if pdu.number("smpp.esm.submit.features")],
        "sar": [pdu for pdu in dissection.pdus if "smpp.sar_msg_ref_num" in pdu.fields],
        "payload": [pdu for pdu in dissection.pdus if "smpp.message_payload" in pdu.fields],
    }
    used = "header" if long_message.startswith("udh") else long_message
    assert [form for form, found in long_forms.items() if found] == [used]
    assert {pdu.number("smpp.sm_length") for pdu in long_forms["payload"]} <= {0}
    assert max(pdu.number("smpp.sm_length") for pdu in dissection.pdus) <= 160
    if used == "payload" and data_coding == 0:
        return  # what tshark makes of data_coding 0 it does not apply to a payload
    parts = [(pdu.fields["smpp.destination_addr"], place(pdu), shown(pdu)) for pdu in dissection.pdus]
    # Packed text that leaves a septet over ends in a CR (TS 23.038 §6.1.2.3.1); amid a text there is none.
    found = whole_texts(parts)
    assert {recipient: text.removesuffix("\r") for recipient, text in found.items()} == expected


@pytest.mark.rule("text.national-header")
@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "ığşçŞİĞ 482917"),
        (3, "ÁÍÓÚãõê 482917"),
        (6, HINDI),
        (11, "உங்கள் குறியீடு 482917"),
        (13, "آپ کا کوڈ 482917"),
    ],
)
def test_the_header_names_the_language(tmp_path: Path, number: int, text: str) -> None:
    """tshark names the tables; their characters it does not know, only those that all tables share."""
    language = Language(number)
    rules = Rules((Alphabet(0, "gsm7"),), locking=(language,), single=(language,))
    segments = plan(text, rules)
    assert (segments.locking or segments.single) is language
    submit = SubmitSm(
        destination_addr=b"447700900000", esm_class=0x40, data_coding=segments.data_coding,
        short_message=segments.user_data()[0],
    )  # fmt: skip
    file = tmp_path / "national.pcap"
    packets.write(file, packets.of_esme([encode(submit, sequence=1)]), packets.RAW_IP)
    dissection = Dissection(file, packets.SMSC_PORT)

    assert dissection.faults == []
    (pdu,) = dissection.pdus
    assert pdu.number("smpp.data_coding") == 0
    languages = {
        name: int(value, 0)
        for name, value in pdu.fields.items()
        if name.startswith("gsm_sms.") and "lang" in name
    }
    assert set(languages.values()) == {number}
    assert len(languages) == (segments.locking is not None) + (segments.single is not None)
    assert "482917" in pdu.fields["smpp.message_text"]


# As the handset gets it


def tpdus(segments: Segments) -> list[bytes]:
    """SMS-DELIVER (TS 23.040 §9.2.2.1), as a network would make it of our packed or UCS2 user data."""
    made = []
    for part, user_data in zip(segments.parts, segments.user_data(7), strict=True):
        header = user_data[0] + 1 if segments.has_header else 0
        in_septets = segments.encoding == "gsm7_packed"
        length = -(-header * 8 // 7) + len(part) if in_septets else len(user_data)
        first = 0x44 if segments.has_header else 0x04
        address, stamp = bytes.fromhex("0c91447700900000"), bytes.fromhex("62111221430000")
        data_coding, size = bytes((0, segments.data_coding)), bytes((length,))
        made.append(bytes((first,)) + address + data_coding + stamp + size + user_data)
    return made


@pytest.mark.rule("text.packed-fill", "text.extension", "text.ucs2")
@pytest.mark.parametrize("long_message", ["udh8", "udh16"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_handset_shows_the_text(tmp_path: Path, text: str, long_message: str) -> None:
    alphabets = (Alphabet(0, "gsm7_packed"), Alphabet(8, "ucs2"))
    segments = plan(text, Rules(alphabets, long_message=long_message))  # type: ignore[arg-type]
    file = tmp_path / "tpdus.pcap"
    packets.write(file, tpdus(segments), packets.USER_0)
    table = f'uat:user_dlts:"User 0 (DLT={packets.USER_0})","gsm_sms","0","","0",""'
    found = frames(file, "-o", table)

    fields = [list(everything(frame)) for frame in found]
    assert not any(name.startswith("_ws.malformed") for frame in fields for name, _ in frame)
    # The frame that completes a message shows all its parts.
    shown = "".join(value for name, value in fields[-1] if name == "gsm_sms.sms_text")
    assert shown == text or max(text) > "\uffff"
    assert shown
