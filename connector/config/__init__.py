"""Configuration of one instance: the model, the loader, and the check that lanes share nothing."""

from .carrier import Account, Backoff, Binds, Carrier, CarrierFile, Outbind, Price, Tls
from .habits import (
    Address,
    Coding,
    Destination,
    Limit,
    National,
    ReceiptMeaning,
    Receipts,
    Source,
    StatusClass,
    Supports,
    Text,
    TextAlphabet,
    Validity,
    VendorTlv,
)
from .isolation import shared_problems
from .load import Instance, load, load_carrier, read_instance
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
    "Coding",
    "Config",
    "ConfigError",
    "ConnectorFile",
    "Destination",
    "Drain",
    "Http",
    "Instance",
    "Jobs",
    "Limit",
    "Log",
    "National",
    "Outbind",
    "Parameter",
    "Price",
    "Problem",
    "ReceiptMeaning",
    "Receipts",
    "Socket",
    "Source",
    "State",
    "StatusClass",
    "Supports",
    "Template",
    "TemplateFile",
    "Text",
    "TextAlphabet",
    "Tls",
    "Validity",
    "VendorTlv",
    "load",
    "load_carrier",
    "pieces",
    "read_instance",
    "read_password",
    "shared_problems",
]
