"""A replica that is cut off from the database leaves the calls to those that are not."""

from services.common.errors import DomainError
from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from tests.service.conftest import Service
from tests.support.stack import Stack
from tests.support.tcp_relay import TcpRelay
from tests.support.waiting import wait_until

CALLS = 20


def answer(rpc: RpcClient) -> str:
    """The code with which a call is answered that only the database can answer."""
    try:
        rpc.call("contacts", "get_contact", contact_id=new_id())
    except DomainError as error:
        return error.error_code
    raise AssertionError("nobody has that id")


def test_calls_go_to_the_replica_whose_database_answers(stack: Stack, rpc: RpcClient, service: Service) -> None:
    service("contacts")
    with TcpRelay(stack.database.port) as relay:
        uri = f"mongodb://127.0.0.1:{relay.port}/?directConnection=true"
        cut = stack.start_service("contacts", instance="contacts-cut", extra={"MONGODB_URI": uri})
        try:
            wait_until(lambda: "service_started" in cut.log_path.read_text(), 60, what="the second replica")
            assert {answer(rpc) for _ in range(CALLS)} == {"CONTACT_NOT_FOUND"}
            relay.hold()
            wait_until(
                lambda: answer(rpc) == "DATABASE_UNAVAILABLE", 60, what="a call that came to the replica without a database"
            )
            # It holds none by now, and is given none.
            assert {answer(rpc) for _ in range(CALLS)} == {"CONTACT_NOT_FOUND"}
            assert '"event": "calls_left_to_replicas"' in cut.log_path.read_text()
            relay.release()
            wait_until(lambda: '"event": "calls_taken_again"' in cut.log_path.read_text(), 60, what="its return")
            assert {answer(rpc) for _ in range(CALLS)} == {"CONTACT_NOT_FOUND"}
        finally:
            cut.stop()
            stack.services.pop("contacts-cut")
