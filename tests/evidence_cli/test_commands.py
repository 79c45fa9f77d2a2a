import json
import stat
import sys
from pathlib import Path

import pytest

from connector.evidence.keys import text_hmac
from tests.evidence_cli import samples
from tests.evidence_cli.conftest import DAY_S, Evidence

TEXT = "Votre code est 482917. Ne le donnez à personne."
SPOKEN = "Your code is 4 8 2 9 1 7."


def tampered(evidence: Evidence) -> None:
    """One letter of one record is another."""
    path = evidence.ledger.file("2026-11-23")
    octets = path.read_bytes()
    path.write_bytes(octets.replace(b"payment-90210", b"payment-90211", 1))


def with_text(evidence: Evidence) -> None:
    """A third day, with a job of two texts and a call."""
    key = evidence.ledger.keys.text
    line = samples.job(
        id="told", text_hmac={"sms": [text_hmac(key, "other"), text_hmac(key, TEXT)], "voice": [text_hmac(key, SPOKEN)]}
    )  # fmt: skip
    evidence.ledger.close_day([samples.moved(line, 2 * DAY_S)])


def test_what_is_whole(evidence: Evidence) -> None:
    done = evidence.run("verify")
    assert (done.exit_code, done.stderr) == (0, "")
    *_, verdict, head = done.stdout.splitlines()
    assert verdict == (
        "7 records, 2 closed days, verified with the secret key of the chain and the public key: nothing amiss"
    )
    assert head == f"head 7:{evidence.ledger.mac}"


def test_as_json(evidence: Evidence) -> None:
    done = evidence.run("verify", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "schema": 1, "ok": True, "records": 7, "days": 2, "head": {"seq": 7, "mac": evidence.ledger.mac},
        "public_key_only": False, "findings": [],
    }  # fmt: skip


def test_what_was_tampered_with(evidence: Evidence) -> None:
    tampered(evidence)
    done = evidence.run("verify")
    assert done.exit_code == 1
    assert done.stdout.startswith("2026-11-23.jsonl:3: ")
    found = json.loads(evidence.run("verify", "--json").stdout)
    assert not found["ok"]
    assert found["findings"][0]["where"] == "2026-11-23.jsonl:3"
    # Another's public key proves nothing of it either.
    assert evidence.run("verify", "--public-key", evidence.state / "evidence" / "public.pem").exit_code == 1


def test_by_the_public_key_alone(evidence: Evidence, tmp_path: Path) -> None:
    public = tmp_path / "theirs.pem"
    public.write_bytes((evidence.state / "evidence" / "public.pem").read_bytes())
    (evidence.state / "evidence" / "chain.key").unlink()
    (evidence.state / "evidence" / "signing.key").unlink()
    done = evidence.run("verify", "--public-key", public)
    assert done.exit_code == 0, done.output
    assert "verified with theirs.pem alone: nothing amiss" in done.stdout
    assert "without the chain's secret key nothing is proved of what no signed head covers" in done.stdout
    # Without any option the same is done, with the key that lies there.
    assert "verified with the public key alone" in evidence.run("verify").stdout


def test_by_a_key_that_did_not_sign(evidence: Evidence, tmp_path: Path) -> None:
    stranger = Evidence(tmp_path / "stranger")
    done = evidence.run("verify", "--public-key", stranger.state / "evidence" / "public.pem")
    assert done.exit_code == 1


def test_a_head_of_the_log(evidence: Evidence) -> None:
    mac = evidence.ledger.mac
    assert evidence.run("verify", "--head", f"7:{mac[:16]}").exit_code == 0
    assert evidence.run("verify", "--head", f"7:{mac}").exit_code == 0
    assert evidence.run("verify", "--head", f"7:{mac[::-1][:16]}").exit_code == 1
    assert evidence.run("verify", "--head", f"8:{mac[:16]}").exit_code == 1
    for wrong in ("7", "seven:" + mac, f"7:{mac[:15]}", f"7:{mac[:15]}g"):
        done = evidence.run("verify", "--head", wrong)
        assert done.exit_code == 2
        assert "expected a record's number and 16 digits of its MAC" in done.stderr


