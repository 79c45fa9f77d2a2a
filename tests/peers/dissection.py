"""A capture file as tshark's SMPP dissector reads it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

DISSECT_S = 30.0
PI_ERROR = 0x00800000  # epan/proto.h: the severity of an expert item; warnings lie below

Pairs = list[tuple[str, Any]]
"""A JSON object that may name a field more than once, as tshark's do."""


class Pdu(NamedTuple):
    """`link` is (port of the ESME, port of the SMSC); `fields` holds the first value of each, as shown."""

    link: tuple[int, int]
    from_smsc: bool
    fields: dict[str, str]

    @property
    def command_id(self) -> int:
        return self.number("smpp.command_id")

    @property
    def is_response(self) -> bool:
        return bool(self.command_id & 0x80000000)

    @property
    def sequence(self) -> int:
        return self.number("smpp.sequence_number")

    @property
    def octets(self) -> bytes:
        """short_message."""
        return bytes.fromhex(self.fields["smpp.message"].replace(":", ""))

    def number(self, name: str) -> int:
        """A field that is shown in decimal or with 0x."""
        return int(self.fields[name], 0)


class Dissection:
    """Everything that passed between ESMEs and the SMSCs at `ports`.

    pdus         in order
    faults       what the dissector could not read (_ws.malformed), and its expert items of the level error
    undissected  how many octets belong to no PDU, of what was sent from the connections' beginning

    `default_alphabet` is what data_coding 0 means there, in the words of tshark's preference
    smpp.decode_sms_over_smpp.
    """

    def __init__(self, file: Path, *ports: int, default_alphabet: str = "GSM 7-bit") -> None:
        self.pdus: list[Pdu] = []
        self.faults: list[str] = []
        self._ports = ports
        self._sent: dict[tuple[int, int], int] = {}
        for frame in _frames(file, ports, default_alphabet):
            layers: Pairs = dict(dict(frame)["_source"])["layers"]
            self._add(layers)
            fields = list(everything(layers))
            if any(is_fault(name, value) for name, value in fields):
                experts = [value for name, value in fields if name == "_ws.expert.message"]
                self.faults.append(f"frame {dict(fields)['frame.number']}: {experts}")

    @property
    def undissected(self) -> int:
        return sum(self._sent.values()) - sum(pdu.number("smpp.command_length") for pdu in self.pdus)

    def of(self, *command_ids: int) -> list[Pdu]:
        return [pdu for pdu in self.pdus if pdu.command_id in command_ids]

    def _add(self, layers: Pairs) -> None:
        tcp = dict(everything(dict(layers)["tcp"]))
        source, target = int(tcp["tcp.srcport"]), int(tcp["tcp.dstport"])
        from_smsc = source in self._ports
        link = (target, source) if from_smsc else (source, target)
        if octets := int(tcp["tcp.len"]):
            # Not the sum of them: under load TCP sends some twice. The SYN has taken the number 0.
            end = int(tcp["tcp.seq"]) - 1 + octets
            self._sent[source, target] = max(self._sent.get((source, target), 0), end)
        for name, layer in layers:
            if name == "smpp":
                self.pdus.append(Pdu(link, from_smsc, dict(reversed(list(everything(layer))))))
            elif name == "gsm_sms_ud":  # the short message of the PDU before, with its user data header
                self.pdus[-1].fields.update(everything(layer))


def is_fault(name: str, value: str) -> bool:
    return name.startswith("_ws.malformed") or (name == "_ws.expert.severity" and int(value) >= PI_ERROR)


def _frames(file: Path, ports: tuple[int, ...], default_alphabet: str) -> list[Pairs]:
    options = ["-Y", " or ".join(f"tcp.port == {n}" for n in ports)]
    options += ["-o", f"smpp.decode_sms_over_smpp:{default_alphabet}"]
    for port in ports:
        options += ["-d", f"tcp.port=={port},smpp"]
    return frames(file, *options)


def frames(file: Path, *options: str) -> list[Pairs]:
    """Each frame of a capture file as tshark writes it in JSON."""
    command = ["tshark", "-r", str(file), "-T", "json", *options]
    done = subprocess.run(command, capture_output=True, timeout=DISSECT_S)
    assert done.returncode == 0, done.stderr.decode()
    # tshark knows no surrogates: it writes each half of a character, which is not UTF-8.
    found: list[Pairs] = json.loads(done.stdout.decode("utf-8", "replace"), object_pairs_hook=Pairs)
    return found


def everything(tree: Pairs) -> Iterator[tuple[str, str]]:
    """Every field of a tree, in order; what has fields of its own comes with an empty value."""
    for name, value in tree:
        if isinstance(value, list):
            yield name, ""
            yield from everything([pair for pair in value if isinstance(pair, tuple)])
        else:
            yield name, str(value)
