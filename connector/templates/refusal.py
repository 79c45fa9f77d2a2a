"""Why a template cannot become a text."""

from __future__ import annotations

from connector.errors import ConnectorError

__all__ = ["TemplateError"]


class TemplateError(ConnectorError):
    """A job's template, language or parameters are wrong; `field` is the job's field, e.g. `params.code`.

    The code is `forbidden` for a template of another lane, `invalid_job` for all else. Values of parameters
    never appear in the message: they are codes.
    """
