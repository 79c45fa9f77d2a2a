"""The content gate: marketing wording is found, wherever it hides; nothing is ever edited."""

from .finding import Finding, Rule
from .gate import ContentGate
from .scan import shape_of

__all__ = ["ContentGate", "Finding", "Rule", "shape_of"]
