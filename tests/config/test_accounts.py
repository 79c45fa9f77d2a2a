"""Two ways to write one host."""

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.config.accounts import host_identity

HOST = st.from_regex(r"[A-Za-z]([A-Za-z0-9-]{0,10}\.){0,3}[A-Za-z]{1,5}", fullmatch=True)


@given(HOST, st.integers(0, 2**32))
def test_letter_case_and_the_roots_dot_make_no_difference(host: str, seed: int) -> None:
    shouted = "".join(letter.upper() if seed >> index & 1 else letter for index, letter in enumerate(host))
    assert host_identity(shouted) == host_identity(host) == host_identity(host + ".")


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_forms_of_an_address_make_no_difference(address: IPv6Address) -> None:
    forms = {address.compressed, address.exploded, address.compressed.upper(), f"[{address.exploded}]"}
    assert len({host_identity(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("host", "other", "same"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "[::FFFF:c000:201]", True),
        ("192.0.2.1", "192.0.2.10", False),
        ("smsc.example", "smsc2.example", False),
        ("smsc.example", "smsc.example.org", False),
    ],
)
def test_hosts(host: str, other: str, same: bool) -> None:
    assert (host_identity(host) == host_identity(other)) == same
