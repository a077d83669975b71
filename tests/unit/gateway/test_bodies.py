"""A request's body comes in time, or not at all."""

from typing import Any

import gevent
import pytest
from werkzeug.exceptions import RequestTimeout

from gateway import bodies
from tests.unit.gateway.kit import World


class Trickle:
    """A body of which every read waits for a little more, for ever."""

    def read(self, _size: int = -1) -> bytes:
        while True:
            gevent.sleep(0.01)

    readline = read


class Steady:
    """A body of which each read comes soon, and that has no end."""

    def read(self, _size: int = -1) -> bytes:
        gevent.sleep(0.01)
        return b" "

    readline = read


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.1)


@pytest.mark.parametrize("way", ["read", "readline"])
def test_read_is_given_up_when_the_body_trickles(way: str) -> None:
    with pytest.raises(RequestTimeout):
        getattr(bodies.TimelyBody(Trickle()), way)()


def test_deadline_is_that_of_the_whole_body_when_each_read_is_quick() -> None:
    body = bodies.TimelyBody(Steady())
    with pytest.raises(RequestTimeout):
        all(iter(lambda: body.read(1), b""))


def test_slow_body_is_answered_with_408_under_gunicorn(world: World) -> None:
    under_gunicorn: dict[str, Any] = {"gunicorn.socket": object(), "wsgi.input_terminated": True}
    response = world.send(
        "POST",
        "/v1/auth/token",
        headers={"Content-Type": "application/json", "Content-Length": "200"},
        environ_overrides=under_gunicorn | {"wsgi.input": Trickle()},
    )
    world.problem(408, "REQUEST_TOO_SLOW", response)
