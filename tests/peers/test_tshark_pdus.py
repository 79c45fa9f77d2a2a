"""Every PDU as Wireshark's dissector reads it: our octets over TCP, its fields compared with ours."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec
import pytest

from protocols.smpp import pdu as pdus
from protocols.smpp.constants import RESPONSE_BIT, Status, Tag, command_name
from protocols.smpp.fields import COctets, Counted, FieldKind, Integer, Listed, Octet, layout_of
from protocols.smpp.pdu import DataSm, Pdu, SubmitSm, encode
from protocols.smpp.validity import absolute
from tests.peers.capture import Capture
from tests.peers.dissection import DISSECT_S, Dissection

pytestmark = pytest.mark.peer("tshark")

PDU_CLASSES = [
    value
    for value in vars(pdus).values()
    if isinstance(value, type) and issubclass(value, Pdu) and hasattr(value, "command_id")
]
PER_CLASS = 4
IN_TEN_MINUTES = b"000000001000000R"

# Without broadcast_rep_num: the dissector takes one octet of its two.
TLVS = (
    (Tag.USER_MESSAGE_REFERENCE, b"\x12\x34"),
    (Tag.MESSAGE_PAYLOAD, b"a longer text"),
    (Tag.CONGESTION_STATE, b"\x63"),
    (Tag.MS_AVAILABILITY_STATUS, b"\x01"),
    (Tag.BROADCAST_AREA_IDENTIFIER, b"\x00Area"),
    (Tag.BROADCAST_CONTENT_TYPE, b"\x01\x00\x05"),
    (Tag.BROADCAST_ERROR_STATUS, b"\x00\x00\x01\x0d"),
    (Tag.BROADCAST_AREA_SUCCESS, b"\x64"),
    (0x1400, b"1101"),
)
TLV_FIELDS = {
    Tag.USER_MESSAGE_REFERENCE: ("smpp.user_message_reference", 0x1234),
    Tag.MESSAGE_PAYLOAD: ("smpp.message_payload", b"a longer text".hex()),
    Tag.CONGESTION_STATE: ("smpp.congestion_state", 99),
    Tag.MS_AVAILABILITY_STATUS: ("smpp.ms_availability_status", 1),
    Tag.BROADCAST_CONTENT_TYPE: ("smpp.broadcast_content_type.type", 5),
    Tag.BROADCAST_ERROR_STATUS: ("smpp.broadcast_error_status", Status.ESME_RBCASTFAIL),
    Tag.BROADCAST_AREA_SUCCESS: ("smpp.broadcast_area_success", 100),
    0x1400: ("smpp.vendor_op", b"1101".hex()),
}
CHOICES = {
    "esm_class": (0x00, 0x03, 0x04, 0x80),  # no user data header: the text is noise
    "registered_delivery": (0x00, 0x01, 0x02, 0x11),
    "replace_if_present_flag": (0, 1),
    "data_coding": (0, 3, 8),
    "schedule_delivery_time": (b"", IN_TEN_MINUTES),
    "validity_period": (b"", IN_TEN_MINUTES),
    "final_date": (b"",),
    "service_type": (b"CMT", b"VMA", b"USSD"),
}
# Bit fields: each is shown part by part.
PARTS = {
    "esm_class": (("esm.submit.msg_mode", 0), ("esm.submit.msg_type", 2), ("esm.submit.features", 6)),
    "registered_delivery": (("regdel.receipt", 0), ("regdel.acks", 2), ("regdel.notif", 4)),
}
WIDTHS = {"esm.submit.msg_mode": 3, "esm.submit.msg_type": 15, "esm.submit.features": 3}
WIDTHS |= {"regdel.receipt": 3, "regdel.acks": 3, "regdel.notif": 1}

Shown = dict[str, list[str | int]]


def value_of(random: Random, name: str, kind: FieldKind) -> object:
    if name in CHOICES:
        return random.choice(CHOICES[name])
    if isinstance(kind, Octet | Integer):
        return random.randrange(1 << 8 * (kind.size if isinstance(kind, Integer) else 1))
    if isinstance(kind, Listed):
        return tuple(filled(random, random.choice(kind.entries)) for _ in range(random.randint(1, 4)))
    if isinstance(kind, Counted):
        return random.randbytes(random.choice((0, 1, 140, kind.limit)))
    return bytes(random.choices(b"0123456789ABCDEFabcdef", k=random.randint(1, kind.size - 1)))


def filled(random: Random, declared: type[msgspec.Struct]) -> msgspec.Struct:
    """A PDU or an entry with something in every parameter."""
    layout = layout_of(declared)
    values = {name: value_of(random, name, kind) for name, kind in layout.fields}
    if layout.tlvs:
        values["tlvs"] = tuple(random.sample(TLVS, random.randint(0, 3)))
    return declared(**values)


def shown_fields(declared: msgspec.Struct) -> Iterator[tuple[str, str | int]]:
    """What the dissector has to show, in order."""
    for name, kind in layout_of(type(declared)).fields:
        value = getattr(declared, name)
        if isinstance(kind, Listed):
            for entry in value:
                yield from shown_fields(entry)
        elif name in PARTS:
            for part, shift in PARTS[name]:
                yield f"smpp.{part}", value >> shift & WIDTHS[part]
        elif isinstance(kind, Counted):
            yield "smpp.message", value.hex()
        elif isinstance(kind, COctets) and kind.fixed:
            if value:
                yield f"smpp.{name}_r", "600.000000000"
        else:
            yield f"smpp.{name}", value.decode() if isinstance(value, bytes) else value
    for tag, value in getattr(declared, "tlvs", ()):
        yield "smpp.opt_param_tag", tag
        yield "smpp.opt_param_len", len(value)
        if tag in TLV_FIELDS:
            yield TLV_FIELDS[tag]


def expected(pdu: Pdu, sequence: int) -> Shown:
    found: Shown = {"smpp.command_id": [pdu.command_id], "smpp.sequence_number": [sequence]}
    for field, value in shown_fields(pdu):
        if value != "":
            found.setdefault(field, []).append(value)
    return found


def converse(file: Path, frames: list[bytes]) -> int:
    """Send them over loopback, each in a packet of its own, the responses the other way; the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        with Capture(file, f"tcp port {port}") as capture:
            with socket.create_connection(("127.0.0.1", port)) as esme, listener.accept()[0] as smsc:
                for end in (esme, smsc):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    end.settimeout(10)
                for frame in frames:
                    source, target = (smsc, esme) if frame[4] & 0x80 else (esme, smsc)
                    source.sendall(frame)
                    missing = len(frame)
                    while missing:
                        missing -= len(target.recv(missing))
            capture.wait(frames[-1])
            capture.stop()
    return port


