"""Counters, times and gauges, at the price of an integer addition; `collector` turns them into families."""

from .calls import TrunkMetrics
from .classes import ClassMetrics
from .counters import BREAKER_STATES, OTHER_STATUS, OUTCOMES, CarrierMetrics, Metrics
from .histogram import Histogram
from .live import BindLive, CarrierLive, ClassLive, GuardHits, Live, RouteLive, TrunkLive, VoiceLive

__all__ = [
    "BREAKER_STATES",
    "OTHER_STATUS",
    "OUTCOMES",
    "BindLive",
    "CarrierLive",
    "CarrierMetrics",
    "ClassLive",
    "ClassMetrics",
    "GuardHits",
    "Histogram",
    "Live",
    "Metrics",
    "RouteLive",
    "TrunkLive",
    "TrunkMetrics",
    "VoiceLive",
]
