"""What a probe is given: where the carrier is and who we are, and nothing of its habits."""

from __future__ import annotations

import json
from pathlib import Path

from connector.config import CarrierFile

__all__ = ["TO", "arguments", "write_input"]

TO = "+491511234567"
"""The test handset. Not one of the reserved numbers: those have stories of their own."""

_SAMPLES = {"digits": "1107161234567890123", "octets": "00ff", "uint8": "1", "uint16": "1", "uint32": "1"}
_PASSWORD = "blind"


def write_input(profile: CarrierFile, port: int, folder: Path) -> Path:
    """A carrier's file with address and credentials, and the vendor's parameters without which none sends."""
    secret = folder / "password"
    secret.write_text(_PASSWORD)
    secret.chmod(0o600)
    lines = [
        "[account]", 'host = "127.0.0.1"', f"port = {port}", 'password_file = "password"',
        f"system_id = {json.dumps(profile.account.system_id)}",
        f"system_type = {json.dumps(profile.account.system_type)}",
        "[binds]", "tps = 1",
    ]  # fmt: skip
    for tlv in profile.tlvs:
        lines += ["[[tlvs]]", f'name = "{tlv.name}"', f"tag = {tlv.tag}", f'type = "{tlv.type}"']
        given = "registered" if tlv.value is None else "value"
        lines.append(f"{given} = {json.dumps(getattr(tlv, given))}")
    path = folder / "carrier.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def arguments(profile: CarrierFile) -> list[str]:
    """Of `connector probe`: the handset, and a value for each parameter that a template would bring."""
    found = ["--to", TO]
    for tlv in profile.tlvs:
        if tlv.registered is not None:
            found += ["--registered", f"{tlv.registered}={_SAMPLES.get(tlv.type, 'probe')}"]
    return found
