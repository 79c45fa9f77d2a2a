"""Logging: redacted lines for people, JSON lines for machines, native records for systemd's journal.

    log = logging.getLogger(__name__)
    event(log, "carrier bound", carrier="acme", bind=1)

The message is a constant; what varies is a field. Whatever is written has passed the redaction, tracebacks
included.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Literal, TextIO

from .entry import FIELDS, JOURNAL_ID, Entry, entry_of
from .journal import Journal, is_journal, priority, serialise
from .redaction import Digest, Id, mask_number, redact
from .render import body_text, json_line, text_line

__all__ = ["Digest", "Format", "Id", "configure", "event", "log_uncaught", "mask_number", "redact"]

Format = Literal["json", "text"]


def event(
    logger: logging.Logger,
    message: str,
    /,
    *,
    level: int = logging.INFO,
    error: BaseException | None = None,
    journal_id: str = "",
    **fields: object,
) -> None:
    """Log `message`, a constant without data, with `fields`.

    error       an exception, shown with its traceback
    journal_id  MESSAGE_ID for systemd's journal: 32 hexadecimal digits

    Strings in the fields are redacted; wrap an identifier the reader needs in `Id`. Numbers are shown as
    they are: never pass a phone number or a code as an int.
    """
    if logger.isEnabledFor(level):
        logger.log(level, message, exc_info=error, extra={FIELDS: fields, JOURNAL_ID: journal_id})


def configure(
    level: str,
    format: Format,
    stream: TextIO | None = None,
    environ: Mapping[str, str] = os.environ,
) -> logging.Handler:
    """Log everything of this process from `level` ("debug" … "error") on to `stream`, by default stderr.

    When the stream is systemd's journal, records go there natively, their MESSAGE being the line in
    `format`. A second call replaces the first. Returns the handler.
    """
    stream = sys.stderr if stream is None else stream
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Output)]:
        root.removeHandler(handler)
        handler.close()
    output = _Output(stream, format, Journal() if _goes_to_journal(stream, environ) else None)
    root.addHandler(output)
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    return output


def log_uncaught() -> None:
    """Log exceptions that nobody caught, in any thread: Python's own report of them is not redacted."""
    logger = logging.getLogger("connector")

    def uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if not issubclass(kind, (KeyboardInterrupt, SystemExit)):
            event(logger, "uncaught exception", level=logging.CRITICAL, error=error or kind())

    sys.excepthook = uncaught
    threading.excepthook = lambda found: uncaught(found.exc_type, found.exc_value, found.exc_traceback)
    sys.unraisablehook = lambda found: uncaught(found.exc_type, found.exc_value, found.exc_traceback)


def _goes_to_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    try:
        return is_journal(stream.fileno(), environ)
    except (OSError, ValueError):  # a stream without a descriptor
        return False


class _Output(logging.Handler):
    """Writes redacted entries to the journal or, where there is none or it refuses one, to the stream."""

    def __init__(self, stream: TextIO, format: Format, journal: Journal | None) -> None:
        super().__init__()
        self._stream = stream
        self._format = format
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        try:
            entry = entry_of(record)
            if self._journal is None or not self._sent(self._journal, entry):
                self._write(entry)
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Logging's own report would print the arguments as they are; a line that is lost leaks nothing."""

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
        super().close()

    def _sent(self, journal: Journal, entry: Entry) -> bool:
        message = json_line(entry) if self._format == "json" else body_text(entry)
        try:
            journal.send(serialise(entry, message))
        except OSError:
            return False
        return True

    def _write(self, entry: Entry) -> None:
        line = json_line(entry) if self._format == "json" else text_line(entry)
        if self._journal is not None:  # journald reads the priority from the stream: sd-daemon(3)
            line = f"<{priority(entry.level)}>" + line.replace("\n", f"\n<{priority(entry.level)}>")
        try:
            self._stream.write(line + "\n")
        except UnicodeEncodeError:
            self._stream.write(line.encode("ascii", "backslashreplace").decode() + "\n")
        self._stream.flush()
