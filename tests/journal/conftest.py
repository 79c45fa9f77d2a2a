from collections.abc import Generator
from pathlib import Path

import pytest

from tests.journal.book import Book


@pytest.fixture
def book(tmp_path: Path) -> Generator[Book, None, None]:
    opened = Book(tmp_path / "journal.db")
    yield opened
    opened.store.connection.close()
