"""Subscriptions hold no more than the connections that are there."""

from typing import Any, cast

import pytest

from connector.jobs.connection import Connection
from connector.jobs.subscription import Subscriptions
from protocols.rpc.limits import Limits

pytestmark = pytest.mark.asyncio


class Owner:
    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions

    def opened(self, connection: Connection) -> None:
        connection.app = 1

    def closed(self, connection: Connection) -> None:
        self._subscriptions.remove(connection)


class Transport:
    def set_write_buffer_limits(self, high: int) -> None: ...


async def test_one_that_ended_while_its_cursor_was_read_is_not_kept() -> None:
    subscriptions = Subscriptions(cast(Any, None), lambda error: None)
    connection = Connection(cast(Any, Owner(subscriptions)), Limits(), lambda: 0.0)
    connection.connection_made(cast(Any, Transport()))
    connection.connection_lost(None)
    subscriptions.add(connection, 0, 0)
    assert not any(subscriptions._by_app.values())
