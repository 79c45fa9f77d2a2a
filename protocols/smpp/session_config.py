"""What a carrier account says of its sessions."""

from typing import Literal

import msgspec

from protocols.smpp.errors import LocalProtocolError
from protocols.smpp.framing import HEADER_LENGTH

Mode = Literal["transmitter", "receiver", "transceiver"]


class SessionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a carrier account says of its sessions. ``tombstones`` bounds the late answers waited for."""

    system_id: bytes
    password: bytes
    mode: Mode = "transceiver"
    system_type: bytes = b""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: bytes = b""
    window: int = 10
    bind_timeout_s: float = 10.0
    response_timeout_s: float = 10.0
    enquire_link_s: float = 30.0
    max_pdu: int = 70_000
    tombstones: int = 10_000

    def __repr__(self) -> str:
        return f"SessionConfig({self.mode} {self.system_id!r}, window {self.window})"

    def check(self) -> None:
        """LocalProtocolError for a number that makes no session."""
        rules = (
            ("window", self.window >= 1, "at least 1"),
            ("bind_timeout_s", self.bind_timeout_s > 0, "more than 0"),
            ("response_timeout_s", self.response_timeout_s > 0, "more than 0"),
            ("enquire_link_s", self.enquire_link_s > 0, "more than 0"),
            ("max_pdu", self.max_pdu >= HEADER_LENGTH, f"at least {HEADER_LENGTH}"),
            ("tombstones", self.tombstones >= 0, "at least 0"),
        )
        for field, holds, expected in rules:
            if not holds:
                raise LocalProtocolError(field, expected)
