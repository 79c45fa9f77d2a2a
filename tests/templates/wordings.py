"""Templates made in tests, and what they refuse."""

from typing import Any

import pytest

from connector.config import Parameter, Template
from connector.templates import Registry, Rendered, TemplateError, Wording, render

PARCELS = {"n": Parameter(kind="number")}


def wording(
    text: str, params: dict[str, Parameter], lang: str = "en", *, syntax: Any = "plain", **more: Any
) -> Wording:
    template = Template(
        name="made", lane="test", purpose="x", text={lang: text}, params=params, syntax=syntax, **more
    )
    return Registry("test", [template]).wording("made", lang, 0.0)


def written(parameter: Parameter, value: Any, lang: str = "en") -> str:
    """What stands for the value in a text."""
    return render(wording("{x}", {"x": parameter}, lang), {"x": value}).text


def refused(parameter: Parameter, value: Any, lang: str = "en") -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        render(wording("a {x} b", {"x": parameter}, lang), {"x": value})
    assert (caught.value.code, caught.value.field) == ("invalid_job", "params.x")
    assert caught.value.position is not None
    start, end = caught.value.position
    assert 0 <= start <= end <= len(str(value))
    return caught.value


def put_together(made: Rendered, fixed: list[str]) -> str:
    """The text from what is between the spans and what is in them, by another way than the renderer's."""
    text = fixed[0]
    for (_, start, end), literal in zip(made.spans, fixed[1:], strict=True):
        assert start == len(text)
        text += made.text[start:end]
        assert end == len(text)
        text += literal
    return text
