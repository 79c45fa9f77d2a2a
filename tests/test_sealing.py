"""What is sealed is opened by the same key in the same place, and by nothing else."""

import pickle
import subprocess
import sys
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from connector.sealing import Key, Seal, SealError, is_sealed

OLD, NEW = Key("2026-05", b"o" * 32), Key("2026-11", b"n" * 32)
BODY = b'{"sms":[{"text":"482917 is your code for Acme. Do not share it with anybody.","sender":"Acme"}]}'


@given(st.binary(max_size=300), st.binary(max_size=30))
def test_round_trip(plain: bytes, context: bytes) -> None:
    seal = Seal([NEW])
    assert seal.open(seal.seal(plain, context), context) == plain
    assert seal.open_octets(seal.seal_octets(plain, context), context) == plain


def test_the_form_is_the_one_that_is_described() -> None:
    """Opened by hand: AES-256-GCM under HKDF-Expand of the key and the salt, the nonce a counter."""
    seal = Seal([NEW])
    seal.seal(b"the first one", b"job 1")
    magic, key_id, text = seal.seal(BODY, b"job 7").split(":")
    octets = b64decode(text)
    salt, counter, sealed = octets[:16], octets[16:24], octets[24:]
    assert (magic, key_id, counter) == ("s1", "2026-11", (1).to_bytes(8, "big"))
    key = HKDFExpand(SHA256(), 32, b"carrier-connector seal 1" + salt).derive(NEW.octets)
    assert AESGCM(key).decrypt(b"\0\0\0\0" + counter, sealed, b"job 7") == BODY


def test_another_place_does_not_open_it() -> None:
    seal = Seal([NEW])
    with pytest.raises(SealError, match="2026-11"):
        seal.open(seal.seal(BODY, b"job 7"), b"job 8")


@given(st.data())
def test_no_octet_can_be_changed(data: st.DataObject) -> None:
    seal = Seal([NEW])
    sealed = bytearray(seal.seal_octets(BODY, b""))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealError):
        seal.open_octets(bytes(sealed), b"")


@given(st.one_of(st.text(), st.text(alphabet="s1:2026-AZaz09+/=").map("s1:2026-11:".__add__)))
def test_rubbish_is_a_seal_error(value: str) -> None:
    with pytest.raises(SealError):
        Seal([NEW]).open(value, b"")


def test_keys_are_changed_one_after_the_other() -> None:
    before = Seal([OLD]).seal(BODY, b"")
    both = Seal([NEW, OLD])
    assert both.open(before, b"") == BODY
    assert not both.is_current(before)
    after = both.seal(BODY, b"")
    assert both.is_current(after)
    assert Seal([NEW]).open(after, b"") == BODY


def test_a_key_that_is_missing_or_another_is_named_and_nothing_shown() -> None:
    sealed = Seal([OLD]).seal(BODY, b"")
    for seal in (Seal([NEW]), Seal([Key(OLD.id, b"x" * 32)])):
        with pytest.raises(SealError) as refused:
            seal.open(sealed, b"")
        assert refused.value.key_id == OLD.id
        assert OLD.id in str(refused.value)
        assert "482917" not in repr((refused.value, seal))


@pytest.mark.parametrize("keys", [[], [Key("a", b"x" * 31)], [Key("a:b", b"x" * 32)], [Key("", b"x" * 32)]])
def test_what_is_no_key(keys: list[Key]) -> None:
    with pytest.raises(ValueError) as refused:
        Seal(keys)
    assert "xxx" not in str(refused.value)


def test_a_key_does_not_show_its_octets() -> None:
    assert repr(NEW) == "Key('2026-11')"
    with pytest.raises(Exception):  # noqa: B017 whatever pickle says of a cipher
        pickle.dumps(Seal([NEW]))


def nonces(sealed: list[str]) -> set[bytes]:
    return {b64decode(each.split(":")[2])[:24] for each in sealed}


def test_no_nonce_twice_in_threads_and_starts() -> None:
    """Also where the whole state, the key with it, is put back: nothing of the counting is stored."""
    starts = [Seal([NEW]) for _ in range(50)]
    with ThreadPoolExecutor(8) as threads:
        found = [each for seal in starts for each in threads.map(lambda _: seal.seal(b"", b""), range(200))]  # noqa: B023
    assert len(nonces(found)) == len(found) == 10_000


FORK = """
import os
from connector.sealing import Key, Seal

seal = Seal([Key("2026-11", b"n" * 32)])
seal.seal(b"", b"")
child = os.fork()
if child:
    os.waitpid(child, 0)
print(*(seal.seal(b"", b"") for _ in range(10)), flush=True)
"""


def test_a_forked_process_counts_for_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, text=True, timeout=30, check=True
    )
    theirs, ours = (line.split() for line in done.stdout.splitlines())
    assert len(nonces([*ours, *theirs])) == 20
    assert all(Seal([NEW]).open(each, b"") == b"" for each in [*ours, *theirs])


def test_what_is_sealed_is_told_from_what_is_not() -> None:
    seal = Seal([NEW])
    assert is_sealed(seal.seal(b"", b""))
    assert is_sealed(seal.seal_octets(b"", b""))
    assert not is_sealed('{"sms":[]}')
    assert not is_sealed(b"\x93\x02\xa5event\x91")


def test_a_job_costs_little() -> None:
    """The budget is 4 µs a job; the least of many runs, for other programs use this machine too."""
    seal, least = Seal([NEW]), 1.0
    for _ in range(40):
        began = time.process_time()
        for job in range(500):
            seal.seal(BODY, b"job %d" % job)
        least = min(least, (time.process_time() - began) / 500)
    assert least < 8e-6, f"{least * 1e6:.1f} µs"
