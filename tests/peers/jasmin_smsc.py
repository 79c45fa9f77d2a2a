"""An SMSC made of Jasmin's SMPP server, without the queues behind it.

PDUs, sessions, users, routes and receipts are Jasmin's own; what it would hand to a connector of its router
is told as JSON lines on stdout.

usage: python jasmin_smsc.py FOLDER; its log files go to FOLDER. On stdin: {"receipts": "deliver_sm"} or
{"receipts": "data_sm"}, {"unbind": true}.
"""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

FOLDER = sys.argv[1]
os.environ["LOG_PATH"] = FOLDER  # read when Jasmin is imported
TOLD = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # Jasmin prints as well

from jasmin.protocols.smpp.configs import SMPPServerConfig  # noqa: E402
from jasmin.protocols.smpp.factory import SMPPServerFactory  # noqa: E402
from jasmin.protocols.smpp.operations import SMPPOperationFactory  # noqa: E402
from jasmin.routing.InterceptionTables import MTInterceptionTable  # noqa: E402
from jasmin.routing.jasminApi import Group, SmppClientConnector, User  # noqa: E402
from jasmin.routing.Routes import DefaultRoute  # noqa: E402
from jasmin.routing.RoutingTables import MTRoutingTable  # noqa: E402
from jasmin.tools.cred.checkers import RouterAuthChecker  # noqa: E402
from jasmin.tools.cred.portal import SmppsRealm  # noqa: E402
from twisted.cred.portal import Portal  # noqa: E402
from twisted.internet import reactor, stdio  # noqa: E402
from twisted.protocols.basic import LineReceiver  # noqa: E402

RECEIPT_S = 0.05
SYSTEM_ID, PASSWORD = "shop", "s3cret"


def tell(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, **fields}), file=TOLD, flush=True)


class Router:
    """Users and routes as Jasmin keeps them, without its network of processes."""

    def __init__(self) -> None:
        self.users = [User("shop", Group("shops"), SYSTEM_ID, PASSWORD)]
        self._routes = MTRoutingTable()
        self._routes.add(DefaultRoute(SmppClientConnector("network")), 0)

    def getMTInterceptionTable(self) -> MTInterceptionTable:
        return MTInterceptionTable()

    def getMTRoutingTable(self) -> MTRoutingTable:
        return self._routes

    def authenticateUser(self, username: str, password: str) -> User | None:
        given = User("shop", Group("shops"), username, password)
        users = (user for user in self.users if user.username == username)
        return next((user for user in users if user.password == given.password), None)


class Accepted:
    """Jasmin takes the id of a queued message from `result`."""

    def __init__(self, message_id: str) -> None:
        self.result = message_id


class Network:
    """In the place of Jasmin's connectors: takes every message, and reports it as delivered."""

    def __init__(self) -> None:
        self.receipts = "deliver_sm"
        self._operations = SMPPOperationFactory()
        self._messages = 0

    def perspective_submit_sm(self, SubmitSmPDU: Any, source_connector: Any, **_: Any) -> Accepted:
        self._messages += 1
        message_id = f"{self._messages:08x}-jasmin"
        params = SubmitSmPDU.params
        tell("submit", id=message_id, bind=source_connector.bind_type.name, **_shown(params))
        reactor.callLater(RECEIPT_S, self._report, message_id, params, source_connector)
        return Accepted(message_id)

    def _report(self, message_id: str, params: dict[str, Any], proto: Any) -> None:
        receipt = self._operations.getReceipt(
            self.receipts, message_id, params["source_addr"], params["destination_addr"], "DELIVRD", "000",
            datetime.now(UTC).isoformat(), params["source_addr_ton"], params["source_addr_npi"],
            params["dest_addr_ton"], params["dest_addr_npi"],
        )  # fmt: skip
        bind = proto.factory.getBoundConnections(SYSTEM_ID).getNextBindingForDelivery()
        answered = bind.sendDataRequest(receipt)
        answered.addCallbacks(
            lambda done: tell("receipt_answered", id=message_id, status=done.response.status.name),
            lambda failure: tell("receipt_failed", id=message_id, error=str(failure.value)),
        )


def _shown(params: dict[str, Any]) -> dict[str, Any]:
    """What the tests look at, as Jasmin has read it."""
    return {
        "source": params["source_addr"].decode(),
        "source_ton": params["source_addr_ton"].name,
        "destination": params["destination_addr"].decode(),
        "dest_ton": params["dest_addr_ton"].name,
        "features": [feature.name for feature in params["esm_class"].gsmFeatures],
        "data_coding": params["data_coding"].schemeData.name,
        "receipt": params["registered_delivery"].receipt.name,
        "validity_s": params["validity_period"].seconds,
        "short_message": (params["short_message"] or b"").hex(),
        "payload": params.get("message_payload", b"").hex(),
        "sar": [params.get(f"sar_{name}") for name in ("msg_ref_num", "total_segments", "segment_seqnum")],
    }


class Requests(LineReceiver):
    delimiter = b"\n"

    def __init__(self, factory: SMPPServerFactory, network: Network) -> None:
        self._factory, self._network = factory, network

    def lineReceived(self, line: bytes) -> None:
        request = json.loads(line)
        self._network.receipts = request.get("receipts", self._network.receipts)
        if request.get("unbind"):
            self._factory.unbindGateway(SYSTEM_ID).addBoth(lambda _: tell("unbound"))


def main() -> None:
    config = SMPPServerConfig()
    config.log_file = f"{FOLDER}/jasmin.log"
    config.log_privacy = True  # otherwise it fails at logging the text of its own receipts
    config.billing_feature = False
    router, network = Router(), Network()
    portal = Portal(SmppsRealm(config.id, router))
    portal.registerChecker(RouterAuthChecker(router))
    factory = SMPPServerFactory(config, auth_portal=portal, RouterPB=router, SMPPClientManagerPB=network)
    listening = reactor.listenTCP(0, factory, interface="127.0.0.1")
    stdio.StandardIO(Requests(factory, network))
    tell("listening", port=listening.getHost().port)
    reactor.run()


main()
