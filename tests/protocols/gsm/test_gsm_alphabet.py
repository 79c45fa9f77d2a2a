"""The alphabet: against two tables we did not write, and its edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib.gsm import gsm_encode

from protocols.gsm import alphabet, ucs2
from protocols.gsm.errors import Unencodable

CHARACTERS = alphabet.BASIC.replace("\x1b", "") + "".join(alphabet.EXTENSION.values())

# septets:code point, as Perl's Encode::GSM0338 2.9 decodes them.
PERL = """
00:0040 01:00A3 02:0024 03:00A5 04:00E8 05:00E9 06:00F9 07:00EC 08:00F2 09:00C7 0A:000A 0B:00D8
0C:00F8 0D:000D 0E:00C5 0F:00E5 10:0394 11:005F 12:03A6 13:0393 14:039B 15:03A9 16:03A0 17:03A8
18:03A3 19:0398 1A:039E 1C:00C6 1D:00E6 1E:00DF 1F:00C9 20:0020 21:0021 22:0022 23:0023 24:00A4
25:0025 26:0026 27:0027 28:0028 29:0029 2A:002A 2B:002B 2C:002C 2D:002D 2E:002E 2F:002F 30:0030
31:0031 32:0032 33:0033 34:0034 35:0035 36:0036 37:0037 38:0038 39:0039 3A:003A 3B:003B 3C:003C
3D:003D 3E:003E 3F:003F 40:00A1 41:0041 42:0042 43:0043 44:0044 45:0045 46:0046 47:0047 48:0048
49:0049 4A:004A 4B:004B 4C:004C 4D:004D 4E:004E 4F:004F 50:0050 51:0051 52:0052 53:0053 54:0054
55:0055 56:0056 57:0057 58:0058 59:0059 5A:005A 5B:00C4 5C:00D6 5D:00D1 5E:00DC 5F:00A7 60:00BF
61:0061 62:0062 63:0063 64:0064 65:0065 66:0066 67:0067 68:0068 69:0069 6A:006A 6B:006B 6C:006C
6D:006D 6E:006E 6F:006F 70:0070 71:0071 72:0072 73:0073 74:0074 75:0075 76:0076 77:0077 78:0078
79:0079 7A:007A 7B:00E4 7C:00F6 7D:00F1 7E:00FC 7F:00E0 1B0A:000C 1B14:005E 1B28:007B 1B29:007D
1B2F:005C 1B3C:005B 1B3D:007E 1B3E:005D 1B40:007C 1B65:20AC
"""


def test_every_character_has_the_septets_that_perl_gives_it():
    table = {
        chr(int(code, 16)): bytes.fromhex(septets) for septets, code in (p.split(":") for p in PERL.split())
    }
    assert len(table) == 137
    assert {character: alphabet.encode(character) for character in CHARACTERS} == table


@pytest.mark.parametrize("character", [c for c in CHARACTERS if c not in "§\f"])  # smpplib knows neither
def test_every_character_has_the_septets_that_smpplib_gives_it(character):
    assert alphabet.encode(character) == gsm_encode(character)


@pytest.mark.parametrize("character", CHARACTERS)
def test_every_character_comes_back(character):
    assert alphabet.decode(alphabet.encode(character)) == character


@pytest.mark.rule("text.extension", "text.unpacked")
def test_text_and_septets():
    assert alphabet.encode("¡Olé @ 5€!") == b"\x40Ol\x05 \x00 5\x1be!"
    assert alphabet.decode(b"\x40Ol\x05 \x00 5\x1be!") == "¡Olé @ 5€!"


@given(st.text(CHARACTERS))
def test_any_text_of_the_alphabet_comes_back(text):
    assert alphabet.decode(alphabet.encode(text)) == text


@given(st.text())
def test_a_text_is_refused_at_its_first_foreign_character(text):
    foreign = [i for i, character in enumerate(text) if character not in CHARACTERS]
    if foreign:
        with pytest.raises(Unencodable) as refusal:
            alphabet.encode(text)
        assert refusal.value.position == foreign[0]
        assert refusal.value.character == text[foreign[0]]
    else:
        assert len(alphabet.encode(text)) >= len(text)


@pytest.mark.parametrize("text", ["ç", "`", "\x1b", "’", "А", "\u00a0", "\x00", "1\u0301"])
def test_near_misses_are_refused(text):
    with pytest.raises(Unencodable):
        alphabet.encode(text)


def test_the_refusal_names_the_character_by_its_number():
    with pytest.raises(Unencodable, match=r"U\+2019 at position 3"):
        alphabet.encode("don’t")


@pytest.mark.parametrize(
    ("septets", "text"),
    [
        (b"a\x1b", "a "),
        (b"\x1b\x1bA", " A"),
        (b"\x1bA", "A"),
        (b"\x1b\x00", "@"),
        (b"\x1b\nx", "\fx"),
        (b"\x80\xff", "\ufffd\ufffd"),
        (b"\x1b\x80", "\ufffd"),
        (b"", ""),
    ],
)
def test_what_no_sender_should_send_is_shown_as_the_standard_says(septets, text):
    assert alphabet.decode(septets) == text


@given(st.binary())
def test_any_octets_decode(octets):
    assert isinstance(alphabet.decode(octets), str)
    assert isinstance(ucs2.decode(octets), str)


@pytest.mark.rule("text.ucs2")
def test_ucs2_is_big_endian_without_a_mark():
    assert ucs2.encode("नम😀") == b"\x09\x28\x09\x2e\xd8\x3d\xde\x00"
    assert ucs2.decode(b"\x09\x28\x09\x2e\xd8\x3d\xde\x00") == "नम😀"


def test_ucs2_refuses_half_a_pair():
    with pytest.raises(Unencodable) as refusal:
        ucs2.encode("ab\ud83d")
    assert (refusal.value.position, refusal.value.character) == (2, "\ud83d")


def test_ucs2_replaces_what_was_cut_off():
    assert ucs2.decode(b"\x00a\xd8\x3d") == "a\ufffd"
    assert ucs2.decode(b"\x00a\x00") == "a\ufffd"
