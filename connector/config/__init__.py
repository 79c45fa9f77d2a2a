"""Configuration of one instance: the model, the loader, and the check that lanes share nothing."""

from .carrier import (
    Account,
    Address,
    Backoff,
    Binds,
    Carrier,
    CarrierFile,
    Price,
    ReceiptMeaning,
    Receipts,
    Source,
    Text,
)
from .isolation import shared_problems
from .load import Instance, load, read_instance
from .model import Application, ApplicationFile, Config, ConnectorFile, Drain, Http, Jobs, Log, Socket, State
from .problem import ConfigError, Problem
from .secrets import read_password
from .template import Parameter, Template, TemplateFile, pieces

__all__ = [
    "Account",
    "Address",
    "Application",
    "ApplicationFile",
    "Backoff",
    "Binds",
    "Carrier",
    "CarrierFile",
    "Config",
    "ConfigError",
    "ConnectorFile",
    "Drain",
    "Http",
    "Instance",
    "Jobs",
    "Log",
    "Parameter",
    "Price",
    "Problem",
    "ReceiptMeaning",
    "Receipts",
    "Socket",
    "Source",
    "State",
    "Template",
    "TemplateFile",
    "Text",
    "load",
    "pieces",
    "read_instance",
    "read_password",
    "shared_problems",
]