def test_a_key_that_is_none(evidence: Evidence, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no key")
    done = evidence.run("verify", "--public-key", wrong)
    assert done.exit_code == 1
    assert done.stderr == f"Error: {wrong} holds no Ed25519 public key, expected PEM\n"


def test_a_text_that_was_sent(evidence: Evidence, tmp_path: Path) -> None:
    with_text(evidence)
    done = evidence.run("match", "told", "--text", TEXT)
    assert (done.exit_code, done.stdout) == (0, "it is text 2 of the text message\n")
    done = evidence.run("match", "told", "--text", SPOKEN, "--json")
    assert json.loads(done.stdout) == {
        "schema": 1, "ok": True, "seq": 8, "matches": [{"channel": "voice", "text": 1}],
    }  # fmt: skip
    file = tmp_path / "text"
    file.write_text(TEXT + "\n")
    assert evidence.run("match", "told", "--text-file", file).exit_code == 0


@pytest.mark.parametrize("text", [TEXT.replace("7", "8"), TEXT + " ", TEXT.replace("à", "a\u0300"), ""])
def test_a_text_that_was_not_sent(evidence: Evidence, text: str) -> None:
    with_text(evidence)
    done = evidence.run("match", "told", "--text", text)
    assert (done.exit_code, done.stdout) == (1, "it is none of the texts of this job\n")


def test_a_match_needs_the_secret(evidence: Evidence, tmp_path: Path) -> None:
    with_text(evidence)
    key = (evidence.state / "evidence" / "chain.key").rename(tmp_path / "elsewhere")
    done = evidence.run("match", "told", "--text", TEXT)
    assert done.exit_code == 1
    assert "the chain's secret key is not here; name it with --chain-key" in done.stderr
    assert evidence.run("match", "told", "--text", TEXT, "--chain-key", key).exit_code == 0


def test_a_match_of_nothing_is_bad_usage(evidence: Evidence) -> None:
    assert evidence.run("match", "order-4711").exit_code == 2


def test_a_certificate_as_html(evidence: Evidence, tmp_path: Path) -> None:
    path = tmp_path / "order.html"
    done = evidence.run("certificate", "order-4711", "-o", path)
    assert (done.exit_code, done.output) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    html = path.read_text("utf-8")
    assert "The chain is whole." in html
    assert "7 records and 2 closed days" in html
    assert "said that it was used" in html
    assert samples.NUMBER not in html
    printed = evidence.run("certificate", "order-4711", "--numbers")
    assert printed.exit_code == 0
    assert samples.NUMBER in printed.stdout


@pytest.mark.filterwarnings("ignore:HarfBuzz-Subset:DeprecationWarning")
def test_a_certificate_as_pdf(evidence: Evidence, tmp_path: Path) -> None:
    path = tmp_path / "order.pdf"
    done = evidence.run("certificate", "payment-90210", "-o", path)
    assert (done.exit_code, done.output) == (0, "")
    octets = path.read_bytes()
    assert octets.startswith(b"%PDF-1.7")
    assert b"pdfaid" in octets


def test_a_pdf_without_weasyprint(
    evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    done = evidence.run("certificate", "order-4711", "-o", tmp_path / "order.pdf")
    assert done.exit_code == 1
    assert "PDF needs weasyprint: pip install 'carrier-connector[pdf]'" in done.stderr
    assert not (tmp_path / "order.pdf").exists()


def test_a_certificate_says_that_the_chain_is_broken(evidence: Evidence, tmp_path: Path) -> None:
    tampered(evidence)
    path = tmp_path / "order.html"
    done = evidence.run("certificate", "order-4711", "-o", path)
    assert (done.exit_code, done.stderr) == (1, "the chain is not whole; the certificate says where\n")
    assert "2026-11-23.jsonl:3" in path.read_text("utf-8")
    assert "The chain is whole" not in path.read_text("utf-8")


def test_a_job_that_is_not_there(evidence: Evidence) -> None:
    for name, more in (("certificate", ()), ("match", ("--text", "x"))):
        done = evidence.run(name, "order-4712", *more)
        assert done.exit_code == 1
        assert done.stderr.startswith("Error: order-4712: no record; a job has one when it has ended")


def test_an_id_of_two_applications(evidence: Evidence) -> None:
    evidence.ledger.close_day([samples.moved(samples.job(app="bank"), 2 * DAY_S)])
    done = evidence.run("certificate", "order-4711")
    assert done.exit_code == 1
    assert done.stderr == "Error: order-4711: jobs of bank, shop have this id; say which with --app\n"
    assert evidence.run("certificate", "order-4711", "--app", "bank").exit_code == 0


def test_another_suffix_is_bad_usage(evidence: Evidence, tmp_path: Path) -> None:
    done = evidence.run("certificate", "order-4711", "-o", tmp_path / "order.docx")
    assert done.exit_code == 2
