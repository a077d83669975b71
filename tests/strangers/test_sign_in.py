"""Guessing passwords: as slow as the limits say whatever a guesser changes, and telling nothing by what it answers or does."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from services.common.ids import new_id
from tests.support.product import PASSWORD, SECRET_KEY, Agent, Gateway

ROOT = Path(__file__).parents[2]
ALLOWANCE = 10  # attempts a minute for an address and an e-mail: docs/roles.md and the API's description
# Comparisons of what is called like a secret, and why each may stop at the first letter that differs.
NO_SECRETS = {
    "token_hash in session['current']": "hashes of 256 random bits: knowing how far one matches helps nobody to find another",
    "token_hash == spent['hash']": "the same",
    "token.id == token_id": "ids",
    "code in TOKEN_CODES": "Facebook's codes of errors",
    "(access := settings.of_channel(channel))['page_access_token'] != token": "both are ours: whether an admin has changed it since",
    "proof != this": "places in the event log",
}
SECRETIVE = re.compile(r"secret|signature|passw|token|hash|digest|hmac|proof", re.IGNORECASE)

# In an interpreter of its own: eventlet's hub belongs to whoever imports it first.
WORK = """
from argon2 import extract_parameters
from services.presence.dependencies import Passwords
from services.presence.entrypoints.sessions import SessionMethods
from services.presence.errors import InvalidCredentials

class Watched:
    def __init__(self, hasher):
        self.hasher, self.work = hasher, []
    def hash(self, password):
        return self.hasher.hash(password)
    def verify(self, password_hash, password):
        self.work.append((extract_parameters(password_hash), len(password)))
        return self.hasher.verify(password_hash, password)

class Agents:
    def find_agent_by_email(self, email):
        return accounts.get(email)

passwords = Passwords()
watched = passwords._hasher = Watched(passwords._hasher)
passwords.setup()
stored = passwords.hash("a good long password")
accounts = {
    "known@example.org": {"_id": "a", "password_hash": stored, "active": True},
    "closed@example.org": {"_id": "b", "password_hash": stored, "active": False},
}
service = SessionMethods()
service.store, service.passwords = Agents(), passwords
for email in ("known@example.org", "unknown@example.org", "closed@example.org"):
    for password in ("not the long password", *(["a good long password"] if email != "known@example.org" else [])):
        try:
            service.authenticate(email=email, password=password, user_agent=None, ip=None)
        except InvalidCredentials as refusal:
            print(email, str(refusal), len(watched.work), watched.work.pop())
"""


@pytest.fixture
def agent(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Ann")


_numbers = iter(range(1, 250))


@pytest.fixture
def address() -> str:
    """Nobody else's in these tests."""
    return f"203.0.113.{next(_numbers)}"


WRONG = "not the password"


def attempt(gateway: Gateway, email: str, password: str = WRONG, **headers: str) -> requests.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return gateway.send("POST", "/v1/auth/token", {"email": email, "password": password}, headers=sent)


