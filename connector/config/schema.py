"""JSON schemas of the configuration files, generated from the structs."""

from __future__ import annotations

from typing import Any

import msgspec

from .carrier import CarrierFile
from .model import ConnectorFile
from .template import TemplateFile
from .trunk import TrunkFile

__all__ = ["DIALECT", "FileKind", "file_schema"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

FileKind = type[ConnectorFile] | type[CarrierFile] | type[TemplateFile] | type[TrunkFile]


def file_schema(kind: FileKind) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of one kind of file."""
    schema: dict[str, Any] = _for_toml(msgspec.json.schema(kind))
    return {"$schema": DIALECT, **schema}


def _for_toml(node: Any) -> Any:
    """Take out what TOML cannot say: null, and with it the choice `this or null`."""
    if isinstance(node, list):
        return [_for_toml(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _for_toml(value) for key, value in node.items() if not _is_table_default(key, value)}
    choices = [choice for choice in node.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        del node["anyOf"]
        node = {**node, **choices[0]}
    return node


def _is_table_default(key: str, value: Any) -> bool:
    # The defaults of a table's keys stand with the keys; repeated at the table they only hide it.
    return key == "default" and (value is None or isinstance(value, dict))
