"""The shipped schemas are current, and schema and structs forbid the same."""

import copy
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config import CarrierFile, ConnectorFile, TemplateFile, TrunkFile
from connector.config.__main__ import schemas
from connector.config.document import Document, plain
from connector.config.schema import file_schema
from connector.config.validate import file_problems, schema_problems

CONFIG = Path(__file__).parents[2] / "config"
Kind = type[ConnectorFile] | type[CarrierFile] | type[TemplateFile] | type[TrunkFile]
KINDS: dict[str, Kind] = {
    "connector.schema.json": ConnectorFile,
    "carrier.schema.json": CarrierFile,
    "template.schema.json": TemplateFile,
    "trunk.schema.json": TrunkFile,
}
FILES = sorted(CONFIG.rglob("*.toml"))


@pytest.mark.parametrize("name", schemas())
def test_the_shipped_schema_is_current(name: str) -> None:
    shipped = (CONFIG / name).read_text(encoding="utf-8")
    assert shipped == schemas()[name], "run: python -m connector.config config"


@pytest.mark.parametrize("name", schemas())
def test_the_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(msgspec.json.decode(schemas()[name]))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CONFIG)))
def test_every_shipped_file_names_its_schema_and_obeys_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    first = text.split("\n", 1)[0]
    assert first.startswith("#:schema ")
    schema = (file.parent / first.removeprefix("#:schema ")).resolve()
    assert schema.parent == CONFIG
    data = plain(tomllib.loads(text))
    jsonschema.validate(data, msgspec.json.decode(schema.read_bytes()))
    assert file_problems(Document(str(file), data, {}), KINDS[schema.name]) == []


def test_the_verification_example_shows_every_key() -> None:
    shown = {
        "connector.schema.json": "connector.toml",
        "carrier.schema.json": "carriers/north.toml",
        "trunk.schema.json": "trunks/west.toml",
        "template.schema.json": "templates/login-code.toml",
    }
    for name, example in shown.items():
        text = (CONFIG / "verification" / example).read_text(encoding="utf-8")
        for table in file_schema(KINDS[name])["$defs"].values():
            for key in table["properties"]:
                assert key in text, f"{key} is not in {example}"


ORIGINALS: list[tuple[Kind, dict[str, Any]]] = [
    (
        KINDS[(file.read_text(encoding="utf-8").split("\n", 1)[0]).rpartition("/")[2]],
        plain(tomllib.loads(file.read_text("utf-8"))),
    )
    for file in FILES
]
VALUES: list[Any] = [
    None, True, 0, -1, 1, 99_999, 10**12, 0.0, 1.0, 1.5, float("nan"), float("inf"), "", "x", "x\n", "0660",
    "é", "A" * 300, [], {}, ["Acme"], ["Acme", 3], [{}], {"x": 1}, {"ton": 1, "npi": 1}, {"en": "text"},
    "report", "3.4", "127.0.0.1:1", "final_delivered", [0], ["root", 0],
    {"ACCEPTD": "non_final"}, {"ACCEPTED": "non_final"},
]  # fmt: skip
KEYS = ["path", "mode", "lane", "ton", "password", "states", "x", "X", "de", "folder", "name", "de_DE"]


def _mutate(data: Any, choose: Any) -> None:
    while True:
        keys = list(data) if isinstance(data, dict) else list(range(len(data)))
        key = choose(st.sampled_from([*keys, "+"]))
        if key == "+":
            if isinstance(data, dict):
                data[choose(st.sampled_from(KEYS))] = choose(st.sampled_from(VALUES[1:]))
            else:
                data.append(choose(st.sampled_from(VALUES[1:])))
            return
        if isinstance(data[key], dict | list) and data[key] and choose(st.booleans()):
            data = data[key]
            continue
        value = choose(st.sampled_from(VALUES))
        if value is None:
            del data[key]
        else:
            data[key] = value
        return


@settings(max_examples=300)
@given(st.data())
def test_schema_and_structs_forbid_the_same(data: st.DataObject) -> None:
    kind, original = data.draw(st.sampled_from(ORIGINALS))
    changed = copy.deepcopy(original)
    _mutate(changed, data.draw)
    problems = schema_problems(Document("x.toml", changed, {}), file_schema(kind))
    try:
        msgspec.convert(changed, kind)
    except msgspec.ValidationError as error:
        assert problems, error
    else:
        assert not problems
