import json
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result

from connector.evidence import keys
from connector.evidence.chain import GENESIS
from connector.evidence.keys import text_hmac
from connector.journal.evidence import Keeping
from connector.journal.store import Store
from connector.model import Content, LiveJob, Proof
from tests.evidence.diary import DAY, Diary
from tests.evidence_cli.conftest import run

TEXT = "Votre code est 482917. Ne le donnez à personne."
SPOKEN = "Your code is 4 8 2 9 1 7."
NUMBER = "+447700900077"
SECRET = "with the secret key of the chain and the public key"


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    """A journal as the daemon keeps it: two closed days, and the third one that is open."""
    kept = Diary(tmp_path / "state")
    kept.delivered("two-parts", NUMBER, 2)
    kept.feedback(kept.called("call", NUMBER))
    kept.next_day()
    late = kept.sent(b"late", "late")
    kept.finish(late)
    kept.receipt(b"late")
    kept.next_day()
    kept.delivered("today", NUMBER)
    kept.file()
    kept.delivered("just-now", NUMBER)
    yield kept
    kept.store.connection.close()


def on(diary: Diary, name: str, *arguments: object) -> Result:
    return run(diary.state, name, *arguments)


def tell(diary: Diary, id: str, sms: tuple[str, ...], voice: tuple[str, ...], app: int | None = None) -> None:
    """A job of these texts, delivered."""
    key = diary.keeping.keys.text
    proof = Proof(
        sms=tuple(text_hmac(key, text) for text in sms), voice=tuple(text_hmac(key, text) for text in voice)
    )
    job = LiveJob(
        key=next(diary._rows), app=app or diary.app, id=id, recipient=NUMBER, content=Content(TEXT, "Acme"),
        accepted_at=diary.now, deadline_at=diary.now + 60, proof=proof,
    )  # fmt: skip
    diary.commit(accepts=[diary.accept_op(job)])
    diary.finish(job, "delivered", "delivered")


def tamper(diary: Diary) -> str:
    """One letter of one record becomes another; says where."""
    (path, *_) = sorted((diary.state / "evidence").glob("*.jsonl"))
    path.write_bytes(path.read_bytes().replace(b'"two-parts"', b'"two-party"', 1))
    return f"{path.name}:2"


def test_what_is_whole(diary: Diary) -> None:
    done = on(diary, "verify")
    assert (done.exit_code, done.stderr) == (0, "")
    seq, mac = diary.evidence.head
    assert done.stdout.splitlines() == [
        f"{seq} records, 2 closed days, verified {SECRET}: nothing amiss", f"head {seq}:{mac}",
    ]  # fmt: skip


def test_as_json(diary: Diary) -> None:
    done = on(diary, "verify", "--json")
    assert done.exit_code == 0
    seq, mac = diary.evidence.head
    assert json.loads(done.stdout) == {
        "schema": 1, "ok": True, "records": seq, "days": 2, "head": {"seq": seq, "mac": mac},
        "public_key_only": False, "findings": [],
    }  # fmt: skip


def test_what_was_tampered_with(diary: Diary) -> None:
    where = tamper(diary)
    done = on(diary, "verify")
    assert done.exit_code == 1
    assert done.stdout.startswith(f"{where}: ")
    found = json.loads(on(diary, "verify", "--json").stdout)
    assert not found["ok"]
    assert found["findings"][0]["where"] == where
    assert on(diary, "verify", "--public-key", diary.state / "evidence" / "public.pem").exit_code == 1


def test_by_the_public_key_alone(diary: Diary, tmp_path: Path) -> None:
    """As an auditor has it: a copy of the closed days, and the key from somewhere else."""
    copy = tmp_path / "copy"
    shutil.copytree(diary.state / "evidence", copy / "evidence", ignore=shutil.ignore_patterns("*.key"))
    newest = sorted((copy / "evidence").glob("*.jsonl"))[-1]
    newest.unlink()
    public = (copy / "evidence" / "public.pem").rename(tmp_path / "theirs.pem")
    done = run(copy, "verify", "--public-key", public)
    assert done.exit_code == 0, done.output
    assert "2 closed days, verified with theirs.pem alone: nothing amiss" in done.stdout
    assert "without the chain's secret key nothing is proved of what no signed head covers" in done.stdout
    # Without any option the same is done, with the key that lies there.
    assert "verified with the public key alone: nothing amiss" in run(copy, "verify").stdout


def test_by_a_key_that_did_not_sign(diary: Diary, tmp_path: Path) -> None:
    stranger = Diary(tmp_path / "stranger")
    (tmp_path / "stranger" / "evidence" / "signing.key").unlink()
    (tmp_path / "stranger" / "evidence" / "public.pem").unlink()
    stranger.store.connection.close()
    keys.load(tmp_path / "stranger")
    done = on(diary, "verify", "--public-key", tmp_path / "stranger" / "evidence" / "public.pem")
    assert done.exit_code == 1


