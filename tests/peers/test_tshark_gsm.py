"""User data as Wireshark's GSM SMS dissector reads it: packed septets after a header, and its elements.

Its version 4.0 names the language of a national table but reads the text with the default alphabet; so the
characters of those tables are checked against gsmcodecs (tests/protocols/gsm/test_gsm_national.py), and here
that septets of the default alphabet among them are at their places.
"""

import json
import subprocess
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from protocols.gsm.languages import Language
from protocols.gsm.segmentation import Alphabet, LongMessage, Rules, Segments, plan

pytestmark = pytest.mark.peer("tshark")

DISSECT_S = 30.0
USER_LINK_TYPE = 147
PACKED = (Alphabet(0, "gsm7_packed"),)
LETTERS = {
    Language.TURKISH: "ş", Language.SPANISH: "í", Language.PORTUGUESE: "ã", Language.BENGALI: "ক",
    Language.GUJARATI: "ક", Language.HINDI: "क", Language.KANNADA: "ಕ", Language.MALAYALAM: "ക",
    Language.ORIYA: "କ", Language.PUNJABI: "ਕ", Language.TAMIL: "க", Language.TELUGU: "క", Language.URDU: "ب",
}  # fmt: skip
LONG = "The quick brown fox {jumps} over the lazy dog @ 5 €, "


def delivered(segments: Segments) -> Iterator[bytes]:
    """SMS-DELIVERs (TS 23.040 §9.2.2.1), whose TP-UDL counts septets, those of the header included."""
    flags = bytes((0x44 if segments.has_header else 0x04,))
    address, time = bytes.fromhex("0b911346610089f6"), bytes.fromhex("62112221430200")
    for user_data, part in zip(segments.user_data(7), segments.parts, strict=True):
        header = 1 + user_data[0] if segments.has_header else 0
        septets = -(-8 * header // 7) + len(part)
        yield flags + address + b"\0\0" + time + bytes((septets,)) + user_data


def dissected(tpdus: list[bytes], folder: Path) -> list[dict[str, Any]]:
    dump, capture = folder / "tpdus.txt", folder / "tpdus.pcap"
    dump.write_text("".join(f"000000 {tpdu.hex(' ')}\n" for tpdu in tpdus))
    subprocess.run(
        ["text2pcap", "-q", "-l", str(USER_LINK_TYPE), str(dump), str(capture)], check=True, timeout=DISSECT_S
    )
    link_types = f'uat:user_dlts:"User 0 (DLT={USER_LINK_TYPE})","gsm_sms","0","","0",""'
    command = ["tshark", "-r", str(capture), "-T", "json", "-o", link_types, "-o", "gsm_sms.reassemble:FALSE"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=DISSECT_S)
    return [packet["_source"]["layers"]["gsm_sms"]["TP-User-Data"] for packet in json.loads(done.stdout)]


def elements(user_data: dict[str, Any]) -> list[dict[str, str]]:
    header = user_data.get("User-Data Header", {})
    return [fields for name, fields in header.items() if name.startswith("IE: ")]


@pytest.mark.parametrize("form", ["udh8", "udh16"])
def test_packed_text_is_read_back(tmp_path: Path, form: LongMessage) -> None:
    texts = ["hello", "seven 7", "eight  8", "@", "at@", LONG, LONG * 4, LONG * 12]
    plans = [plan(text, Rules(alphabets=PACKED, long_message=form)) for text in texts]
    found = iter(dissected([tpdu for segments in plans for tpdu in delivered(segments)], tmp_path))
    for text, segments in zip(texts, plans, strict=True):
        parts = list(islice(found, len(segments.parts)))
        assert "".join(part["gsm_sms.sms_text"] for part in parts) == text
        if len(parts) > 1:
            named = [next(iter(elements(part))) for part in parts]
            indices = [int(element["gsm_sms.udh.mm.msg_part"]) for element in named]
            assert indices == list(range(1, len(parts) + 1))
            assert {int(element["gsm_sms.udh.mm.msg_parts"]) for element in named} == {len(parts)}
    assert next(found, None) is None


def test_national_tables_are_named_in_each_part(tmp_path: Path) -> None:
    plans = [
        plan(
            f"{letter} 123456 abc " * repeated,
            Rules(alphabets=PACKED, locking=(language,), single=(language,)),
        )
        for language, letter in LETTERS.items()
        for repeated in (1, 30)
    ]
    found = iter(dissected([tpdu for segments in plans for tpdu in delivered(segments)], tmp_path))
    for segments in plans:
        for part in islice(found, len(segments.parts)):
            named = {name: value for element in elements(part) for name, value in element.items()}
            assert named.get("gsm_sms.dis_iei_lang.single_shift") == number(segments.single)
            assert named.get("gsm_sms.dis_iei_lang.locking_shift") == number(segments.locking)
            assert " 123456 abc " in part["gsm_sms.sms_text"]
    assert next(found, None) is None


def number(language: Language | None) -> str | None:
    return None if language is None else str(language.value)
