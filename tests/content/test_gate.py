"""The rules one by one, what is allowed, and what is never held against a text."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from random import Random
from string import ascii_uppercase, digits
from threading import Thread
from time import process_time

import pytest

from connector.templates.content import ContentGate, Finding

REPOSITORY = Path(__file__).parents[2]
ALLOW = ("Free Mobile", "Sconti & Figli", "https://t.acme.example/", "https://acme.example")
GATE = ContentGate(ALLOW)


def shown(text: str, lang: str | None = "en") -> tuple[str, str] | None:
    """The rule and the characters it points at."""
    found = GATE.judge(text, lang)
    return None if found is None else (found.rule, text[found.start : found.end])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Enjoy our special offer now", ("lexicon", "special offer")),
        ("Get 20 % off today", ("price", "20 % off")),
        ("Yours for only €4.99", ("price", "for only €4.99")),
        ("Bye. Reply STOP to end", ("opt_out", "Reply STOP")),
        ("See https://evil.example/x.", ("url", "https://evil.example/x")),
        ("See evil.example/x now", ("url", "evil.example/x")),
        ("An\u200bna", ("hidden", "\u200b")),
        ("\u202eedoc", ("hidden", "\u202e")),
        ("a summer s\u0430le!", ("lexicon", "summer s\u0430le")),
        ("f.r.e.e", ("lexicon", "f.r.e.e")),
        ("so fr33 x", ("lexicon", "fr33")),
        ("w!n a car", ("lexicon", "w!n a")),
        ("freeeee gift", ("lexicon", "freeeee")),
        ("pro\nmotion", ("lexicon", "pro\nmotion")),
        ("FreeGift", ("lexicon", "FreeGift")),
        ("\uff33\uff21\uff2c\uff25 20%", ("lexicon", "\uff33\uff21\uff2c\uff25")),
    ],
)  # fmt: skip
def test_what_is_found_and_where(text: str, expected: tuple[str, str]) -> None:
    assert shown(text) == expected


def test_a_finding_names_our_entry_and_never_the_text() -> None:
    assert GATE.judge("Hi J\u00f6rg, sp\u0435ci\u0430l offers inside", "en") == Finding(
        "lexicon", "special offer*", "en", 9, 22
    )


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "482917", "00 44", "12:30–14:00", "Anna Miller", "Free", "Sale", "Mr Bonus", "Discount",
        "Jean Free-Mobile", "Free Mobile", "Sconti & Figli", "https://t.acme.example/free-gift-sale",
        "https://ACME.example/a", "https://acme.example",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "👨\u200d👩\u200d👧 Anna", "می\u200cخواهم", "क\u094d\u200dष", "co\u00adde", "Amazon.de",
        "24/7", "S.A./B.V.", "W1N 4AB", "SALE-20931", "Salem", "Windows", "Bonusz Ádám",
    ],
)  # fmt: skip
def test_what_is_no_marketing(text: str) -> None:
    assert GATE.judge(text, "en") is None


@pytest.mark.parametrize(
    "address",
    [
        "https://t.acme.example.evil.example/", "https://acme.example.evil.example/a",
        "https://acme.example@evil.example/a",
        "http://t.acme.example/", "https://acme.examplex/", "HTTPS://evil.example/https://t.acme.example/",
        "\uff48ttps://evil.example/", "ht\u200btps://evil.example/", "www.evil.example", "WWW.evil.example",
    ],
)  # fmt: skip
def test_an_address_must_begin_with_an_allowed_one(address: str) -> None:
    found = GATE.judge(f"See {address} ok", "en")
    assert found is not None
    assert (found.rule, found.start) == ("url", 4)


def test_weak_words_need_company_of_their_language() -> None:
    assert GATE.judge("Votre offre est prête", "fr") is None
    assert GATE.judge("Votre offre en boutique", "fr") is not None
    assert GATE.judge("Il tecnico sale oggi, prezzi invariati", "it") is None
    assert GATE.judge("the same word: win or win", "en") is None
    assert GATE.judge("win a", "de") is not None  # strong counts everywhere


def test_a_clean_phrase_covers_only_itself() -> None:
    assert GATE.judge("feel free to call", "en") is None
    assert GATE.judge("feel free gift", "en") is not None
    assert GATE.judge("Free Mobile: special offer", "fr") is not None


def test_codes_are_no_words(random: Random) -> None:
    """Random codes: an alphanumeric one may spell a word, once in very many."""
    found = 0
    for _ in range(20_000):
        code = "".join(random.choices(digits + ascii_uppercase, k=random.randint(5, 8)))
        found += GATE.judge(f"Your code is {code}.", "en") is not None
        number = "".join(random.choices(digits, k=6))
        assert GATE.judge(f"{number[:3]} {number[3:]} is your code", "en") is None
    assert found <= 2


def templates() -> Iterator[tuple[str, str, str]]:
    for path in sorted((REPOSITORY / "config").rglob("*.toml")):
        file = tomllib.loads(path.read_text("utf-8"))
        own = path.parent.name == "templates" and file["lane"] != "marketing"
        if own or path.parent.name == "catalogue":
            yield from ((path.name, lang, text) for lang, text in file["text"].items())


def test_no_shipped_template_is_refused() -> None:
    texts = list(templates())
    assert len(texts) >= 10
    for name, lang, text in texts:
        assert GATE.judge(text, lang) is None, (name, lang)


def test_the_shipped_marketing_template_would_be() -> None:
    path = REPOSITORY / "config" / "marketing" / "templates" / "spring-offer.toml"
    for lang, text in tomllib.loads(path.read_text("utf-8"))["text"].items():
        assert GATE.judge(text, lang) is not None


LONG = (
    "e" * 20_000, "free " * 4_000, "freeee feel free " * 1_200, "o f f e r " * 2_000, "fr3e " * 4_000,
    "€1 only " * 2_500, "e\u0301" * 10_000, "only " * 3_000 + "€5", "a.bc/" * 4_000, "무 " * 10_000,
)  # fmt: skip


@pytest.mark.parametrize("text", LONG, ids=range(len(LONG)))
def test_no_text_takes_long(text: str) -> None:
    """20,000 characters, ten times what a message may have, in well under a second of processor time."""
    began = process_time()
    GATE.judge(text, "en")
    assert process_time() - began < 1.0


def test_threads_may_share_a_gate(random: Random) -> None:
    texts = [chr(random.randrange(0x21, 0x3000)) * 3 + " special offer" for _ in range(300)]
    expected = [GATE.judge(text) for text in texts]
    fresh = ContentGate(ALLOW)
    found: list[list[Finding | None]] = []
    threads = [Thread(target=lambda: found.append([fresh.judge(text) for text in texts])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_what_a_lane_pays_for_it() -> None:
    """No HTTP client comes with the data of UTS #39, and `connector.templates` alone loads none of it."""
    program = "import sys; import connector.templates{}; print(*sys.modules)"
    run = [sys.executable, "-c"]
    with_gate = subprocess.run(
        [*run, program.format(".content.gate")], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split()
    without = subprocess.run(
        [*run, program.format("")], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "confusable_homoglyphs.confusables" not in with_gate
    assert {"urllib.request", "asyncio"}.isdisjoint(with_gate)
    assert "ahocorasick_rs" not in without
