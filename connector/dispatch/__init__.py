"""From accepted job to final outcome: what leaves when, by whom, and what follows when nothing is heard."""

from .dispatcher import Dispatcher
from .routing import Routing

__all__ = ["Dispatcher", "Routing"]
