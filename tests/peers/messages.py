"""What the tests of this folder send, and how a handset puts the parts together."""

from collections import defaultdict
from collections.abc import Iterable

LATIN = "Your ACME code is 482917. Never tell it to anybody."
GSM_ONLY = "Ihr Code für @Köln: {4829} [17] ~ 5€ ^|\\ ΔΣΩ ñ à"
CHINESE = "【ACME】您的验证码是482917，请勿告诉他人。"
LONG_LATIN = "".join(f"Line {number:02} of a long notice with {{braces}}. " for number in range(1, 13))
LONG_CHINESE = "".join(f"第{number:02}条：您的验证码是482917，请勿告诉任何人😀。" for number in range(1, 9))

TEXTS = {
    "latin": LATIN,
    "gsm": GSM_ONLY,
    "chinese": CHINESE,
    "long-latin": LONG_LATIN,
    "long-chinese": LONG_CHINESE,
}


def whole_texts(parts: Iterable[tuple[str, bytes, str]]) -> dict[str, str]:
    """The text of each recipient, from (recipient, user data header without its length, text of the part).

    TS 23.040 §9.2.3.24.1 and .8: element 00 is reference, total, number; 08 has a reference of two octets.
    """
    found: dict[str, dict[int, str]] = defaultdict(dict)
    totals: dict[str, int] = {}
    references: dict[str, bytes] = {}
    for recipient, header, text in parts:
        reference, total, number = b"", 1, 1
        if header:
            assert (header[0], header[1]) in ((0x00, 3), (0x08, 4))
            assert len(header) == 2 + header[1]
            reference, total, number = header[2:-2], header[-2], header[-1]
        assert references.setdefault(recipient, reference) == reference
        assert totals.setdefault(recipient, total) == total
        assert number not in found[recipient]
        found[recipient][number] = text
    for recipient, numbered in found.items():
        assert sorted(numbered) == list(range(1, totals[recipient] + 1))
    return {
        recipient: "".join(numbered[number] for number in sorted(numbered))
        for recipient, numbered in found.items()
    }