def test_keys_that_were_replaced(diary: Diary, tmp_path: Path) -> None:
    folder = diary.state / "evidence"
    older = (folder / "public.pem").rename(tmp_path / "older.pem")
    for name in ("chain", "signing"):
        (folder / f"{name}.key").rename(folder / f"{name}-2023.key")
    diary.store.connection.close()
    keeping = Keeping(diary.state, keys.load(diary.state), "verification", "0.1")
    diary.store = Store(diary.path, retention_s=9e9, answer_timeout_s=1.0, keeping=keeping)
    tell(diary, "newest", (TEXT,), ())
    diary.now += DAY
    diary.store.file_evidence(diary.now)
    done = on(diary, "verify")
    assert (done.exit_code, "3 closed days" in done.stdout) == (0, True), done.output
    newer = folder / "public.pem"
    assert newer.read_bytes() != older.read_bytes()
    assert on(diary, "verify", "--public-key", newer).exit_code == 1
    assert on(diary, "verify", "--public-key", older).exit_code == 1
    assert on(diary, "verify", "--public-key", older, "--public-key", newer).exit_code == 0
    diary.store.close()


def test_a_head_of_the_log(diary: Diary) -> None:
    seq, mac = diary.evidence.head
    assert on(diary, "verify", "--head", f"{seq}:{mac[:16]}").exit_code == 0
    assert on(diary, "verify", "--head", f"{seq}:{mac}").exit_code == 0
    assert on(diary, "verify", "--head", f"{seq}:{mac[::-1][:16]}").exit_code == 1
    assert on(diary, "verify", "--head", f"{seq + 1}:{mac[:16]}").exit_code == 1
    for wrong in (str(seq), f"seven:{mac}", f"7:{mac[:15]}", f"7:{mac[:15]}g"):
        done = on(diary, "verify", "--head", wrong)
        assert done.exit_code == 2
        assert "expected a record's number and 16 digits of its MAC" in done.stderr


def test_a_key_that_is_none(diary: Diary, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no key")
    done = on(diary, "verify", "--public-key", wrong)
    assert done.exit_code == 1
    assert done.stderr == f"Error: {wrong} holds no Ed25519 public key, expected PEM\n"


@pytest.mark.parametrize("name", ["export", "verify"])
def test_no_evidence_is_said(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, name)
    assert done.exit_code == 1
    assert done.stderr == f"Error: {tmp_path}: no evidence here, expected the state folder of a lane\n"


def test_records_of_files_and_of_the_journal_are_exported(diary: Diary) -> None:
    done = on(diary, "export", "--format", "jsonl", "--kind", "job")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["job"] for row in rows] == ["two-parts", "call", "late", "today", "just-now"]
    assert rows[0]["message_ids"] == ["1", "2"]
    assert rows[0]["receipts"] == ["DELIVERED", "DELIVERED"]
    assert (rows[1]["keys"], rows[1]["talk_s"], rows[1]["carriers"]) == ("12", 16.5, ["north"])
    assert {row["to"] for row in rows} == {"+4477•••••77", "+4477•••••01"}
    assert NUMBER not in done.stdout
    later = on(diary, "export", "--format", "jsonl", "--kind", "late").stdout
    assert [json.loads(line)["what"] for line in later.splitlines()] == [["feedback"], ["receipt"]]
    assert on(diary, "export", "--format", "jsonl", "--to", NUMBER).stdout.count("\n") == 4


def test_a_text_that_was_sent(diary: Diary, tmp_path: Path) -> None:
    tell(diary, "told", ("other", TEXT), (SPOKEN,))
    done = on(diary, "match", "told", "--text", TEXT)
    assert (done.exit_code, done.stdout) == (0, "it is text 2 of the text message\n")
    done = on(diary, "match", "told", "--text", SPOKEN, "--json")
    assert json.loads(done.stdout) == {
        "schema": 1, "ok": True, "seq": diary.evidence.head[0], "matches": [{"channel": "voice", "text": 1}],
    }  # fmt: skip
    file = tmp_path / "text"
    file.write_text(TEXT + "\n")
    assert on(diary, "match", "told", "--text-file", file).exit_code == 0


@pytest.mark.parametrize("text", [TEXT.replace("7", "8"), TEXT + " ", TEXT.replace("à", "a\u0300"), ""])
def test_a_text_that_was_not_sent(diary: Diary, text: str) -> None:
    tell(diary, "told", (TEXT,), ())
    done = on(diary, "match", "told", "--text", text)
    assert (done.exit_code, done.stdout) == (1, "it is none of the texts of this job\n")


def test_a_match_needs_the_secret(diary: Diary, tmp_path: Path) -> None:
    tell(diary, "told", (TEXT,), ())
    key = (diary.state / "evidence" / "chain.key").rename(tmp_path / "elsewhere")
    done = on(diary, "match", "told", "--text", TEXT)
    assert done.exit_code == 1
    assert "the chain's secret key is not here; name it with --chain-key" in done.stderr
    assert on(diary, "match", "told", "--text", TEXT, "--chain-key", key).exit_code == 0
    assert on(diary, "verify", "--chain-key", key).exit_code == 0


