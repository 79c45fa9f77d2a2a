"""When a template may be used, what identifies it, and which language serves whom."""

from datetime import UTC, datetime

import msgspec
import pytest

from connector.config import Parameter, Template, TemplateFile, content_hash
from connector.templates import Registry, TemplateError


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def registry(**more: str) -> Registry:
    return Registry(
        "l", [Template(name="t", lane="l", purpose="p", default_lang="en", text={"en": "x"}, **more)]
    )


@pytest.mark.parametrize(
    ("moment", "says"),
    [
        (at("2025-12-31T23:59:59.999+00:00"), "is valid from 2026-01-01T00:00:00+00:00"),
        (at("2026-01-01T00:00:00+00:00"), None),
        (at("2026-12-31T22:59:59.999+00:00"), None),
        (at("2026-12-31T23:00:00+00:00"), "was valid until 2026-12-31T23:00:00+00:00"),
    ],
)
def test_validity_at_its_bounds(moment: float, says: str | None) -> None:
    found = registry(valid_from="2026-01-01", valid_until="2027-01-01T00:00:00+01:00")
    if says is None:
        assert found.wording("t", "en", moment).template == "t"
        return
    with pytest.raises(TemplateError) as caught:
        found.wording("t", "en", moment)
    assert (caught.value.code, caught.value.field) == ("invalid_job", "template")
    assert caught.value.message == f'the template "t" {says}'


def test_one_bound_is_enough() -> None:
    now = datetime.now(UTC).timestamp()
    registry().wording("t", None, now)
    registry(valid_from="2026-01-01").wording("t", None, at("2199-01-01T00:00:00+00:00"))
    registry(valid_until="2026-01-01").wording("t", None, 0.0)


CODE = Parameter(kind="code")
FILE = TemplateFile(
    lane="l", purpose="p", text={"en": "{code}", "de": "{code}"}, params={"code": CODE}, version=3
)


def test_the_hash_is_that_of_what_the_file_says() -> None:
    found = content_hash(FILE)
    assert found == content_hash(Template(**msgspec.structs.asdict(FILE), name="any"))
    assert len(found) == 64
    assert set(found) <= set("0123456789abcdef")
    again = msgspec.structs.replace(FILE, text={"de": "{code}", "en": "{code}"}, flash=False)
    assert content_hash(again) == found  # another order, and a default that is spelled out
    # Evidence of years refers to it: it changes when the file does, and at no other time.
    assert found == "35d6fb98d3eee28e56a9544406f3e41bdab4c4f7ae96396cb43998bb5abeac11"


@pytest.mark.parametrize(
    "change",
    [
        {"version": 4},
        {"text": {"en": "{code}.", "de": "{code}"}},
        {"params": {"code": Parameter(kind="code", max_length=9)}},
        {"lane": "other"},
        {"values": {"a": "b"}},
    ],
)
def test_another_content_has_another_hash(change: dict[str, object]) -> None:
    assert content_hash(msgspec.structs.replace(FILE, **change)) != content_hash(FILE)


def test_a_wording_carries_what_evidence_needs() -> None:
    made = Registry("l", [Template(**msgspec.structs.asdict(FILE), name="t")]).wording("t", "DE-at", 0.0)
    assert (made.template, made.version, made.hash, made.lang) == ("t", 3, content_hash(FILE), "de")


@pytest.mark.parametrize(
    ("texts", "asked", "found"),
    [
        (["pt", "pt-BR"], "pt-BR", "pt-BR"),
        (["pt", "pt-BR"], "pt-br-x-a", "pt-BR"),
        (["pt", "pt-BR"], "pt-PT", "pt"),
        (["pt-BR"], "pt", None),
        (["zh", "zh-Hant"], "zh-TW", "zh-Hant"),
        (["zh", "zh-Hant"], "zh-Hant-HK", "zh-Hant"),
        (["zh", "zh-Hant"], "zh-CN", "zh"),
        (["zh", "zh-Hant", "zh-TW"], "zh-TW", "zh-TW"),
        (["zh", "zh-Hans"], "zh-SG", "zh-Hans"),
        (["zh-Hans", "zh-Hant"], "zh", "zh-Hans"),
        (["zh-Hant"], "zh-Hans", None),
        (["zh-Hant"], "zh", None),
        (["zh"], "zh-TW", "zh"),
        (["zh"], "cmn-Hans-CN", "zh"),
        (["he"], "iw", "he"),
        (["he"], "iw-IL", "he"),
        (["id"], "in-ID", "id"),
        (["in"], "id", "in"),
        (["nb"], "no", "nb"),
        (["no"], "nb-NO", "no"),
        (["nb", "no"], "no", "no"),
        (["fil"], "tl", "fil"),
        (["en"], "en-a-bbb-c", "en"),
        (["de"], "", None),
        (["de"], "-", None),
        (["de"], "de-", "de"),
        (["de"], "d", None),
    ],
)
def test_languages(texts: list[str], asked: str, found: str | None) -> None:
    made = Registry("l", [Template(name="t", lane="l", purpose="p", text=dict.fromkeys(texts, "x"))])
    if found is not None:
        assert made.wording("t", asked, 0.0).lang == found
        return
    with pytest.raises(TemplateError) as caught:
        made.wording("t", asked, 0.0)
    assert caught.value.field == "lang"
