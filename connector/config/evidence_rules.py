"""Rules of [evidence] that no schema can say, and where its keys are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as FilePath

import msgspec

from .document import Document
from .evidence import EvidenceSettings
from .model import ConnectorFile
from .problem import Problem
from .secrets import locate_evidence_key

__all__ = ["resolved_evidence"]


def resolved_evidence(
    document: Document,
    file: ConnectorFile,
    folder: FilePath,
    environment: Mapping[str, str],
    problems: list[Problem],
    notes: list[Problem],
) -> EvidenceSettings:
    """[evidence] with the paths of its keys; what is wrong with them goes to `problems`, what only systemd
    can tell to `notes`.
    """
    settings = file.evidence
    if 0 < settings.keep_days < settings.personal_days:
        message = f"is {settings.personal_days}, expected at most keep_days, which is {settings.keep_days}"
        problems.append(document.problem(("evidence", "personal_days"), message))
    paths: dict[str, str | None] = {}
    for name in ("chain_key", "signing_key"):
        located = locate_evidence_key(settings, name, folder, environment)
        if located is None:
            continue
        for text, found in ((located.fault, problems), (located.note, notes)):
            if text:
                found.append(document.problem(("evidence", located.key), text, "config_secret"))
        paths[f"{name}_path"] = located.path or None
    given = msgspec.structs.asdict(settings)
    return EvidenceSettings(**(given | paths))
