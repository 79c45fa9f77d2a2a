"""How long a message takes to the handset, by route and destination: learned from receipts, silence and use.

Pure: time is an argument. Times are absolute seconds unless their name ends in _s.
"""

from connector.routing.arrival.curve import Curve
from connector.routing.arrival.model import ArrivalModel
from connector.routing.arrival.report import RouteReport
from connector.routing.arrival.settings import ArrivalSettings, Cell
from connector.routing.arrival.watch import Watch

__all__ = ["ArrivalModel", "ArrivalSettings", "Cell", "Curve", "RouteReport", "Watch"]
