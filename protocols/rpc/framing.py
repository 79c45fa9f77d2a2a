"""Octets of a stream to MessagePack-RPC messages, in bounded memory.

A MessagePack array header of five octets may announce four thousand million elements, and the unpacker
makes room for them when it sees the header. So frames are first *skipped* over, which builds nothing,
and only complete frames, whose elements are all there, are built.
"""

from __future__ import annotations

from typing import Any

from msgpack import OutOfData, Unpacker  # type: ignore[import-untyped]

from protocols.rpc.errors import FrameError
from protocols.rpc.limits import Limits
from protocols.rpc.messages import (
    MAX_MSGID,
    NOTIFICATION,
    REQUEST,
    RESPONSE,
    Message,
    Notification,
    Request,
    Response,
)


class Reader:
    """Incoming half of one connection.

    Whole or octet by octet, the same stream gives the same messages and the same error. At most
    ``limits.frame`` octets of an incomplete frame are held.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits = limits or Limits()
        self._scanner = Unpacker(max_buffer_size=limits.frame, read_size=min(limits.frame, 4096))
        self._builder = Unpacker(
            max_buffer_size=limits.frame,
            read_size=min(limits.frame, 4096),
            max_str_len=limits.string,
            max_bin_len=limits.string,
            max_array_len=limits.array,
            max_map_len=limits.map,
            max_ext_len=0,
            ext_hook=_refuse_extension,
            strict_map_key=True,
        )
        self._pending = bytearray()
        self._consumed = 0
        self._error: FrameError | None = None

    def feed(self, data: bytes | bytearray | memoryview) -> list[Message]:
        """Return the messages that ``data`` completes, in order.

        Raises FrameError when the stream cannot be read on; its ``messages`` are those which this
        ``data`` completed before. Every later call raises it again, without messages.
        """
        if self._error is not None:
            raise FrameError(self._error.code, self._error.message)
        messages: list[Message] = []
        view = memoryview(data)
        try:
            while view:
                # Never past the limit of the frame under way: where the error is found must not depend
                # on how the stream was cut.
                room = self._limits.frame - len(self._pending)
                self._take(view[:room], messages)
                view = view[room:]
        except FrameError as error:
            self._error = error
            self._pending.clear()
            raise FrameError(error.code, error.message, messages) from error.__cause__
        return messages

    def _take(self, chunk: memoryview, messages: list[Message]) -> None:
        scanner, end, failure = self._scanner, self._consumed, None
        scanner.feed(chunk)
        try:
            while True:
                scanner.skip()
                end = scanner.tell()
        except OutOfData:
            pass
        except ValueError as error:
            failure = error
        complete = end - self._consumed
        if complete:
            self._consumed = end
            self._build(chunk, complete, messages)
        else:
            self._pending += chunk
        if failure is not None:
            raise _unreadable(failure)
        if len(self._pending) >= self._limits.frame:
            raise FrameError("frame_too_large", f"a frame is longer than {self._limits.frame} octets")

    def _build(self, chunk: memoryview, complete: int, messages: list[Message]) -> None:
        """Build the frames in the first ``complete`` octets of what is pending and ``chunk``."""
        builder = self._builder
        split = complete - len(self._pending)
        if self._pending:
            builder.feed(self._pending)
            self._pending.clear()
        builder.feed(chunk[:split])
        self._pending += chunk[split:]
        nesting = self._limits.nesting
        try:
            for frame in builder:
                if _deeper_than(nesting, frame):
                    raise FrameError("limit_exceeded", f"a frame nests deeper than {nesting} levels")
                messages.append(_message(frame))
        except ValueError as error:
            raise _unreadable(error) from error


def _message(frame: Any) -> Message:
    # By exact type: to Python True is an int and equals 1, on the wire it is neither. Not by match: its
    # sequence patterns cost ten times as much.
    if type(frame) is list and frame and type(frame[0]) is int:
        kind, size = frame[0], len(frame)
        if kind == REQUEST and size == 4:
            _, msgid, method, params = frame
            if type(method) is str and type(params) is list and _is_msgid(msgid):
                return Request(msgid, method, params)
        elif kind == NOTIFICATION and size == 3:
            _, method, params = frame
            if type(method) is str and type(params) is list:
                return Notification(method, params)
        elif kind == RESPONSE and size == 4:
            _, msgid, error, result = frame
            if _is_msgid(msgid):
                return Response(msgid, error, result)
    raise FrameError(
        "not_rpc",
        "a frame must be [0, msgid, method, [params]], [1, msgid, error, result] or [2, method, [params]]",
    )


def _is_msgid(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_MSGID


def _deeper_than(limit: int, value: Any) -> bool:
    """Whether containers nest deeper than ``limit`` in ``value``; recurses at most ``limit`` levels."""
    kind = type(value)
    if kind is not list and kind is not dict:
        return False
    if limit == 0:
        return True
    for child in value if kind is list else value.values():
        kind = type(child)
        if (kind is list or kind is dict) and _deeper_than(limit - 1, child):
            return True
    return False


def _refuse_extension(code: int, data: bytes) -> Any:
    raise ValueError(f"extension type {code} is not used here")


def _unreadable(error: ValueError) -> FrameError:
    # StackError (nesting beyond what the unpacker itself can follow) has no text.
    text = str(error)
    if type(error).__name__ == "StackError":
        return FrameError("limit_exceeded", "a frame nests too deep")
    if "exceeds max_" in text:
        return FrameError("limit_exceeded", text)
    return FrameError("not_messagepack", text or "not MessagePack")
