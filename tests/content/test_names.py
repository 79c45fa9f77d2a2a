"""Names of places, networks and currencies, which nobody chose for this, are hardly ever refused."""

from benchmarks.gate.names import places, terms
from connector.templates.content import ContentGate

GATE = ContentGate()


def test_places_and_networks() -> None:
    names = places()
    assert len(names) > 60_000
    refused = [(lang, name) for lang, name in names if GATE.judge(name, lang) is not None]
    assert len(refused) < len(names) / 1000, refused


def test_terms_of_cldr() -> None:
    names = terms()
    assert len(names) > 15_000
    refused = [(lang, name) for lang, name in names if GATE.judge(name, lang) is not None]
    # Georgia and Moldova once paid with coupons.
    assert len(refused) < len(names) / 500, refused
