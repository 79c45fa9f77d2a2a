"""An instance that can call."""

from pathlib import Path

from tests.config.conftest import CARRIER, CONNECTOR, TEMPLATE, Folder

TRUNK = """\
[trunk]
host = "sip.example"
username = "acme"
password_file = "secrets/west"

[calls]
max = 10
per_s = 5
caller_ids = ["+4930123456"]

[destination]
prefixes = ["+49"]
"""
SPOKEN = (
    TEMPLATE.replace("{code} is your code", "{code}: {amount} EUR on {day}")
    .replace("{code} ist Ihr Code", "{code}: {amount} EUR am {day}")
    .replace('kind = "digits"\nmax_length = 8\n', """kind = "digits"
max_length = 8

[params.amount]
max_length = 12

[params.day]
max_length = 10

[voice]
code = "code"

[voice.say]
en = ["A payment of", { amount = "amount", currency = "EUR" }, { pause = 0.5 }, { date = "day" }]
de = ["Eine Zahlung über", { amount = "amount", currency = "EUR" }, { digits = "code" }]
""")
)  # fmt: skip
VOICE = """
[voice]
languages = ["en", "de"]

[scripts.warn]
kind = "risk"
agent = "+4930999"

[journeys.call]
channel = "voice"

[journeys.warning]
channel = "voice"
script = "warn"
"""


def with_trunk(folder: Folder, trunk: str = TRUNK) -> Folder:
    """Adds a trunk, scripts, journeys and a template that can be said."""
    text = (folder.path / "connector.toml").read_text()
    folder.write("connector.toml", text + VOICE)
    folder.write("trunks/west.toml", trunk)
    folder.write("secrets/west", "pass\n", 0o600)
    folder.write("templates/payment.toml", SPOKEN)
    return folder


def calling_lane(path: Path) -> Folder:
    """A complete instance with a carrier and a trunk."""
    folder = Folder(path / "lane")
    folder.write("connector.toml", CONNECTOR)
    folder.write("carriers/north.toml", CARRIER)
    folder.write("templates/login-code.toml", TEMPLATE)
    folder.write("secrets/north", "s3cret\n", 0o600)
    return with_trunk(folder)
