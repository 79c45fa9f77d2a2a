from collections.abc import Callable, Iterator

import pytest

from tests.protocols.sip.playbook import Playbook


@pytest.fixture
def playbook() -> Iterator[Callable[..., Playbook]]:
    """``playbook(**options of UserAgent)``: a conversation, after whose end nothing may be left."""
    books: list[Playbook] = []

    def start(**options: object) -> Playbook:
        books.append(Playbook(**options))
        return books[-1]

    yield start
    for book in books:
        book.over()


@pytest.fixture
def play(playbook: Callable[..., Playbook]) -> Playbook:
    return playbook()
