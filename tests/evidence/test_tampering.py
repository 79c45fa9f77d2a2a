"""Whatever is done to evidence, once and anywhere, is found."""

from collections import Counter
from pathlib import Path
from random import Random

from connector.evidence import keys
from connector.evidence.verify import verify
from tests.evidence.diary import Diary, written
from tests.evidence.tampering import Tamperer

TAMPERINGS = 1_000
LOCATED = ("file_field",)
"""Of these the line itself must be named; what is left out or moved shows at the next one, or at the head."""
NOT_LOCATED = " without .personal"
"""A line is whole without it: its number is missing among those whose personal parts were taken out."""


def sealed_states(diary: Diary) -> list[tuple[str, str]]:
    (row,) = diary.rows("SELECT state, seal FROM evidence_state")
    return [row]


def test_each_of_a_thousand_tamperings_is_found(tmp_path: Path, random: Random) -> None:
    state = tmp_path / "state"
    diary = written(state)
    older = sealed_states(diary)
    diary.delivered("newest-1")
    older += sealed_states(diary)
    diary.delivered("newest-2", parts=2)
    diary.store.connection.wal_checkpoint(mode=3)
    diary.store.connection.close()
    known = keys.load_verifying(state)
    assert verify(state, known).findings == []
    tamperer = Tamperer(state, random, older)
    missed, done = [], Counter[str]()
    kinds = sorted(tamperer.kinds)
    for number in range(TAMPERINGS):
        kind = kinds[number % len(kinds)]
        said = tamperer.once(kind)
        found = verify(state, known).findings
        located = kind in LOCATED and not said.endswith(NOT_LOCATED)
        if found and (not located or said.split()[1] in (where for where, _ in found)):
            done[kind] += 1
        else:
            missed.append(f"{said}, found {found}")
        tamperer.restore()
    print(f"{done.total()} of {TAMPERINGS} tamperings found: {dict(done)}")
    assert missed == []
    assert verify(state, known).findings == []
