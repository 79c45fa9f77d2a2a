from collections.abc import Callable
from pathlib import Path

import pytest

CONNECTOR = """\
lane = "verification"

[socket]
path = "run/jobs.sock"

[[application]]
name = "login"
uids = [2001]

[state]
folder = "state"

[http]
listen = "127.0.0.1:9464"

[jobs]
senders = ["Acme", "60312"]
default_sender = "Acme"
"""

CARRIER = """\
[account]
host = "smsc.example"
port = 2775
system_id = "acme"
password_file = "secrets/north"

[binds]
tps = 100
"""

TEMPLATE = """\
lane = "verification"
purpose = "Signing in"
default_lang = "en"

[text]
en = "{code} is your code"
de = "{code} ist Ihr Code"

[params.code]
kind = "digits"
max_length = 8
"""


class Folder:
    """A CONFIG_DIR under construction; `edit` replaces text in one of its files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)
        return file

    def edit(self, name: str, old: str, new: str) -> None:
        file = self.path / name
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} must stand in {name} once"
        file.write_text(text.replace(old, new), encoding="utf-8")


MakeFolder = Callable[..., Folder]


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """make_folder(name="lane") writes a complete, right instance."""

    def make(name: str = "lane") -> Folder:
        folder = Folder(tmp_path / name)
        folder.write("connector.toml", CONNECTOR)
        folder.write("carriers/north.toml", CARRIER)
        folder.write("templates/login-code.toml", TEMPLATE)
        folder.write("secrets/north", "s3cret\n", 0o600)
        return folder

    return make


@pytest.fixture
def folder(make_folder: MakeFolder) -> Folder:
    return make_folder()
