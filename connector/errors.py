"""The one registry of errors: code, cause, remedy and where it appears.

RPC errors, command-line output, logs and documentation read this table; nothing else invents a code.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

__all__ = ["ERRORS", "ConnectorError", "ErrorEntry", "Where"]

Where = Literal["socket", "connection", "check", "run"]
"""`socket`: the error of one request. `connection`: sent once, then the connection is closed.
`check` and `run`: printed by the command of that name."""


class ErrorEntry(NamedTuple):
    """What one code means.

    cause   one sentence, what happened
    remedy  one sentence, what the reader can do about it
    where   the places that may show the code
    """

    cause: str
    remedy: str
    where: tuple[Where, ...]


_SOCKET: Final = ("socket",)
_CONNECTION: Final = ("connection",)
_BOTH: Final = ("socket", "connection")
_FILES: Final = ("check", "run")

ERRORS: Final[dict[str, ErrorEntry]] = {
    "bad_request": ErrorEntry(
        "The request is MessagePack-RPC but its parameters have the wrong shape.",
        "Send the parameters the method documents: one value in the params array.",
        _SOCKET,
    ),
    "unknown_method": ErrorEntry(
        "The daemon has no method of this name.",
        "Check the spelling; `hello` tells the server's version.",
        _SOCKET,
    ),
    "invalid_job": ErrorEntry(
        "A field of the job breaks a rule; nothing was stored.",
        "Mend the field the error names and submit again; the same id may be used.",
        _SOCKET,
    ),
    "conflict": ErrorEntry(
        "A job of this id with another content was accepted before.",
        "Use a new id for a new job; repeat a job unchanged to learn its state.",
        _SOCKET,
    ),
    "content": ErrorEntry(
        "The text, or a parameter of it, has wording that this lane does not send; nothing was stored.",
        "Take out what stands at `position`, or send it by a lane that permits marketing.",
        _SOCKET,
    ),
    "guarded": ErrorEntry(
        "A guard against fraud refused the job; `guard` names it. Nothing was stored.",
        "If the traffic is genuine, raise the guard's limit in [guards], or set its dry_run.",
        _SOCKET,
    ),
    "opted_out": ErrorEntry(
        "The recipient is in the lane's opt_out_file.",
        "Do not write to this number; take it out of the file when its owner says so.",
        _SOCKET,
    ),
    "quiet_hours": ErrorEntry(
        "It is quiet hours where the recipient is, and the job cannot wait for their end.",
        "Submit it again after `retry_after_s` seconds, or give it a later deadline.",
        _SOCKET,
    ),
    "late_event": ErrorEntry(
        "An order's event came after one of a higher rank: what it tells is out of date. It was dropped.",
        "Nothing need be done. Where it happens often, look at the ranks in [[orders.nodes]].",
        _SOCKET,
    ),
    "stale_event": ErrorEntry(
        "An order's event happened so long ago that its message would be worthless. It was noted, not told.",
        "Report events sooner, or raise the node's deadline_s.",
        _SOCKET,
    ),
    "busy": ErrorEntry(
        "Too many jobs are waiting to leave, or too many connections are open; nothing was stored.",
        "Try again after `retry_after_s` seconds.",
        _BOTH,
    ),
    "forbidden": ErrorEntry(
        "The caller's user may not use this lane, template or sender.",
        "Add the uid or the sender to [[application]] in connector.toml, or use the lane's own socket.",
        _BOTH,
    ),
    "unknown_job": ErrorEntry(
        "This application has no job of this id, or it is older than the retention time.",
        "Check the id; raise [state] retention_days to keep jobs longer.",
        _SOCKET,
    ),
    "frame_too_large": ErrorEntry(
        "A frame is longer than the limit that `hello` announces.",
        "Send smaller batches; raise [socket] max_frame_bytes where that is not enough.",
        _CONNECTION,
    ),
    "limit_exceeded": ErrorEntry(
        "A string, an array, a map or the nesting in a frame is over the limits that `hello` announces.",
        "Send smaller batches; a job never comes near the other limits.",
        _CONNECTION,
    ),
    "not_messagepack": ErrorEntry(
        "The bytes received are not MessagePack.",
        "Speak MessagePack-RPC: [0, msgid, method, [params]].",
        _CONNECTION,
    ),
    "not_rpc": ErrorEntry(
        "The bytes received are MessagePack, but no message of MessagePack-RPC.",
        "Send [0, msgid, method, [params]]: an array of four, with a string and an array at its end.",
        _CONNECTION,
    ),
    "draining": ErrorEntry(
        "The daemon is stopping and takes no new jobs.",
        "Connect again and submit after `retry_after_s` seconds.",
        _BOTH,
    ),
    "internal": ErrorEntry(
        "The daemon failed in a way it did not foresee.",
        "Report the log lines of this moment; the job may be submitted again with the same id.",
        _SOCKET,
    ),
    "config_unreadable": ErrorEntry(
        "A configuration file or folder is missing or cannot be read.",
        "Create it, or let the daemon's user read it.",
        _FILES,
    ),
    "config_syntax": ErrorEntry(
        "A file is not TOML.",
        "Mend the line the problem names.",
        _FILES,
    ),
    "config_unknown_key": ErrorEntry(
        "A key is not known at this place.",
        "Correct its spelling or remove it.",
        _FILES,
    ),
    "config_missing_key": ErrorEntry(
        "A required key is absent.",
        "Add the key the problem names.",
        _FILES,
    ),
    "config_wrong_value": ErrorEntry(
        "A value has the wrong type, is out of range, or contradicts another.",
        "Give the value the problem describes.",
        _FILES,
    ),
    "config_secret": ErrorEntry(
        "A password stands in the file, is missing, or others can read it.",
        "Keep it in a file of mode 0600 (`password_file`) or a systemd credential (`password_credential`).",
        _FILES,
    ),
    "config_no_carrier": ErrorEntry(
        "The instance has no carrier that is enabled.",
        "Put one TOML file for each carrier into the folder `carriers`.",
        _FILES,
    ),
    "config_shared": ErrorEntry(
        "Two lanes own the same carrier account, sender, socket, state folder or port.",
        "Give each lane its own; lanes share nothing.",
        ("check",),
    ),
}


class ConnectorError(Exception):
    """Base of the errors this program raises on purpose.

    code           a key of `ERRORS`
    message        what was wrong and what was expected, for a person
    field          the parameter or key at fault, dotted
    hint           what to do instead
    retry_after_s  seconds after which the same request may succeed
    position       (start, end) of what is at fault, in characters of the value that `field` names; of the
                   rendered text where that is `text` or `template`
    guard          the guard that refused
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        hint: str | None = None,
        retry_after_s: float | None = None,
        position: tuple[int, int] | None = None,
        guard: str | None = None,
    ) -> None:
        if code not in ERRORS:
            raise KeyError(f"{code} is not in connector.errors.ERRORS")
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.hint = hint
        self.retry_after_s = retry_after_s
        self.position = position
        self.guard = guard

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message}{hint}"
