"""What the commands share: links to the broker, the database and the services, each opened on first use and closed at the end."""

from contextlib import ExitStack
from functools import cached_property
from types import TracebackType
from typing import Any, Self

import pymongo
from kombu.connection import Connection
from pymongo.errors import PyMongoError

from deploy.ops.addresses import Surroundings, find_surroundings
from deploy.ops.errors import Unusable, Wrong
from services.common.amqp import BROKER_ERRORS, close_quietly, connect
from services.common.errors import DomainError, Unavailable
from services.common.redaction import redact
from services.common.rpc_client import RpcClient
from services.common.topology import SERVICES

Document = dict[str, Any]

# Who does what this command asks of the services.
ACTOR = {"kind": "system", "id": None, "name": "Operator", "role": None}
CALL_SECONDS = 15.0
_LOOK_SECONDS = 5


class Context:
    """One run of the command; enter it."""

    def __init__(self, surroundings: Surroundings | None = None) -> None:
        self.surroundings = surroundings or find_surroundings()
        self.settings = self.surroundings.settings
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._open.close()

    @cached_property
    def broker(self) -> Connection:
        """A connection to the broker. Raises Unusable."""
        return self.new_broker_link()

    def renew_broker(self) -> None:
        """Let `broker` be a new connection: one that was not tended while somebody thought about a question is cut off."""
        self.__dict__.pop("broker", None)

    def new_broker_link(self) -> Connection:
        """One more connection to the broker, closed with the others. Raises Unusable."""
        try:
            connection = connect(self.settings.amqp_uri)
        except BROKER_ERRORS as error:
            raise Unusable(f"The broker is not reachable: {redact(str(error)) or type(error).__name__}.", "See: doctor") from None
        except ValueError:  # its text quotes the address
            raise Unusable("AMQP_URI can't be used: its port, or another part of it, can't be.", "See: doctor") from None
        self._open.callback(close_quietly, connection)
        return connection

    @cached_property
    def database(self) -> "pymongo.MongoClient[Document]":
        """A client of the database, found to answer. Raises Unusable."""
        try:
            client: pymongo.MongoClient[Document] = pymongo.MongoClient(
                self.settings.mongodb_uri,
                serverSelectionTimeoutMS=_LOOK_SECONDS * 1000,
                w="majority",
                journal=True,
                tz_aware=True,
                appname="foyer-ops",
            )
            self._open.callback(client.close)
            client.admin.command("ping")
        except (PyMongoError, ValueError) as error:
            raise Unusable(f"The database is not reachable: {redact(str(error))[:300]}.", "See: doctor") from None
        return client

    @cached_property
    def rpc(self) -> RpcClient:
        """Calls to the services. Raises Unusable without a broker."""
        client = RpcClient(self.settings)
        self._open.callback(client.close)
        if not client.start(_LOOK_SECONDS):
            raise Unusable("The broker is not reachable.", "See: doctor")
        return client

    def call(self, service: str, method: str, /, *, timeout: float = CALL_SECONDS, **arguments: Any) -> Any:
        """A service's answer. Raises Wrong with what it refuses, Unusable when it isn't there."""
        try:
            return self.rpc.call(service, method, timeout=timeout, **arguments)
        except Unavailable as error:
            raise Unusable(error.text, "See: status") from None
        except DomainError as error:
            fields = error.data.get("errors") or {}
            details = "; ".join(f"{field}: {' '.join(map(str, texts))}" for field, texts in fields.items())
            raise Wrong(f"{error.error_code}: {error.text}{f' ({details})' if details else ''}") from None

    def close(self) -> None:
        """Close what was opened."""
        self._open.close()


def service_argument(parser: Any, *, required: bool = False) -> None:
    """`--service NAME`."""
    parser.add_argument("--service", choices=SERVICES, required=required, help="of this service alone")
