"""Every shipped profile and any text: what the handset shows is what was given, or it was refused."""

import asyncio
import re
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers.contract import Unsendable
from connector.carriers.encoding import SubmitEncoder
from connector.carriers.preview import MAX_PARTS, preview_of_text
from connector.cli.like import options_like
from connector.config import CarrierFile, load_carrier
from connector.model import Content, LiveJob
from connector.simulator.handsets import Arrival, Handsets
from connector.simulator.options import SmscOptions
from connector.simulator.reading import Reading
from protocols.smpp.pdu import decode, encode
from tests.daemon.harness import Application, Lane, Site

REPOSITORY = Path(__file__).parents[2]
PROFILES = sorted((REPOSITORY / "config" / "profiles").glob("*.toml"))
BY_NAME = [pytest.param(path, id=path.stem) for path in PROFILES]
SENDER = "ACME"
NOW = 1_700_000_000.0
REGISTERED = {"dlt_template_id": "1107161234567890123"}

LETTERS = (
    "abc XYZ 0123456789 @£$_!\"#%&'()*+,-./:;<=>?[]{}\\^~|€\n",
    "àéèùìòçñøåæßäöüÄÖÑÜ§¿¡âêîôûãõ’“”–\u00a0",
    "ğışçŞİĞ", "αβγΔΦΓΛΩ", "абвгдеёжзЖЗИ", "אבגדה", "ابتثپچکگہیے۔،", "अआइईउऊकखगघा ि ी ु ू े ै ो ौ ् ं । ०१२",
    "অআইউকখগঘািীে্", "અઆઇકખગાિી્", "ಅಆಇಕಖಗಾಿೀ್", "അആഇകഖഗാിീ്", "ଅଆଇକଖଗାିୀ୍", "ਅਆਇਕਖਗਾਿੀ੍", "அஆஇகஙசாிீ்",
    "అఆఇకఖగాిీ్", "ไทยกขคงจั ่ ้", "សួស្តី", "မြန်မာ", "您的验证码是，请勿告诉。", "確認コード",
    "인증번호는입니다",
    "😀👩‍👩‍👧🇩🇪❤️1️⃣", "𐍈𝒳🂡", "é ở ạ̈\u0301\u200d\u200e\ufeff",
)  # fmt: skip
ONE_SCRIPT = st.sampled_from(LETTERS)
TEXTS = (
    st.text(st.characters(), min_size=1, max_size=300)
    | st.lists(ONE_SCRIPT.flatmap(lambda letters: st.text(letters, max_size=60)), max_size=8).map("".join)
    | ONE_SCRIPT.flatmap(lambda letters: st.text(letters, max_size=900))
).filter(bool)


@cache
def profile(path: Path) -> CarrierFile:
    return load_carrier(path)


@cache
def encoder(path: Path) -> SubmitEncoder:
    return SubmitEncoder(profile(path), MAX_PARTS, Random(1))


@cache
def options(path: Path) -> SmscOptions:
    return SmscOptions().changed(options_like(profile(path)))


def job(text: str) -> LiveJob:
    content = Content(text, SENDER, registered=REGISTERED)
    return LiveJob(
        key=1, app=1, id="j", recipient="+447700910000", content=content, accepted_at=NOW,
        deadline_at=NOW + 60.0,
    )  # fmt: skip


def after(text: str, substituted: list[dict[str, Any]]) -> str:
    """`text` with what was reported as replaced, and as often."""
    if not substituted:
        return text
    table = {entry["from"]: entry["to"] for entry in substituted}
    longest_first = sorted(table, key=len, reverse=True)
    made = re.compile("|".join(map(re.escape, longest_first)))
    assert len(made.findall(text)) == sum(entry["times"] for entry in substituted)
    return made.sub(lambda found: table[found[0]], text)


def squeezed(text: str) -> str:
    """A CR at the end of a packed part may have got a second one, which shows nothing more."""
    return re.sub("\r+", "\r", text)


@pytest.mark.rule(
    "text.lossless", "text.substitution-reported", "text.substitution-approved", "text.long-one-form"
)
@pytest.mark.parametrize("path", BY_NAME)
@given(text=TEXTS)
def test_the_handset_shows_what_was_given(path: Path, text: str) -> None:
    preview = preview_of_text(text, profile(path))
    try:
        pdus, substituted = encoder(path).encode(job(text), NOW)
    except Unsendable as error:
        assert preview["refused"] == str(error)
        return
    assert preview["refused"] is None
    assert preview["parts"] == len(pdus)
    reported = [tuple(entry[key] for key in ("from", "to", "times")) for entry in preview["substituted"]]
    assert tuple(reported) == substituted
    assert {original for original, _, _ in substituted} <= set(profile(path).text.substitutions)

    handsets = Handsets(1_000, Reading(options(path)))
    for number, pdu in enumerate(pdus):
        assert decode(encode(pdu, sequence=number)).pdu == pdu
        handsets.arrive(Arrival(pdu, b"%d" % number))
    (received,) = handsets
    assert squeezed(received.text) == squeezed(after(text, preview["substituted"]))


