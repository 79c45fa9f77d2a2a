"""A carrier like one's own: `connector simulate smsc --like CARRIER.toml`."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connector.cli.like import options_like
from connector.cli.simulate import command
from connector.config import load_carrier
from connector.simulator.options import SmscOptions
from protocols.smpp.constants import Status
from tests.simulator.esme import Esme, carrier, text_to
from tests.simulator.test_cli import REPOSITORY, ended, running

PROFILES = sorted(REPOSITORY.glob("config/profiles/*.toml"))
NUMBER = "4915112345678"

UNUSUAL = """
[account]
host = "smsc.example"
port = 2775
system_id = "unusual"
password_file = "password"
system_type = "OTP"
interface_version = "3.3"

[binds]
tps = 40
mode = "transmitter+receiver"
count = 2
window = 7
spacing_s = 2
rate_scope = "bind"

[source]
kinds = ["numeric", "alphanumeric"]
alphanumeric_max = 6
alphanumeric = { ton = 5, npi = 1 }

[source.replace]
"ACME" = "49301234567"

[destination]
ton = 1
npi = 1
form = "zeros"
national = { country_code = "91", prefix = "0", ton = 2, npi = 1 }

[text]
alphabets = [{ data_coding = 0, codec = "gsm7_packed" }, { data_coding = 8, codec = "ucs2" }]
national_tables = ["hi"]
national_shifts = "single"
long_message = "sar"
flash = "dest_addr_subunit"
service_type = "CMT"

[validity]
form = "absolute"

[receipts]
request = "final_and_intermediate"
id_form = "hex_in_response"
prefer = "text"
unflagged = "always"
id_key = "msgid"
handset = "destination"

[receipts.states]
ACCEPTD = "final_delivered"
FAILED = "final_undelivered"
BUFFERED = "non_final"

[statuses]
"0x00000400" = "throttled"
"0x0000040B" = "permanent_here"
"0x00000058" = "transient"

[[tlvs]]
name = "PE_ID"
tag = 0x1400
type = "digits"
value = "1101"

[[tlvs]]
name = "TEMPLATE"
tag = 0x1401
type = "digits"
registered = "dlt_template_id"
optional = true

[[limits]]
sender = "OTHER"
tps = 5

[[limits]]
destination = "+91"
tps = 2.5

[supports]
query_sm = true
"""

EXPECTED = {
    "system_id": "unusual",
    "system_type": "OTP",
    "interface_version": "3.3",
    "bind_modes": "transmitter,receiver",
    "max_binds": 4,
    "bind_spacing_s": 2.0,
    "throttle_tps": 20.0,
    "throttle_burst": 40,
    "throttle_status": 0x400,
    "window_limit": 7,
    "window_status": 0x400,
    "refused_status": 0x40B,
    "limits": "OTHER=5,+91=2.5",
    "source_kinds": "numeric,alphanumeric",
    "source_types": "numeric=1/1,alphanumeric=5/1,short=3/0",
    "alphanumeric_max": 6,
    "refused_senders": "ACME",
    "destination_forms": "zeros,national",
    "destination_types": "1/1,2/1",
    "country_code": "91",
    "alphabets": "0=gsm7_packed,8=ucs2",
    "other_coding": "refused",
    "national_tables": "hi",
    "national_shifts": "single",
    "long_forms": "sar",
    "other_long_form": "refused",
    "length_checked": True,
    "flash": "dest_addr_subunit",
    "service_types": "CMT",
    "validity_forms": "absolute",
    "validity_honoured": True,
    "id_form": "hex_in_response",
    "receipt_intermediate": "asked",
    "receipt_buffered": True,
    "receipt_esm_class": 0,
    "receipt_tlv_lies": True,
    "receipt_id_key": "msgid",
    "receipt_handset": "destination",
    "receipt_words": "DELIVRD=ACCEPTD,UNDELIV=FAILED,ACCEPTD=BUFFERED",
    "required_tlvs": "0x1400=digits:1101",
    "cancel_sm": False,
}


def like(path: Path) -> SmscOptions:
    return SmscOptions().changed(options_like(load_carrier(path)))


def test_every_habit_of_a_profile_becomes_an_option(tmp_path: Path) -> None:
    (tmp_path / "unusual.toml").write_text(UNUSUAL)
    found, usual = like(tmp_path / "unusual.toml").as_json(), SmscOptions().as_json()
    assert {name: value for name, value in found.items() if value != usual[name]} == EXPECTED


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_every_shipped_profile_can_be_simulated(path: Path) -> None:
    found = like(path)
    assert found.alphabets
    assert SmscOptions().changed(found.as_json()) == found


@pytest.mark.asyncio
@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
async def test_a_carrier_like_it_refuses_what_the_profile_does_not_say(path: Path) -> None:
    options: dict[str, Any] = {**options_like(load_carrier(path)), "throttle_tps": 0.0}
    async with carrier(**options) as running:
        esme = await running.esme()
        assert await esme.bind(account=b"somebody") == Status.ESME_RINVSYSID
        assert await esme.bind(account=str(options["system_id"]).encode()) == 0
        answer = await esme.ask(text_to(NUMBER, data_coding=0xEE, source_addr=b"TOO LONG FOR ANY"))
        assert answer.status == Status.ESME_RINVSRCADR


def test_the_command_line_wins(tmp_path: Path) -> None:
    (tmp_path / "unusual.toml").write_text(UNUSUAL)
    arguments = ("--port", "0", "--json", "--control-port", "0", "--standby", "1", "--like")
    given = ("--system-type", "", "--bind-modes", "transceiver", "--bind-spacing-s", "0")
    with running(*arguments, str(tmp_path / "unusual.toml"), *given) as (process, line):
        listening = json.loads(line)
        assert listening["ports"][0] == listening["port"]
        assert len(set(listening["ports"])) == 2

        async def bind(port: int) -> int:
            esme = Esme(*await asyncio.open_connection("127.0.0.1", port))
            try:
                return await esme.bind(account=b"unusual")
            finally:
                await esme.close()

        assert [asyncio.run(bind(port)) for port in listening["ports"]] == [0, 0]
        process.terminate()
        assert json.loads(ended(process))["binds"] == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[account]\nhost = 3\n", "account.host"), ("not = toml = at all", "carrier.toml")],
)
def test_a_profile_that_is_wrong_is_explained(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "carrier.toml").write_text(text)
    result = CliRunner().invoke(command, ["smsc", "--like", str(tmp_path / "carrier.toml")])
    assert result.exit_code == 1
    assert expected in result.output
