"""The doctor is content with what works, and names each of several things that are deliberately wrong."""

from pathlib import Path
from typing import Any

import pytest

from deploy.ops.addresses import find_surroundings
from deploy.ops.context import Context
from deploy.ops.doctor.command import examine
from services.common.topology import declare, event_queue
from tests.integration.ops.conftest import NO_ENGINE, STRONG, BareProduct, Ops
from tests.support.product import Gateway, Product


def complaints(product: Product, gateway: str | None = None, **variables: str) -> list[str]:
    findings = examine(product.environment | NO_ENGINE | variables, gateway)
    return [line.text for line in findings.of("bad")]


def test_all_is_well_when_it_is(ops: Ops, gateway: Gateway) -> None:
    said = ops.must("doctor", "--gateway", gateway.url)
    assert "All is well." in said.out
    assert STRONG["FOYER_SECRET_KEY"] not in said.out


def test_status_shows_every_part_when_all_run(ops: Ops) -> None:
    report: dict[str, Any] = ops.must("status", "--json").json
    assert [(each["service"], each["replicas"], len(each["instances"])) for each in report["services"]] == [
        (service, 1, 1) for service in ("messaging", "presence", "assignment", "contacts")
    ]
    assert report["database"]["members"][0]["state"] == "PRIMARY"
    assert report["wrong"] == []
    assert "Nothing is wrong." in ops.must("status").out


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"FOYER_RPC_TIMEOUT": "soon"}, "FOYER_RPC_TIMEOUT='soon' is not a number"),
        ({"FOYER_WEBHOOK_RETRY_SECONDS": "5,x"}, "messaging: FOYER_WEBHOOK_RETRY_SECONDS"),
        ({"FOYER_ADMIN_PASSWORD": "short"}, "presence: FOYER_ADMIN_PASSWORD"),
        ({"FOYER_SECRET_KEY": "change-me-change-me-change-me-change-me"}, "somebody made it up"),
        ({"GEOIP_DATABASE": "/nowhere.mmdb"}, "/nowhere.mmdb can't be used"),
        ({"AMQP_URI": "amqp://guest:guest@127.0.0.1:1/"}, "the broker at 127.0.0.1:1 is not reachable"),
        ({"MONGODB_URI": "mongodb://127.0.0.1:1/?replicaSet=rs0"}, "the database at 127.0.0.1:1 is not reachable"),
    ],
)
def test_doctor_names_the_setting_that_is_wrong(product: Product, gateway: Gateway, variables: dict[str, str], text: str) -> None:
    found = complaints(product, **variables)
    assert any(text in each for each in found), found


def test_doctor_names_every_wrong_setting_of_a_process(product: Product, gateway: Gateway) -> None:
    found = complaints(product, FOYER_LOG_LEVEL="LOUD", FOYER_LEASE_SECONDS="0", FOYER_PORT="x")
    for name in ("FOYER_LOG_LEVEL", "FOYER_LEASE_SECONDS", "FOYER_PORT"):
        assert any(name in each for each in found), found


def test_doctor_tells_a_wrong_password_vhost_and_replica_set_apart(product: Product, gateway: Gateway) -> None:
    address = product.broker.uri()
    assert any("refuses the user" in each for each in complaints(product, AMQP_URI=address.replace("guest:guest", "guest:wrong")))
    assert any(
        "there is no virtual host" in each for each in complaints(product, AMQP_URI=address.removesuffix("%2F") + "nowhere")
    )
    other = product.database.uri.replace("rs0", "rs1")
    assert any("another replica set" in each for each in complaints(product, MONGODB_URI=other))


def set_lifetime(product: Product, seconds: int) -> None:
    product.mongo("contacts").client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": seconds})


def test_doctor_names_what_is_missing_in_broker_and_database(product: Product, gateway: Gateway) -> None:
    product.services["contacts"].stop()
    index = product.mongo("contacts").contacts.index_information()
    product.mongo("contacts").contacts.drop_indexes()
    set_lifetime(product, 60)
    with Context(find_surroundings(product.environment)) as context:
        context.broker.channel().queue_delete(event_queue("contacts"))
        try:
            findings = examine(product.environment | NO_ENGINE, "http://127.0.0.1:1")
        finally:
            declare(context.broker.connection, product.settings)
            set_lifetime(product, 5)
            product.start_service("contacts")
    bad = "\n".join(line.text for line in findings.of("bad"))
    assert "missing: queue events.contacts" in bad
    assert "contacts: it does not run" in bad
    assert "foyer_contacts.contacts." in bad
    assert len(index) > 1
    assert "http://127.0.0.1:1: the gateway does not answer yet" in bad
    assert "transactionLifetimeLimitSeconds is 60" in "\n".join(line.text for line in findings.of("warn"))
    gateway.wait_ready()


def test_unfinished_restore_is_bad(bare: BareProduct, bare_ops: Ops, tmp_path: Path) -> None:
    bare.mongo("contacts").client["foyerrestore_under_way"].restore.insert_one({})
    try:
        assert "a restore was begun and not finished" in bare_ops.run("doctor").out
    finally:
        bare.mongo("contacts").client.drop_database("foyerrestore_under_way")
