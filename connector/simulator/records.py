"""Everything a test may ask the simulated carrier afterwards."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

from .counters import Counters
from .handsets import Handsets
from .latency import Latencies
from .ledger import Ledger
from .options import SmscOptions
from .reading import Reading
from .submissions import Submissions

Trace = Callable[[str, dict[str, object]], None]
"""Called with the name of an event and its fields, which JSON can carry."""


class Records:
    """Counters, handsets, messages that can be asked about, how often submits were accepted, latencies."""

    def __init__(self, options: SmscOptions, sampling: random.Random, trace: Trace | None) -> None:
        self.counters = Counters()
        self.handsets = Handsets(options.handset_limit, Reading(options))
        self.ledger = Ledger(options.message_limit)
        self.submissions = Submissions(options.submission_limit)
        self.latencies = Latencies(sampling)
        self.trace = trace

    def configure(self, options: SmscOptions) -> None:
        self.handsets.limit = options.handset_limit
        self.handsets.reading = Reading(options)
        self.ledger.limit = options.message_limit
        self.submissions.limit = options.submission_limit

    def reset(self) -> None:
        """Begin anew; what is under way goes on and counts from here."""
        for field in dataclasses.fields(Counters):
            setattr(self.counters, field.name, 0)
        self.handsets.clear()
        self.ledger.clear()
        self.submissions.clear()
        self.latencies.clear()
