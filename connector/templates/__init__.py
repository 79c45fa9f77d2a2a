"""Templates: which one a job may use, the text it becomes, and whether that is the registered one."""

from .categories import Uncovered, uncovered
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
    "Uncovered",
    "Wording",
    "guises",
    "mismatch",
    "render",
    "speak",
    "uncovered",
]
