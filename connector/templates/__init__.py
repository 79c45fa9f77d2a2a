"""Templates: which one a job may use, the text it becomes, and whether that is the registered one."""

from .refusal import TemplateError
from .registration import Mismatch, mismatch
from .registry import Registry, Wording
from .render import render
from .senders import Guises, guises
from .spoken import speak
from .words import Rendered

__all__ = [
    "Guises",
    "Mismatch",
    "Registry",
    "Rendered",
    "TemplateError",
    "Wording",
    "guises",
    "mismatch",
    "render",
    "speak",
]
