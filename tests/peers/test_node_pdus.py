"""Every PDU read and written again by node-smpp: what it writes shows all that it read."""

import os
import subprocess
from random import Random

import msgspec
import pytest

from protocols.smpp import pdu as pdus
from protocols.smpp.constants import Tag, command_name
from protocols.smpp.fields import Counted, FieldKind, Integer, Listed, Octet, layout_of
from protocols.smpp.pdu import Pdu, decode, encode
from tests.peers.conftest import node_modules

pytestmark = pytest.mark.peer("node")

PDU_CLASSES = [
    value
    for value in vars(pdus).values()
    if isinstance(value, type) and issubclass(value, Pdu) and hasattr(value, "command_id")
]
PER_CLASS = 10
NODE_S = 20.0

AGAIN = """
const { PDU } = require('smpp');
const lines = require('readline').createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const pdu = new PDU(Buffer.from(line, 'hex'));
  console.log(pdu.command + ' ' + pdu.toBuffer().toString('hex'));
});
"""

# It reads times and texts and writes its own form of them: no times, and text that has one form only.
CHOICES = {
    "schedule_delivery_time": (b"",),
    "validity_period": (b"",),
    "final_date": (b"",),
    "esm_class": (0x00, 0x03, 0x80),
    "data_coding": (0,),
    "short_message": (b"", b"code", b"x" * 254),
}
# Those of vendors it leaves out.
TLVS = ((Tag.USER_MESSAGE_REFERENCE, b"\x12\x34"), (Tag.MS_AVAILABILITY_STATUS, b"\x01"))


def value_of(random: Random, name: str, kind: FieldKind) -> object:
    if name in CHOICES:
        return random.choice(CHOICES[name])
    if isinstance(kind, Octet | Integer):
        return random.randrange(1 << 8 * (kind.size if isinstance(kind, Integer) else 1))
    if isinstance(kind, Listed):
        return tuple(filled(random, random.choice(kind.entries)) for _ in range(random.randint(0, 4)))
    assert not isinstance(kind, Counted)
    return bytes(random.choices(b"0123456789abcdef", k=random.randint(0, kind.size - 1)))


def filled(random: Random, declared: type[msgspec.Struct]) -> msgspec.Struct:
    layout = layout_of(declared)
    values = {name: value_of(random, name, kind) for name, kind in layout.fields}
    if layout.tlvs:
        values["tlvs"] = TLVS[: random.randint(0, 2)]
    return declared(**values)


def test_every_pdu_again(random):
    sent = [filled(random, pdu_class) for pdu_class in PDU_CLASSES for _ in range(PER_CLASS)]
    frames = [encode(pdu, sequence=number) for number, pdu in enumerate(sent, 1)]
    run = subprocess.run(
        ["node", "-e", AGAIN],
        input="".join(f"{frame.hex()}\n" for frame in frames),
        env={**os.environ, "NODE_PATH": str(node_modules())},
        capture_output=True,
        text=True,
        timeout=NODE_S,
    )
    assert run.returncode == 0, run.stderr
    answers = [line.split() for line in run.stdout.splitlines()]
    assert [name for name, _ in answers] == [command_name(pdu.command_id) for pdu in sent]
    for number, (pdu, (name, octets)) in enumerate(zip(sent, answers, strict=True), 1):
        message = decode(bytes.fromhex(octets))
        assert (name, message.sequence, message.pdu) == (name, number, pdu)
