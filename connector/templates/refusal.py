"""Why a template cannot become a text."""

from __future__ import annotations

from connector.errors import ConnectorError

__all__ = ["TemplateError", "Unfit", "Value"]

Value = str | int | float
"""What a job gives for a parameter."""


class TemplateError(ConnectorError):
    """A job's template, language or parameters are wrong; `field` is the job's field, e.g. `params.code`.

    The code is `forbidden` for a template of another lane, `invalid_job` for all else. Values of parameters
    never appear in the message: they are codes. `position` is in characters of the value.
    """


class Unfit(Exception):
    """A value is not of its parameter's kind.

    position   (start, end) in characters of the value
    parameter  the one at fault, where it is another
    """

    def __init__(self, reason: str, position: tuple[int, int], parameter: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position
        self.parameter = parameter

    def of(self, name: str) -> TemplateError:
        """What the application is told, of the value of the parameter `name`."""
        field = f"params.{self.parameter or name}"
        return TemplateError("invalid_job", self.reason, field=field, position=self.position)
