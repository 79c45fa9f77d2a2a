"""Guards against inflated traffic and toll fraud: what refuses a job before it costs money. Pure."""

from .ask import Ask, Refusal
from .chain import Guards
from .settings import GuardSettings, guard_settings

__all__ = ["Ask", "GuardSettings", "Guards", "Refusal", "guard_settings"]
