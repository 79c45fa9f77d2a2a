"""Templates: which one a job may use, and the text it becomes."""

from .refusal import TemplateError
from .registry import Registry, Wording
from .render import render
from .spoken import speak

__all__ = ["Registry", "TemplateError", "Wording", "render", "speak"]