# The same by way of the daemon, on the wire

SENTENCES = {
    "English": "482917 is your ACME code. Never tell it to anybody.",
    "brackets": "Code {4829} [17] ~ 5€ ^|\\ @",
    "German": "Ihr Code lautet 482917. Geben Sie ihn niemandem – auch uns nicht!",
    "French": "Votre code est 482917. Ne le communiquez à personne, même pas à l’équipe. Ça coûte 5 £.",
    "Turkish": "Doğrulama kodunuz 482917. Lütfen kimseyle paylaşmayın. Şifreniz değişti.",
    "Portuguese": "O seu código é 482917. Não o partilhe. Ligação às três, avô.",
    "Greek": "Ο κωδικός σας είναι 482917. Μην τον κοινοποιήσετε.",
    "Russian": "Ваш код 482917. Никому его не сообщайте.",
    "Arabic": "رمز التحقق الخاص بك هو 482917. لا تشاركه مع أي شخص.",
    "Hebrew": "קוד האימות שלך הוא 482917. אל תמסרו אותו לאיש.",
    "Hindi": "आपका सत्यापन कोड 482917 है। इसे किसी के साथ साझा न करें।",
    "Tamil": "உங்கள் குறியீடு 482917. யாரிடமும் பகிர வேண்டாம்.",
    "Urdu": "آپ کا کوڈ 482917 ہے۔ اسے کسی کے ساتھ شیئر نہ کریں۔",
    "Chinese": "【ACME】您的验证码是482917，请勿告诉他人。",
    "Japanese": "確認コードは482917です。誰にも教えないでください。",
    "Korean": "인증번호는 482917입니다. 타인에게 알려주지 마세요.",
    "Thai": "รหัสของคุณคือ 482917 ห้ามบอกผู้อื่น",
    "emoji": "482917 👩‍👩‍👧 🇩🇪 ❤️",
}
TEMPLATE = """\
lane = "verification"
purpose = "Any text"
default_lang = "en"
text = { en = "{text}" }
params.text = { kind = "text", max_length = 1000 }
registered = { dlt_template_id = "1107161234567890123" }
"""


def written(site: Site, path: Path, port: int) -> Lane:
    """The profile as it is shipped, but for the account."""
    account = {
        'host = "smsc.example"': 'host = "127.0.0.1"',
        "port = 2775": f"port = {port}",
        'password_credential = "secret_carrier"': 'password_file = "password"',
    }
    text = path.read_text("utf-8")
    for shipped, ours in account.items():
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, ours)
    for folder in ("carriers", "templates"):
        (site.config / folder).mkdir(parents=True)
    (site.config / "carriers" / "like.toml").write_text(text, "utf-8")
    (site.config / "templates" / "any.toml").write_text(TEMPLATE, "utf-8")
    return Lane((), jobs={"max_parts": 20})


@pytest.fixture
def site(random: Random) -> Any:
    site = Site(random.getrandbits(32))
    try:
        yield site
    finally:
        site.close()


@pytest.mark.rule("text.lossless", "text.default-alphabet", "text.substitution-reported")
@pytest.mark.asyncio
@pytest.mark.parametrize("path", BY_NAME)
async def test_a_daemon_and_a_carrier_like_that(site: Site, path: Path) -> None:
    carrier = await asyncio.to_thread(site.carrier, like=path)
    lane = await asyncio.to_thread(written, site, path, carrier.port)
    await asyncio.to_thread(site.start, lane)
    texts = [text for sentence in SENTENCES.values() for text in (sentence, " ".join([sentence] * 6))]
    async with Application(site.socket_path) as shop:
        jobs = [
            {
                "id": f"{number}", "to": f"+44770091{number:04}", "template": "any", "lang": "en",
                "params": {"text": text}, "deadline_s": 30.0,
            }
            for number, text in enumerate(texts)
        ]  # fmt: skip
        refused = 0
        for job, job_id, text in zip(jobs, await shop.submit_many(jobs), texts, strict=True):
            final = await shop.final(job_id, 40)
            preview = preview_of_text(text, profile(path))
            inbox = [received for received in carrier.ask("handsets", number=job["to"])]
            if preview["refused"] is not None:
                assert (final.outcome, inbox) == ("rejected", [])
                refused += 1
                continue
            assert final.outcome == "delivered"
            sent = next(event for event in shop.of(job_id) if event.type == "sent")
            assert sent.parts == preview["parts"]
            assert [received["text"] for received in inbox] == [after(text, preview["substituted"])]
        assert refused < len(texts) / 2
