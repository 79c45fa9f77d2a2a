"""Counters, times and gauges, at the price of an integer addition; `collector` turns them into families."""

from .calls import TrunkMetrics
from .counters import OTHER_STATUS, OUTCOMES, CarrierMetrics, Metrics
from .histogram import Histogram
from .live import BindLive, CarrierLive, Live, TrunkLive, VoiceLive

__all__ = [
    "OTHER_STATUS",
    "OUTCOMES",
    "BindLive",
    "CarrierLive",
    "CarrierMetrics",
    "Histogram",
    "Live",
    "Metrics",
    "TrunkLive",
    "TrunkMetrics",
    "VoiceLive",
]