def test_a_match_of_nothing_is_bad_usage(diary: Diary) -> None:
    assert on(diary, "match", "today").exit_code == 2


def test_a_certificate_as_html(diary: Diary, tmp_path: Path) -> None:
    path = tmp_path / "call.html"
    done = on(diary, "certificate", "call", "-o", path)
    assert (done.exit_code, done.output) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    html = path.read_text("utf-8")
    assert "The chain is whole." in html
    assert "said that it was used" in html
    assert "Signature, Ed25519" in html
    assert "482917" not in html
    assert NUMBER[3:] not in html
    printed = on(diary, "certificate", "call", "--numbers")
    assert printed.exit_code == 0
    assert NUMBER in printed.stdout


def test_certificates_of_every_place_in_the_chain(diary: Diary) -> None:
    for id, said in {
        "two-parts": "north took part 2 of 2",
        "late": "Receipt DELIVERED from",
        "today": "none yet: it is signed",
        "just-now": "journal.db:",
    }.items():
        done = on(diary, "certificate", id)
        assert done.exit_code == 0, done.stderr
        assert said in done.stdout.replace("<bdi>", "").replace("</bdi>", "")


def test_a_certificate_of_somebody_who_is_forgotten(diary: Diary) -> None:
    diary.redact(number=NUMBER)
    diary.redact((2, 3))
    diary.now += DAY / 4
    diary.file()
    done = on(diary, "certificate", "two-parts", "--numbers")
    assert done.exit_code == 0, done.stderr
    assert "the person is to be forgotten" in done.stdout
    assert NUMBER not in done.stdout
    row = json.loads(on(diary, "export", "--numbers", "--format", "jsonl", "--job", "two-parts").stdout)
    assert (row["to"], row["personal"]) == (None, "removed")


@pytest.mark.filterwarnings("ignore:HarfBuzz-Subset:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*sRGB2014:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("pango")
def test_a_certificate_as_pdf(diary: Diary, tmp_path: Path) -> None:
    path = tmp_path / "call.pdf"
    done = on(diary, "certificate", "call", "-o", path)
    assert (done.exit_code, done.output) == (0, "")
    assert path.read_bytes().startswith(b"%PDF-1.7")


def test_a_pdf_without_weasyprint(diary: Diary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    done = on(diary, "certificate", "call", "-o", tmp_path / "call.pdf")
    assert done.exit_code == 1
    assert "PDF needs weasyprint: pip install 'carrier-connector[pdf]'" in done.stderr
    assert not (tmp_path / "call.pdf").exists()


def test_a_certificate_says_that_the_chain_is_broken(diary: Diary, tmp_path: Path) -> None:
    where = tamper(diary)
    path = tmp_path / "call.html"
    done = on(diary, "certificate", "call", "-o", path)
    assert (done.exit_code, done.stderr) == (1, "the chain is not whole; the certificate says where\n")
    assert where in path.read_text("utf-8")
    assert "The chain is whole" not in path.read_text("utf-8")


@pytest.mark.parametrize(
    "record", ["{}", '{"app":1,"id":"call"}', '{"app":"a","attempts":[{}],"id":"call"}', "[]"]
)
def test_a_record_of_somebody_else(diary: Diary, record: str) -> None:
    """What was tampered with is told in one line, whatever it is now."""
    (path, *_) = sorted((diary.state / "evidence").glob("*.jsonl"))
    line = f'{{"at":1.0,"kind":"job","mac":"{GENESIS}","record":{record},"seq":3}}\n'
    path.write_text(line + path.read_text("utf-8"), "utf-8")
    assert on(diary, "verify").exit_code == 1
    for name, *more in (
        ("export",),
        ("export", "--carrier", "x"),
        ("certificate", "call"),
        ("match", "call", "--text", "x"),
    ):
        done = on(diary, name, *more)
        assert isinstance(done.exception, SystemExit | None), (name, done.exception)
        assert "Traceback" not in done.output


def test_a_certificate_without_verifying(diary: Diary) -> None:
    tamper(diary)
    done = on(diary, "certificate", "call", "--unverified")
    assert done.exit_code == 0
    assert "The chain was not verified for this document." in done.stdout


def test_a_job_that_is_not_there(diary: Diary) -> None:
    diary.accept("open")
    for name, more in (("certificate", ()), ("match", ("--text", "x"))):
        done = on(diary, name, "open", *more)
        assert done.exit_code == 1
        assert done.stderr.startswith("Error: open: no record; a job has one when it has ended")


def test_an_id_of_two_applications(diary: Diary) -> None:
    tell(diary, "today", (TEXT,), (), diary.store.app("bank"))
    done = on(diary, "certificate", "today")
    assert done.exit_code == 1
    assert done.stderr == "Error: today: jobs of bank, shop have this id; say which with --app\n"
    assert on(diary, "certificate", "today", "--app", "bank").exit_code == 0


def test_another_suffix_is_bad_usage(diary: Diary, tmp_path: Path) -> None:
    done = on(diary, "certificate", "call", "-o", tmp_path / "call.docx")
    assert done.exit_code == 2
