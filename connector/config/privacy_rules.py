"""Rules of [privacy] that no schema can say, and where its keys are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as FilePath

from .document import Document
from .model import ConnectorFile
from .privacy import Privacy, SealKey
from .problem import Path, Problem
from .secrets import locate_seal_key

__all__ = ["resolved_privacy"]


def resolved_privacy(
    document: Document,
    file: ConnectorFile,
    folder: FilePath,
    environment: Mapping[str, str],
    problems: list[Problem],
    notes: list[Problem],
) -> Privacy:
    """[privacy] with the paths of its keys; what is wrong with them goes to `problems`, what only systemd
    can tell to `notes`.
    """
    seen: dict[str, int] = {}
    keys = []
    for index, key in enumerate(file.privacy.keys):
        here: Path = ("privacy", "keys", index)
        if (first := seen.setdefault(key.id, index)) != index:
            message = f"is that of entry {first} too, expected each id once"
            problems.append(document.problem((*here, "id"), message))
        located = locate_seal_key(key, folder, environment)
        for text, found in ((located.fault, problems), (located.note, notes)):
            if text:
                found.append(document.problem((*here, located.key), text, "config_secret"))
        keys.append(SealKey(id=key.id, file=key.file, credential=key.credential, path=located.path))
    return Privacy(keys=tuple(keys))
