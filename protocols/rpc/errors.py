"""What can go wrong on the job socket, and whose fault it is.

FrameError    the peer sent bytes that are not a frame of ours: the connection ends.
ParamsError   the frame is good, its parameters are not: one error response, the connection stays.
  JobError    the same, for a job.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class FrameError(Exception):
    """The byte stream cannot be read on; the connection must end.

    ``code`` is one of ``frame_too_large`` ``not_messagepack`` ``limit_exceeded`` ``not_rpc``;
    ``messages`` are the good frames that came before the bad one in the same ``feed`` and are still to
    be served.
    """

    def __init__(self, code: str, message: str, messages: Sequence[Any] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.messages = list(messages)


class ParamsError(Exception):
    """A parameter breaks a rule. ``field`` is its key, or "" when the whole object is wrong.

    Neither ``message`` nor ``hint`` repeats the value: it may be a code or a telephone number.
    """

    def __init__(self, field: str, message: str, hint: str | None = None) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message
        self.hint = hint


class JobError(ParamsError):
    """A job breaks a rule of the interface."""