def dissected(file: Path, port: int, fields: list[str]) -> list[Shown]:
    """Every value of the fields, packet by packet; those that are empty are left out.

    It shows an empty time as 0 s, in submit_multi even under the name of the other one.
    """
    command = ["tshark", "-r", str(file), "-Y", "smpp", "-d", f"tcp.port=={port},smpp", "-T", "fields"]
    command += ["-E", "occurrence=a", "-E", "aggregator=|", "-E", "separator=;"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DISSECT_S)
    assert done.returncode == 0, done.stderr
    packets = [line.split(";") for line in done.stdout.splitlines()]
    return [
        {
            field: [value for value in values.split("|") if value not in ("", "0.000000000")]
            for field, values in zip(fields, packet, strict=True)
        }
        for packet in packets
    ]


def like(wanted: str | int, shown: str) -> str | int:
    return int(shown, 0) if isinstance(wanted, int) else shown


def test_every_pdu(random, tmp_path):
    """With the status 0: it reads no body of an error response."""
    sent = [filled(random, pdu_class) for pdu_class in PDU_CLASSES for _ in range(PER_CLASS)]
    frames = [encode(pdu, sequence=number) for number, pdu in enumerate(sent, 1)]
    file = tmp_path / "every.pcapng"
    port = converse(file, frames)

    dissection = Dissection(file, port)
    assert (dissection.faults, dissection.undissected) == ([], 0)
    wanted = [expected(pdu, number) for number, pdu in enumerate(sent, 1)]
    shown = dissected(file, port, sorted({field for pdu in wanted for field in pdu}))
    assert len(shown) == len(sent)
    for pdu, want, show in zip(sent, wanted, shown, strict=True):
        name = command_name(pdu.command_id)
        for field, values in want.items():
            got = [like(value, text) for value, text in zip(values, show[field], strict=False)]
            assert (name, field, got, len(show[field])) == (name, field, values, len(values))


