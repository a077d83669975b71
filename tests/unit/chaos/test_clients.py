"""Chaos's clients repeat as the documentation asks, and note every attempt; what may not be told is noted as well."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.chaos.clients import Caller, Refused, Token, Unanswered
from tests.chaos.history import Attempt, History


class Scripted(Caller):
    """Answers from a list instead of a gateway, and writes down who was asked."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        super().__init__(["http://one", "http://two"], History(), threading.Event())
        self.asked: list[tuple[str, object, str]] = []
        self._answers: Iterator[tuple[int, Any]] = iter(answers)

    def attempt(
        self, kind: str, url: str, method: str, path: str, body: object = None, *, token: str = "", key: str = ""
    ) -> tuple[Attempt, Any]:
        status, content = next(self._answers)
        self.asked.append((url, body, key))
        attempt = Attempt(kind, 0.0, 0.0, status, content.get("code", "") if isinstance(content, dict) else "")
        self.history.note(attempt)
        return attempt, content


def test_refusals_for_the_time_being_are_repeated_with_the_same_ids_at_the_other_gateway() -> None:
    caller = Scripted((503, {}), (0, None), (201, {"id": "m1"}))
    assert caller.ask("say", "POST", "/messages", {"client_message_id": "k"}, key="x") == {"id": "m1"}
    urls, bodies, keys = zip(*caller.asked, strict=True)
    assert len(set(urls[:2])) == 2
    assert set(keys) == {"x"}
    assert all(body == {"client_message_id": "k"} for body in bodies)
    assert caller.history.wrong == []


def test_final_refusals_are_noted_unless_they_are_in_order() -> None:
    caller = Scripted((409, {"code": "CONVERSATION_ARCHIVED"}), (404, {"code": "CONVERSATION_NOT_FOUND"}))
    with pytest.raises(Refused):
        caller.ask("answer", "POST", "/messages", expected={"CONVERSATION_ARCHIVED"})
    assert caller.history.wrong == []
    with pytest.raises(Refused):
        caller.ask("answer", "POST", "/messages", expected={"CONVERSATION_ARCHIVED"})
    assert len(caller.history.wrong) == 1


def test_failures_of_the_server_are_noted_and_repeated() -> None:
    caller = Scripted((500, {"code": "INTERNAL"}), (200, {}))
    assert caller.ask("list", "GET", "/conversations") == {}
    assert len(caller.history.wrong) == 1


def test_client_that_is_refused_for_too_long_gives_up() -> None:
    caller = Scripted((503, {}))
    with pytest.raises(Unanswered):
        caller.ask("list", "GET", "/conversations", patience=-1.0)


def test_token_is_renewed_once_for_all_who_were_refused_with_it() -> None:
    tokens = iter(["first", "second", "third"])
    token = Token(lambda: next(tokens))
    assert [token.renew("first"), token.renew("first"), token.value] == ["second", "second", "second"]
