"""Under which name a text leaves, by country and carrier."""

from typing import Any

import msgspec
import pytest

from connector.config import Carrier, Parameter, Registration, SenderRules
from connector.config.carrier import Account, Binds
from connector.model import Body, Content, Guise
from connector.templates import guises
from tests.templates.wordings import wording


def carrier(name: str, **rules: Any) -> Carrier:
    return Carrier(
        name=name, password_path="", account=Account(host="smsc.example", port=2775, system_id="acme"),
        binds=Binds(tps=10), sender_rules=SenderRules(**rules),
    )  # fmt: skip


NORTH, SOUTH = carrier("north"), carrier("south")
CODE = {"code": Parameter(kind="code")}
FILED = wording(
    "{code}", CODE, registered={"kept": "k", "pe_id": "old"},
    senders={"default": "Acme", "DE": "AcmeDE", "US": "+15550100"},
    registrations=(
        Registration(country="IN", ids={"pe_id": "any"}),
        Registration(
            country="IN", carriers=("north",), ids={"pe_id": "1", "template_id": "2"}, sender="ACMEIN"
        ),
        Registration(country="CN", carriers=("south",), ids={"signature": "9"}),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("country", "sender"), [("DE", "AcmeDE"), ("US", "+15550100"), ("FR", "Acme"), ("", "Acme")]
)
def test_the_sender_of_a_country(country: str, sender: str) -> None:
    assert FILED.sender(country) == sender
    assert wording("{code}", CODE).sender(country) is None


def test_the_registration_of_a_carrier_wins_over_that_of_all() -> None:
    north, south = FILED.registration("IN", "north"), FILED.registration("IN", "south")
    assert north is not None
    assert south is not None
    assert (north.ids["pe_id"], south.ids["pe_id"]) == ("1", "any")
    assert FILED.registration("CN", "north") is None
    assert FILED.registration("DE", "north") is None


@pytest.mark.rule("regulation.registered-ids")
def test_registered_ids_and_senders() -> None:
    found = guises(FILED, "IN", [NORTH, SOUTH], "Acme")
    assert found.usual == Guise("Acme", {"kept": "k", "pe_id": "old"})
    assert found.by_carrier == {
        "north": Guise("ACMEIN", {"kept": "k", "pe_id": "1", "template_id": "2"}),
        "south": Guise("Acme", {"kept": "k", "pe_id": "any"}),
    }
    assert guises(FILED, "CN", [NORTH, SOUTH], "Acme").own.keys() == {"south"}


def test_a_text_that_was_filed_is_not_changed_on_its_way() -> None:
    filed = Registration(country="IN", carriers=("north",), pattern={"en": "{#var#}"})
    south = carrier("south", no_brands_in=("IN",), instead="60312")
    made = wording("{code}", CODE, registrations=(filed, Registration(country="IN")))
    found = guises(made, "IN", [NORTH, south], "Acme")
    assert found.own == {"north": Guise("Acme", exact=True), "south": Guise("60312")}
    north = carrier("north", no_brands_in=("IN",), instead="60312")
    assert guises(made, "IN", [north], "Acme").own == {"north": Guise("60312", exact=True)}


def test_the_journal_keeps_who_it_was_from() -> None:
    found = guises(FILED, "IN", [NORTH, SOUTH], "Acme")
    said = Content("482917", "Acme", registered=found.usual.registered, by_carrier=found.by_carrier)
    body = Body(sms=(said,))
    assert msgspec.json.decode(msgspec.json.encode(body), type=Body) == body
    assert body.sms[0].guise("north").sender == "ACMEIN"
    assert body.sms[0].guise("west") == Guise("Acme", said.registered)


def test_nothing_of_its_own_is_nothing() -> None:
    assert guises(FILED, "DE", [NORTH, SOUTH], "AcmeDE").by_carrier is None
    assert guises(None, "DE", [NORTH, SOUTH], "60312") == (Guise("60312"), {}, {})


@pytest.mark.parametrize(
    ("rules", "country", "sender", "expected"),
    [
        ({}, "US", "Acme", None),
        ({"no_brands_in": ("US",), "instead": "+15550100"}, "US", "Acme", "+15550100"),
        ({"no_brands_in": ("US",), "instead": "+15550100"}, "DE", "Acme", None),
        ({"no_brands_in": ("US",), "instead": "+15550100"}, "US", "60312", None),
        ({"no_brands_in": ("US",), "instead": "+15550100"}, "US", "", None),
        ({"brands": False, "instead": "60312"}, "DE", "Acme", "60312"),
        ({"brands": False, "instead": "60312"}, "", "4cme", "60312"),
    ],
)
def test_the_rules_of_a_carrier(
    rules: dict[str, Any], country: str, sender: str, expected: str | None
) -> None:
    found = guises(None, country, [carrier("west", **rules), NORTH], sender)
    assert found.usual == Guise(sender)
    assert found.by_carrier == (None if expected is None else {"west": Guise(expected)})


def test_without_a_number_the_carrier_cannot_carry_it_there() -> None:
    found = guises(FILED, "US", [carrier("west", no_brands_in=("US",)), NORTH], "Acme")
    assert found.refused == {"west": "this carrier takes no brand as a sender in US"}
    assert found.by_carrier is not None
    assert found.by_carrier["west"].refused


def test_the_rules_hold_for_a_registered_brand_too() -> None:
    north = carrier("north", no_brands_in=("IN",), instead="60312")
    found = guises(FILED, "IN", [north], "60312")
    assert found.own["north"].sender == "60312"
    assert found.own["north"].registered is not None
    assert found.own["north"].registered["pe_id"] == "1"
