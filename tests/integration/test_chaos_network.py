"""Partitions, as tests.chaos makes them: who is cut off can do nothing, and nothing is lost and nothing doubled."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.chaos.faults.partition import FromBroker, FromDatabase, Partition
from tests.chaos.product import ChaosProduct
from tests.chaos.world import World
from tests.integration.talking import Talk, begin_talk, breakable
from tests.support.product import PASSWORD, Gateway
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


class Lot:
    """Draws what a test wants, where it is to be drawn, and otherwise the first."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted

    def choice(self, among: Sequence[Any]) -> Any:
        return self._wanted if self._wanted in among else among[0]


@pytest.fixture(scope="module")
def partitions() -> dict[type[Partition], Partition]:
    """Of one product: their relays lie side by side."""
    return {FromBroker: FromBroker(), FromDatabase: FromDatabase()}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, partitions: dict[type[Partition], Partition]) -> Iterator[World]:
    with breakable(ChaosProduct(tmp_path_factory.mktemp("chaos")), list(partitions.values())) as world:
        yield world


talk = pytest.fixture(begin_talk)


def needs(gateway: Gateway, talk: Talk, label: str) -> int:
    """The status of what can't be done without that process."""
    if label == "contacts":
        return gateway.send("POST", f"/v1/widget/{talk.channel_id}/session", {"url": "https://shop.example/"}).status_code
    if label == "presence":
        return gateway.send("POST", "/v1/auth/token", {"email": talk.agent.email, "password": PASSWORD}).status_code
    return gateway.send("GET", f"/v1/agents/{talk.agent.id}", token=talk.agent.token).status_code


@pytest.mark.parametrize(
    ("kind", "label"),
    [(FromBroker, "gateway-2"), (FromBroker, "contacts"), (FromDatabase, "contacts"), (FromDatabase, "presence")],
)
def test_who_is_cut_off_can_do_nothing_and_all_is_whole_when_it_is_not_any_more(
    world: World, partitions: dict[type[Partition], Partition], talk: Talk, kind: type[Partition], label: str
) -> None:
    fault = partitions[kind]
    world.random = Lot(label)  # type: ignore[assignment]
    gateway = world.product.gateways[label if label in world.product.gateways else "gateway"]
    assert needs(gateway, talk, label) in {200, 201}
    talk.go_on("before")
    fault.apply(world)
    try:
        assert label in world.notes[-1]
        assert needs(gateway, talk, label) == 503
        talk.go_on("meanwhile")
        assert needs(gateway, talk, label) == 503
    finally:
        fault.heal(world)
    wait_until(lambda: needs(gateway, talk, label) in {200, 201}, 60, what="its work")
    talk.go_on("after")
    talk.check()


@pytest.mark.parametrize("label", ["messaging-2", "assignment-2"])
def test_others_go_on_when_one_replica_is_cut_off_from_the_database(
    world: World, partitions: dict[type[Partition], Partition], talk: Talk, label: str
) -> None:
    fault = partitions[FromDatabase]
    world.random = Lot(label)  # type: ignore[assignment]
    fault.apply(world)
    try:
        talk.go_on("meanwhile")
        assert talk.agent.presence()["connected"]
    finally:
        fault.heal(world)
    talk.go_on("after")
    talk.check()
