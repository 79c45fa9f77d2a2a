"""The whole probe against the simulated carrier: it is told nothing, and finds out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from benchmarks.probe.blind import TO, write_input
from benchmarks.probe.habits import habits
from connector.cli.like import options_like
from connector.config import CarrierFile, load_carrier
from connector.config.document import Document, read_document
from connector.probe.finding import Confidence
from connector.probe.known import Known
from connector.probe.profile import written
from connector.probe.runner import Limits, Progress, Runner
from connector.probe.steps import SLOW_STEPS, STEPS
from connector.probe.trial import CarrierGone, Step
from connector.simulator.options import SmscOptions
from connector.simulator.smsc import Smsc

pytestmark = [pytest.mark.asyncio, pytest.mark.alone]  # it measures rates

PROFILES = Path(__file__).parents[2] / "config" / "profiles"
SEED = 7
ATTEMPTS = 3
"""A limit by rate and one by number may look alike when the machine stood still: then both are unknown."""


@asynccontextmanager
async def simulated(options: Mapping[str, object]):
    smsc = Smsc(SmscOptions().changed({"mo_loop": TO, "stories": False, **options}), SEED)
    port = await smsc.start()
    try:
        yield smsc, port
    finally:
        await smsc.stop()


def blind(port: int, **tables: object) -> Known:
    account = {"host": "127.0.0.1", "port": port, "system_id": "probe", "password_file": "password"}
    profile = msgspec.convert({"account": account, "binds": {"tps": 1}, **tables}, CarrierFile)
    return Known(profile, to=TO, now_unix=1_800_000_000.0)


def named(*names: str) -> list[Step]:
    return [step for step in (*STEPS, *SLOW_STEPS) if step.name in names]


async def probed(options: Mapping[str, object], *names: str, budget: int = 500) -> Runner:
    """A runner after the steps, which no more than 0.4 s of silence hold up."""
    async with simulated(options) as (_, port):
        runner = Runner(blind(port), b"secret", Limits(budget=budget, patience_s=0.4))
        await runner.run(named(*names) if names else STEPS)
    return runner


async def recovered(name: str, folder: Path) -> None:
    """What is written of a blind probe is the profile that the carrier was made from."""
    truth = load_carrier(PROFILES / f"{name}.toml")
    expected = habits(truth, (), truth)
    for _ in range(ATTEMPTS):
        async with simulated(options_like(truth)) as (_, port):
            given = load_carrier(write_input(truth, port, folder))
            known = Known(given, to=TO, now_unix=1_800_000_000.0, registered={"dlt_template_id": "1107"})
            await Runner(known, b"secret", Limits(patience_s=1.0)).run(STEPS)
        unknown = {f.key for f in known.findings.values() if f.confidence is Confidence.UNKNOWN}
        if unknown.isdisjoint(expected):
            break
    else:
        pytest.fail(f"{unknown & expected.keys()} remain unknown")
    document = read_document(folder / "carrier.toml")
    assert isinstance(document, Document)
    output = folder / "probed.toml"
    output.write_text(written(document.data, known.findings, f"Probed from {name}."))
    found = load_carrier(output)
    assert {key: habits(found, (), truth)[key] for key in expected} == expected


@pytest.mark.slow
async def test_shipped_profiles_are_recovered(tmp_path: Path) -> None:
    names = ("hex-decimal-receipts", "packed-gsm")
    for name in names:
        (tmp_path / name).mkdir()
    await asyncio.gather(*(recovered(name, tmp_path / name) for name in names))


async def test_findings_do_not_depend_on_when_the_receipt_comes() -> None:
    options = {"receipt_early": 1.0, "receipt_duplicate": 1.0, "response_delay": "fixed:0.02"}
    runner = await probed({**options, "id_form": "hex_in_response"}, "bind", "first message", "receipts")
    assert runner.known.findings["receipts.id_form"].value == "hex_in_response"


async def test_a_carrier_without_transceivers() -> None:
    runner = await probed({"bind_modes": "transmitter,receiver"}, "bind", "first message", "receipts")
    assert runner.known.findings["binds.mode"].value == "transmitter+receiver"
    assert runner.known.findings["receipts.id_form"].value == "same"


async def test_the_limit_by_number_is_told_from_the_limit_by_rate() -> None:
    by_number = await probed({"window_limit": 7}, "bind", "first message", "window")
    assert by_number.known.findings["binds.window"].value == 7
    by_rate = await probed({"throttle_tps": 7, "throttle_burst": 7}, "bind", "first message", "window")
    assert by_rate.known.findings["binds.window"].confidence is Confidence.UNKNOWN


async def test_over_a_long_round_trip_a_rate_recovers_between_bursts() -> None:
    """Two messages at once, twenty a second, answered after 0.2 s: that is no window of two."""
    slow = {"response_delay": "fixed:0.2"}
    by_rate = await probed({"throttle_tps": 20, **slow}, "bind", "first message", "window")
    assert by_rate.known.findings["binds.window"].confidence is Confidence.UNKNOWN
    by_number = await probed({"window_limit": 2, **slow}, "bind", "first message", "window")
    assert by_number.known.findings["binds.window"].value == 2


@pytest.mark.parametrize("scope", ["bind", "account"])
async def test_rate_and_scope_with_a_status_of_the_vendor(scope: str) -> None:
    options = {"throttle_tps": 30, "throttle_burst": 30, "throttle_scope": scope, "throttle_status": 0x40B,
               "response_delay": "fixed:0.05"}  # fmt: skip
    findings = (await probed(options, "bind", "first message", "rate")).known.findings
    assert findings["binds.tps"].value == pytest.approx(30, rel=0.05)
    assert findings["binds.rate_scope"].value == scope
    assert findings["statuses"].value == {"0x0000040B": "throttled"}


async def test_a_carrier_with_one_alphabet_for_all() -> None:
    """It reads data_coding 8 by that one, too; its loop comes back in UCS2 all the same."""
    options = {"alphabets": "0=gsm7", "long_forms": "payload", "national_tables": "tr"}
    runner = await probed(options, "bind", "first message", "alphabets", "national", "long")
    findings = runner.known.findings
    assert findings["text.national_tables"].value == ["tr"]
    assert findings["text.long_message"].value == "payload"


async def test_a_passing_trouble_is_no_habit() -> None:
    options = {"refused_share": 0.15, "refused_status": 0x08, "validity_forms": "absolute"}
    findings = (await probed(options, "bind", "first message", "validity", "destinations")).known.findings
    assert findings["validity.form"].value == "absolute"


async def test_a_carrier_that_cuts_the_connection_is_bound_again() -> None:
    runner = await probed({"cut_after": 4}, "bind", "first message", "receipts", "validity")
    assert runner.known.findings["receipts.id_key"].value == "id"


async def test_the_budget_is_kept_and_the_rest_stays_unknown() -> None:
    runner = await probed({}, budget=8)
    assert runner.accepted <= 8
    assert "used up" in runner.known.findings["text.alphabets"].how
    assert runner.known.findings["binds.mode"].value == "transceiver"


async def test_a_refused_bind_ends_the_probe() -> None:
    with pytest.raises(CarrierGone, match="ESME_RINVPASWD"):
        await probed({"password": "another"})


async def test_pauses_between_binds() -> None:
    options = {"bind_spacing_s": 1.0, "ghost_s": 2.0}
    findings = (await probed(options, "bind", "spacing")).known.findings
    assert 1.0 <= findings["binds.spacing_s"].value <= 3.0
    assert 2.0 <= findings["backoff.ghost_s"].value <= 4.0


async def test_progress_tells_each_step_once() -> None:
    told: list[str] = []

    class Kept(Progress):
        def begins(self, step: Step) -> None:
            told.append(step.name)

        def ends(self, step: Step, findings: list[object]) -> None:
            told.append(f"{step.name} ended")

    async with simulated({}) as (_, port):
        runner = Runner(blind(port), b"secret", Limits(patience_s=0.3), progress=Kept())
        await runner.run(named("bind", "first message"))
    assert told == ["bind", "bind ended", "first message", "first message ended"]
