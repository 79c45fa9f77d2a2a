"""`python -m connector.config FOLDER` writes the JSON schemas that the repository ships."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from .carrier import CarrierFile
from .model import ConnectorFile
from .overview import Overview
from .schema import DIALECT, file_schema
from .template import TemplateFile
from .trunk import TrunkFile

__all__ = ["schemas"]


def schemas() -> dict[str, str]:
    """File name and text of every schema: of the configuration files, and of `connector check --json`."""
    check = {"$schema": DIALECT, **msgspec.json.schema(Overview)}
    return {
        "connector.schema.json": _text(file_schema(ConnectorFile)),
        "carrier.schema.json": _text(file_schema(CarrierFile)),
        "trunk.schema.json": _text(file_schema(TrunkFile)),
        "template.schema.json": _text(file_schema(TemplateFile)),
        "check.schema.json": _text(check),
    }


def _cleaned(schema: Any) -> Any:
    """Descriptions as Python 3.13 leaves docstrings; older versions keep the indentation."""
    if isinstance(schema, dict):
        return {
            key: inspect.cleandoc(value)
            if key == "description" and isinstance(value, str)
            else _cleaned(value)
            for key, value in schema.items()
        }
    return [_cleaned(item) for item in schema] if isinstance(schema, list) else schema


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(_cleaned(schema), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, text in schemas().items():
        (Path(sys.argv[1]) / name).write_text(text, encoding="utf-8")
