"""[content]: which lanes refuse marketing wording when nothing is said."""

import msgspec
import pytest

from connector.config.content import ContentSettings


@pytest.mark.parametrize(
    ("lane", "refuses"),
    [("verification", True), ("notification", True), ("marketing", False), ("surveys", False)],
)
def test_the_default_goes_by_the_lane(lane: str, refuses: bool) -> None:
    assert ContentSettings().refuses(lane) is refuses


def test_what_is_said_wins() -> None:
    assert ContentSettings(marketing="refuse").refuses("surveys")
    assert not ContentSettings(marketing="allow").refuses("verification")


def test_phrases_are_bounded() -> None:
    for wrong in ({"allow": ["x"]}, {"allow": ["x" * 201]}, {"marketing": "maybe"}, {"alow": []}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, ContentSettings)
