import pytest

from connector.errors import ERRORS, ConnectorError

SOCKET_CODES = {
    "bad_request", "unknown_method", "invalid_job", "conflict", "busy", "opted_out", "quiet_hours",
    "forbidden", "unknown_job",
    "frame_too_large", "limit_exceeded", "not_messagepack", "not_rpc", "draining", "internal",
    "content", "guarded", "late_event", "stale_event",
}  # fmt: skip


def test_every_code_of_the_socket_is_registered() -> None:
    found = {code for code, entry in ERRORS.items() if {"socket", "connection"} & set(entry.where)}
    assert found == SOCKET_CODES


@pytest.mark.parametrize("code", ERRORS)
def test_every_entry_is_a_cause_and_a_remedy(code: str) -> None:
    entry = ERRORS[code]
    assert entry.cause.endswith(".")
    assert entry.remedy.endswith(".")
    assert entry.where


def test_an_error_reads_as_field_message_and_hint() -> None:
    assert str(ConnectorError("busy", "full")) == "full"
    error = ConnectorError("invalid_job", "is empty", field="to", hint="a number", retry_after_s=0.5)
    assert str(error) == "to: is empty (a number)"


def test_an_unregistered_code_cannot_be_raised() -> None:
    with pytest.raises(KeyError, match="no_such_code"):
        ConnectorError("no_such_code", "")
