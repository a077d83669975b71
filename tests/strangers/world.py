"""What strangers reach for: accounts of every kind, and one of everything that can be read, changed or deleted."""

import hashlib
import hmac
import json
from typing import Any

from services.common.ids import new_id
from tests.e2e.conftest import make_channel
from tests.support.product import PASSWORD, SERVICES, Agent, Gateway, Product, Visitor
from tests.support.receiver import Receiver
from tests.support.remains import find_remains
from tests.support.waiting import wait_until

APP_SECRET = "the-secret-of-the-app"
VERIFY_TOKEN = "the-verify-token"
CHALLENGE = f"hub.mode=subscribe&hub.challenge=42&hub.verify_token={VERIFY_TOKEN}"


class World:
    """`ids` are those of addresses; `spares` what may be deleted or revoked without others missing it."""

    def __init__(self, product: Product, gateway: Gateway, admin: str, receiver: Receiver) -> None:
        self.product, self.gateway, self.receiver = product, gateway, receiver
        self.mark = f"mark{new_id()[-12:]}"  # in all that strangers write
        self.hook = f"/{new_id()}"
        self.admin = Agent(gateway, admin, "Root", role="admin")
        self.agent = Agent(gateway, admin, "Ann")
        self.other = Agent(gateway, admin, "Other")
        self.channel_id = self._ask("POST", "/v1/channels", {"kind": "web", "name": "Shop"})["id"]
        flow = {"start": "hello", "blocks": {"hello": {"type": "message", "text": "Hello.", "next": None}}}
        self._ask("PUT", f"/v1/channels/{self.channel_id}/flow", flow)
        self.secret = self._ask("POST", f"/v1/channels/{self.channel_id}/identity-secret")["identity_secret"]
        self.elsewhere_id = make_channel(gateway, self.admin.token)
        self.messenger_id = self._make_page()
        self.bot_id, self.bot = self.make_api_token()
        self._meet_visitors()
        self._make_belongings()

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return self.gateway.ask(method, path, body, token=self.admin.token)

    def _make_page(self) -> str:
        # Told apart by its number alone: a page belongs to one channel.
        settings = {"page_id": str(int(new_id()[-12:], 16)), "app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN}
        channel = self._ask("POST", "/v1/channels", {"kind": "messenger", "name": "Page", "messenger": settings})
        return str(channel["id"])

    def _meet_visitors(self) -> None:
        self.visitor = Visitor(self.gateway, self.channel_id)
        self.visitor.say("Mine alone")
        self.foreigner = Visitor(self.gateway, self.elsewhere_id)
        self.user = Visitor(self.gateway, self.channel_id, user=self.sign("4711"))
        self.blocked = Visitor(self.gateway, self.channel_id)
        self._ask("PATCH", f"/v1/contacts/{self.blocked.contact_id}", {"blocked": True})
        self.erased = Visitor(self.gateway, self.channel_id)
        self._ask("DELETE", f"/v1/contacts/{self.erased.contact_id}")

    def _make_belongings(self) -> None:
        contact = f"/v1/contacts/{self.visitor.contact_id}"
        self.notes = {
            name: self._note(who) for name, who in (("agent", self.agent), ("admin", self.admin), ("other", self.other))
        }
        ticket = self.agent.ask("POST", f"{contact}/tickets", {"subject": "Invoice"})
        self.agent.ask("POST", f"/v1/tickets/{ticket['id']}/comments", {"text": "Paid"})
        self.team_id = self._make_team()
        self.webhook_id = self._make_webhook()
        delivery = self._ask("POST", f"/v1/webhooks/{self.webhook_id}/ping")
        self.receiver.wait_for(self.hook, 1)
        self.ids = {
            "agent_id": self.other.id,
            "channel_id": self.channel_id,
            "contact_id": self.visitor.contact_id,
            "conversation_id": self.visitor.conversation_id,
            "note_id": self.notes["other"],
            "ticket_id": ticket["id"],
            "team_id": self.team_id,
            "token_id": self.bot_id,
            "webhook_id": self.webhook_id,
            "delivery_id": delivery["id"],
        }

    def _note(self, author: Agent) -> str:
        return str(author.ask("POST", f"/v1/contacts/{self.visitor.contact_id}/notes", {"text": "Regular"})["id"])

    def _make_team(self) -> str:
        return str(self._ask("POST", "/v1/teams", {"name": f"Team {new_id()}", "agent_ids": [self.agent.id]})["id"])

    def _make_webhook(self) -> str:
        body = {"url": self.receiver.url(self.hook), "events": ["ticket.created"], "channel_ids": [self.elsewhere_id]}
        return str(self._ask("POST", "/v1/webhooks", body)["id"])

    def make_api_token(self) -> tuple[str, str]:
        """Its id, and itself."""
        made = self._ask("POST", "/v1/tokens", {"name": "CRM", "scopes": ["bot"]})
        return made["id"], made["token"]

    def spares(self) -> dict[str, str]:
        """One of each that a valid request deletes."""
        return {
            "channel_id": self._ask("POST", "/v1/channels", {"kind": "web", "name": "Spare"})["id"],
            "contact_id": Visitor(self.gateway, self.channel_id).contact_id,
            "team_id": self._make_team(),
            "token_id": self.make_api_token()[0],
            "webhook_id": self._make_webhook(),
        }

    def wait_until_counted(self, visitors: int) -> None:
        """Return once the channel counts so many who ever wrote: it does so a second or two later."""
        path = f"/v1/channels/{self.channel_id}"
        wait_until(lambda: self._ask("GET", path)["visitor_count"] >= visitors, what=f"{visitors} visitors counted")

    def sign(self, user_id: str) -> dict[str, str]:
        """What the website says of its signed-in user."""
        return {"id": user_id, "hash": hmac.new(self.secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()}

    def refresh_token(self) -> str:
        """Of a session that nobody uses."""
        session = self.gateway.ask("POST", "/v1/auth/token", {"email": self.other.email, "password": PASSWORD})
        return str(session["refresh_token"])


def facebook_signature(body: bytes) -> str:
    """As Facebook signs a page's events."""
    return "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()


# Moves by itself: what was sent when, the uses of a token, and what the database keeps for the services' own health.
VOLATILE_COLLECTIONS = frozenset({"health"})
VOLATILE_FIELDS = frozenset({"last_used_at", "outbox"})


def stored(product: Product, ids: frozenset[str]) -> dict[str, str]:
    """All documents of all services that name one of the ids, each as text by its place."""
    found: dict[str, str] = {}
    for service in SERVICES:
        database = product.mongo(service)
        for name in database.list_collection_names():
            for document in [] if name in VOLATILE_COLLECTIONS else database[name].find():
                kept = {field: value for field, value in document.items() if field not in VOLATILE_FIELDS}
                text = json.dumps(kept, default=str, sort_keys=True)
                if any(one in text for one in ids):
                    found[f"{service}.{name} {document['_id']}"] = text
    return found


class Watch:
    """What is stored of a world, before and after."""

    def __init__(self, world: World) -> None:
        self.world = world
        own = (world.agent.id, world.admin.id, world.elsewhere_id, world.messenger_id, world.user.contact_id)
        self.ids = frozenset([*world.ids.values(), *own, world.blocked.contact_id, world.erased.contact_id])
        self.before = self._settled()

    def _settled(self) -> dict[str, str]:
        last: list[dict[str, str]] = [{}]

        def settled() -> bool:
            last.append(stored(self.world.product, self.ids))
            return last[-1] == last[-2]

        wait_until(settled, interval=0.1, what="that nothing moves any more")
        return last[-1]

    def changes(self) -> list[str]:
        """Which documents are others by now."""
        after = self._settled()
        changed = [place for place in self.before.keys() | after.keys() if self.before.get(place) != after.get(place)]
        return sorted(f"{place}: {self.before.get(place)} -> {after.get(place)}" for place in changed)

    def marks(self) -> list[str]:
        """Where what strangers wrote has got to."""
        return [remains for service in SERVICES for remains in find_remains(self.world.product.mongo(service), self.world.mark)]