def test_error_responses_without_a_body(tmp_path):
    """§4.4.2: the body is left out. Only the header is there to be read."""
    responses = [pdu_class.command_id for pdu_class in PDU_CLASSES if pdu_class.command_id & RESPONSE_BIT]
    frames = [pdus.header(16, command_id, 0x58, number) for number, command_id in enumerate(responses, 1)]
    file = tmp_path / "empty.pcapng"
    dissection = Dissection(file, converse(file, frames))
    assert (dissection.faults, dissection.undissected) == ([], 0)
    assert [pdu.command_id for pdu in dissection.pdus] == responses
    assert {pdu.number("smpp.command_status") for pdu in dissection.pdus} == {0x58}


def test_an_absolute_time(tmp_path):
    """§7.1.1.1: 2026-01-05 09:30:07 UTC."""
    pdu = SubmitSm(destination_addr=b"49", validity_period=absolute(1_767_605_407.0))
    file = tmp_path / "time.pcapng"
    dissection = Dissection(file, converse(file, [encode(pdu, sequence=1)]))
    shown = dissection.pdus[0].fields["smpp.validity_period"]
    assert dissection.faults == []
    assert "2026" in shown and "09:30:07" in shown and "UTC" in shown


# What the dissector calls the TLVs of SMPP 5.0; a value of the right length for each.
SINCE_5_0 = {
    Tag.CONGESTION_STATE: ("congestion_state", 1),
    Tag.BROADCAST_CHANNEL_INDICATOR: ("broadcast_channel_indicator", 1),
    Tag.BROADCAST_CONTENT_TYPE: ("broadcast_content_type.nw", 3),
    Tag.BROADCAST_CONTENT_TYPE_INFO: ("broadcast_content_type.info", 4),
    Tag.BROADCAST_MESSAGE_CLASS: ("broadcast_message_class", 1),
    Tag.BROADCAST_REP_NUM: ("broadcast_rep_num", 2),
    Tag.BROADCAST_FREQUENCY_INTERVAL: ("broadcast_frequency_interval.unit", 3),
    Tag.BROADCAST_AREA_IDENTIFIER: ("broadcast_area_identifier", 4),
    Tag.BROADCAST_ERROR_STATUS: ("broadcast_error_status", 4),
    Tag.BROADCAST_AREA_SUCCESS: ("broadcast_area_success", 1),
    Tag.BROADCAST_END_TIME: ("broadcast_end_time", 17),
    Tag.BROADCAST_SERVICE_GROUP: ("broadcast_service_group", 4),
    Tag.BILLING_IDENTIFICATION: ("billing_id", 4),
    Tag.SOURCE_NETWORK_ID: ("source_network_id", 4),
    Tag.DEST_NETWORK_ID: ("dest_network_id", 4),
    Tag.SOURCE_NODE_ID: ("source_node_id", 6),
    Tag.DEST_NODE_ID: ("dest_node_id", 6),
    Tag.DEST_ADDR_NP_RESOLUTION: ("dest_addr_np_resolution", 1),
    Tag.DEST_ADDR_NP_INFORMATION: ("dest_addr_np_info", 10),
    Tag.DEST_ADDR_NP_COUNTRY: ("dest_addr_np_country", 5),
}


def test_the_tags_since_5_0(tmp_path):
    """Those of 3.4 are compared with two codecs in tests/protocols/smpp."""
    values = {Tag.BROADCAST_END_TIME: absolute(1_767_605_407.0) + b"\0"}
    frames = [
        encode(DataSm(tlvs=((tag, values.get(tag, b"1" * length)),)), sequence=tag)
        for tag, (_, length) in SINCE_5_0.items()
    ]
    file = tmp_path / "tags.pcapng"
    port = converse(file, frames)
    fields = [f"smpp.{name}" for name, _ in SINCE_5_0.values()]
    packets = dissected(file, port, fields)
    shown = [[field for field, values in packet.items() if values] for packet in packets]
    assert shown == [[field] for field in fields]
    tags = {value for name, value in vars(Tag).items() if name.isupper()}
    assert set(SINCE_5_0) == {tag for tag in tags if tag == 0x0428 or tag >> 8 == 0x06}
