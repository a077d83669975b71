"""The embedded broker and database keep what they accepted through a SIGKILL."""

import signal
from pathlib import Path

import amqp
import pymongo

from deploy.local.broker import LocalBroker
from deploy.local.database import LocalDatabase
from deploy.local.parts import Embedded
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.supervisor import Supervisor
from deploy.local.waiting import wait_until


def connect(broker: LocalBroker) -> amqp.Connection:
    return amqp.Connection(f"{LOOPBACK}:{broker.port}", confirm_publish=True)


def test_confirmed_message_is_there_when_the_broker_was_killed_and_supervised(tmp_path: Path) -> None:
    broker = LocalBroker(tmp_path / "broker", free_port())
    part = Embedded("broker", broker, grace=30)
    supervisor = Supervisor(lambda _: None)
    try:
        supervisor.start([part])
        part.wait_ready()
        with connect(broker) as connection, connection.channel() as channel:
            channel.queue_declare("kept", durable=True, auto_delete=False)
            channel.basic_publish(amqp.Message("accepted", delivery_mode=2), "", "kept")
        first = broker.process
        part.send_signal(signal.SIGKILL)

        def back() -> bool:
            supervisor.check()
            return part.running and broker.process is not first

        assert wait_until(back, 20)
        part.wait_ready()
        with connect(broker) as connection, connection.channel() as channel:
            assert channel.basic_get("kept", no_ack=True).body == "accepted"
    finally:
        supervisor.stop()
    assert not part.running


def test_acknowledged_document_is_there_when_the_database_was_killed_and_moved(tmp_path: Path) -> None:
    database = LocalDatabase(tmp_path / "database", free_port())
    try:
        database.start()
        with pymongo.MongoClient[dict[str, object]](database.uri, timeoutMS=10_000) as client:
            client.test.kept.insert_one({"_id": 1})
        database.kill()
        database = LocalDatabase(tmp_path / "database", free_port())
        database.start()
        with pymongo.MongoClient[dict[str, object]](database.uri, timeoutMS=10_000) as client:
            assert client.test.kept.find_one() == {"_id": 1}
    finally:
        database.stop()