def statuses(answers: Iterator[requests.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


def spellings(email: str) -> list[str]:
    """Ways to write an address that are one to whoever looks it up."""
    wide = "".join(chr(ord(letter) + 0xFEE0) if "a" <= letter <= "z" else letter for letter in email)
    blanks = [" " * before + email + " " * after for before in range(3) for after in range(3)]
    return [
        *blanks,
        email.upper(),
        email.title(),
        f"\u00a0{email}",
        f"{email}\t",
        wide,
        wide.upper(),
        email.replace("e", "\uff45"),
    ]


def test_guesses_are_refused_after_the_allowance_also_the_right_one(guarded: Gateway, agent: Agent, address: str) -> None:
    assert statuses(attempt(guarded, agent.email, X_Forwarded_For=address) for _ in range(ALLOWANCE)) == [401] * ALLOWANCE
    answer = attempt(guarded, agent.email, PASSWORD, X_Forwarded_For=address)
    assert (answer.status_code, answer.json()["code"]) == (429, "RATE_LIMITED")
    assert 1 <= int(answer.headers["Retry-After"]) <= 61


def test_owner_is_not_locked_out_by_who_guesses_elsewhere(guarded: Gateway, agent: Agent, address: str) -> None:
    for _ in range(ALLOWANCE + 1):
        attempt(guarded, agent.email, X_Forwarded_For=address)
    assert attempt(guarded, agent.email, PASSWORD, X_Forwarded_For="198.51.100.1").status_code == 200


def test_what_a_guesser_writes_before_the_proxys_word_gives_no_new_allowance(
    guarded: Gateway, agent: Agent, address: str
) -> None:
    spoofed = (attempt(guarded, agent.email, X_Forwarded_For=f"192.0.2.{number}, {address}") for number in range(ALLOWANCE + 3))
    assert statuses(spoofed) == [401] * ALLOWANCE + [429] * 3


@pytest.mark.parametrize(
    "name", ["X_Forwarded_For", "X_Real_IP", "Forwarded", "X_Client_IP", "True_Client_IP", "CF_Connecting_IP", "X_Forwarded_Host"]
)
def test_no_header_says_where_a_guess_comes_from_when_no_proxy_is_trusted(alone: Gateway, agent: Agent, name: str) -> None:
    sent = [{name: f"{'for=' if name == 'Forwarded' else ''}192.0.2.{number}"} for number in range(ALLOWANCE + 3)]
    assert statuses(attempt(alone, agent.email, **headers) for headers in sent) == [401] * ALLOWANCE + [429] * 3


def test_other_headers_than_the_one_that_proxies_write_are_hearsay(guarded: Gateway, agent: Agent, address: str) -> None:
    names = ("X_Real_IP", "X_Client_IP", "True_Client_IP", "CF_Connecting_IP", "X_Original_Forwarded_For")
    for number in range(ALLOWANCE):
        told = dict.fromkeys(names, f"192.0.2.{number}")
        attempt(guarded, agent.email, X_Forwarded_For=address, Forwarded=f"for=192.0.2.{number}", **told)
    assert attempt(guarded, agent.email, X_Forwarded_For=address).status_code == 429


def test_another_spelling_of_an_address_gives_no_new_allowance(guarded: Gateway, agent: Agent, address: str) -> None:
    written = spellings(agent.email)
    assert len(written) > ALLOWANCE
    assert attempt(guarded, written[-1], PASSWORD, X_Forwarded_For=address).status_code == 200  # each is the same account
    refused = statuses(attempt(guarded, each, X_Forwarded_For=address) for each in written)
    assert refused == [401] * (ALLOWANCE - 1) + [429] * (len(written) - ALLOWANCE + 1)


def test_another_form_of_the_body_gives_no_new_allowance(guarded: Gateway, agent: Agent, address: str) -> None:
    def send(body: str) -> int:
        headers = {"X-Forwarded-For": address, "Content-Type": "application/json"}
        return guarded.send("POST", "/v1/auth/token", data=body.encode(), headers=headers).status_code

    password = '"password": "not the password"'
    bodies = (
        [
            f'{{"email": "{agent.email}", {password}}}',
            f'{{{password}, "email": "{agent.email}"}}',
            f'{{"email": "{new_id()}@example.org", {password}, "email": "{agent.email}"}}',  # the last one counts
            f'{{"\\u0065mail": "{agent.email}", {password}}}',
            f'{{"email": "\\u00{ord(agent.email[0]):02x}{agent.email[1:]}", {password}}}',
        ]
        * 3
    )
    assert [send(body) for body in bodies] == [401] * ALLOWANCE + [429] * (len(bodies) - ALLOWANCE)


def test_guesses_are_counted_whoever_else_the_guesser_is(guarded: Gateway, admin: str, agent: Agent, address: str) -> None:
    tokens = [admin, agent.token, "a.b.c", f"foyer_{'A' * 43}"]
    headers = [{"X_Forwarded_For": address, "Authorization": f"Bearer {tokens[number % 4]}"} for number in range(ALLOWANCE + 2)]
    assert statuses(attempt(guarded, agent.email, **each) for each in headers) == [401] * ALLOWANCE + [429] * 2


def test_refusal_is_the_same_for_every_reason(gateway: Gateway, admin: str, agent: Agent) -> None:
    closed = Agent(gateway, admin, "Closed")
    gateway.ask("PATCH", f"/v1/agents/{closed.id}", {"active": False}, token=admin)
    guesses = [
        (agent.email, "not the password"),
        (f"{new_id()}@example.org", PASSWORD),
        (closed.email, PASSWORD),
        (closed.email, "not the password"),
    ]
    seen = set()
    for email, password in guesses:
        answer = attempt(gateway, email, password)
        told: dict[str, Any] = {name: value for name, value in answer.json().items() if name != "request_id"}
        headers = {name: value for name, value in answer.headers.items() if name not in {"Date", "X-Request-ID"}}
        assert told["code"] == "INVALID_CREDENTIALS"
        seen.add((answer.status_code, str(told), str(headers)))
    assert len(seen) == 1


def test_refusal_takes_the_same_work_for_every_reason() -> None:
    """One hash with the product's own parameters, whether or not there is an account: counted, since times differ by chance."""
    done = subprocess.run([sys.executable, "-c", WORK], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    lines = done.stdout.splitlines()
    assert len(lines) == 5, done.stderr
    assert [line.split()[0] for line in lines].count("unknown@example.org") == 2
    texts_and_work = {re.sub(r", \d+\)$", "", line.partition(" ")[2]) for line in lines}
    assert len(texts_and_work) == 1, texts_and_work
    assert " 1 (Parameters(type=<Type.ID" in texts_and_work.pop()


def test_secrets_are_compared_in_constant_time() -> None:
    """By `hmac.compare_digest`, or found in the database by a hash of theirs; whatever else looks like one is named above."""
    found = {}
    for path in sorted([*(ROOT / "services").rglob("*.py"), *(ROOT / "gateway").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in node.ops):
                text, sides = ast.unparse(node), (node.left, *node.comparators)
                if any(isinstance(side, ast.Constant) for side in sides):  # what stands in the source is no secret
                    continue
                if any(SECRETIVE.search(name) for side in sides for name in _names(side)):
                    found[text] = str(path.relative_to(ROOT))
    assert {text: place for text, place in found.items() if text not in NO_SECRETS} == {}


def _names(side: ast.expr) -> Iterator[str]:
    for node in ast.walk(side):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield name
            case ast.Constant(value=str(name)):
                yield name


def test_facebooks_and_websites_secrets_are_compared_by_such_a_function() -> None:
    """The three places where a secret itself, or what was signed with it, is compared."""
    places = ("messaging/identity.py", "messaging/entrypoints/messenger.py", "messaging/messenger/incoming.py")
    for place in places:
        calls = [node for node in ast.walk(ast.parse((ROOT / "services" / place).read_text())) if isinstance(node, ast.Call)]
        assert "hmac.compare_digest" in {ast.unparse(call.func) for call in calls}, place


@pytest.mark.parametrize("claim", [SECRET_KEY, "not the password"])
def test_neither_key_nor_password_is_told_by_any_refusal(gateway: Gateway, agent: Agent, claim: str) -> None:
    answers = [
        attempt(gateway, agent.email, claim),
        attempt(gateway, claim, claim),
        gateway.send("POST", "/v1/auth/refresh", {"refresh_token": claim}),
        gateway.send("POST", "/v1/auth/token", {"email": agent.email, "password": claim, claim: 1}),
        gateway.send("GET", "/v1/agents/me", token=claim),
    ]
    for answer in answers:
        assert 400 <= answer.status_code < 500
        assert claim not in answer.text.replace(f'"{claim}":["Unknown field."]', "")
