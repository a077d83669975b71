"""First and later visits: the profile they make and refresh."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.ids import new_id
from services.common.wire import encode
from tests.service.contacts.conftest import ANN, BOT, CHROME, FIREFOX, Call, Visitor
from tests.support.events import Collector
from tests.support.stack import Stack

PAGE = {
    "url": "https://acme.test/prices?utm_source=news&utm_campaign=autumn",
    "title": "Prices",
    "referrer": "https://search.test/",
}
RESOURCE = {
    "id", "channel_id", "external_id", "name", "name_source", "email", "phone", "fields", "since", "last_seen_at", "ip", "url", "country", "locale",
    "time_zone", "browser", "platform", "blocked", "highlighted_notes", "version",
}  # fmt: skip

# Registered to well-known owners who use them at home.
COUNTRIES = {
    "8.8.8.8": ("US", "United States"),
    "2001:4860:4860::8888": ("US", "United States"),
    "::ffff:8.8.8.8": ("US", "United States"),
    "193.99.144.80": ("DE", "Germany"),
    "212.58.244.70": ("GB", "United Kingdom"),
    "200.160.2.3": ("BR", "Brazil"),
    "133.11.0.1": ("JP", "Japan"),
    "129.132.1.1": ("CH", "Switzerland"),
    "2001:620::1": ("CH", "Switzerland"),
    "193.0.6.139": ("NL", "Netherlands"),
    "2001:67c:2e8:22::c100:68b": ("NL", "Netherlands"),
    "129.78.5.8": ("AU", "Australia"),
    "128.100.1.1": ("CA", "Canada"),
    "168.126.63.1": ("KR", "South Korea"),
}


def test_profile_is_complete_when_a_visitor_comes_first(visitor: Visitor, call: Call, collector: Collector) -> None:
    contact = visitor(ip="193.99.144.80", page=PAGE, locale="de-de", user_agent=CHROME)

    assert contact.keys() == RESOURCE
    assert contact["name_source"] == "generated"
    assert len(contact["name"].split()) == 2
    assert contact["country"] == {"code": "DE", "name": "Germany"}
    assert (contact["ip"], contact["locale"]) == ("193.99.144.80", "de-DE")
    assert (contact["browser"], contact["platform"]) == ("Chrome 126", "Windows 10")
    page = contact["url"]["first"]
    assert (page["url"], page["title"], page["referrer"]) == (PAGE["url"], "Prices", "https://search.test/")
    assert page["campaign"] == {"source": "news", "medium": None, "name": "autumn", "term": None, "content": None}
    assert contact["url"]["last"] == page
    assert contact["url"]["page_count"] == 1
    assert call("get_contact", contact_id=contact["id"])["url"]["pages"] == [page]
    assert contact["since"] == contact["last_seen_at"] == page["at"]
    assert (contact["email"], contact["phone"], contact["fields"], contact["blocked"], contact["version"]) == (
        None,
        None,
        {},
        False,
        1,
    )

    event = collector.wait_for("contact_created", lambda e: e["contact_id"] == contact["id"])
    assert event["data"] == contact
    assert event["entity"] == {"kind": "contact", "id": contact["id"], "version": 1}
    assert event["source"] == "contacts"


def test_profile_exists_when_nothing_is_known_of_the_visitor(visitor: Visitor) -> None:
    contact = visitor()

    assert [contact[part] for part in ("ip", "url", "country", "locale", "browser", "platform")] == [None] * 6


def test_later_visit_refreshes_what_changed_and_keeps_the_first(visitor: Visitor, call: Call, collector: Collector) -> None:
    first = visitor(ip="193.99.144.80", page=PAGE, locale="de", user_agent=CHROME)
    page = {"url": "https://acme.test/contact", "title": "Contact", "referrer": PAGE["url"]}
    second = call(
        "open_session",
        contact_id=first["id"],
        channel_id="channel-1",
        ip="8.8.8.8",
        page=page,
        locale="en-US",
        user_agent=FIREFOX,
    )

    assert second["since"] == first["since"]
    assert second["last_seen_at"] >= first["last_seen_at"]
    assert (second["name"], second["version"]) == (first["name"], 2)
    assert second["url"]["first"] == first["url"]["first"]
    assert second["url"]["last"]["url"] == page["url"]
    assert second["country"] == {"code": "US", "name": "United States"}
    assert (second["browser"], second["platform"], second["locale"]) == ("Firefox 128", "Linux", "en-US")
    event = collector.wait_for("contact_updated", lambda e: e["contact_id"] == first["id"])
    assert event["data"] == second
    whole = call("get_contact", contact_id=first["id"])
    assert [p["url"] for p in whole["url"].pop("pages")] == [PAGE["url"], page["url"]]
    assert whole == second


def test_pages_do_not_grow_when_the_same_page_opens_the_session_again(visitor: Visitor, call: Call) -> None:
    first = visitor(page=PAGE, ip="8.8.8.8")
    for _ in range(3):
        again = call("open_session", contact_id=first["id"], channel_id="channel-1", page=PAGE, ip="8.8.8.8")

    assert again["url"] == first["url"]
    assert again["ip"] == first["ip"]


def test_pages_are_the_newest_fifty_when_there_were_more(visitor: Visitor, call: Call) -> None:
    contact = visitor(page={"url": "https://acme.test/0"})
    for number in range(1, 60):
        page = {"url": f"https://acme.test/{number}"}
        call("open_session", contact_id=contact["id"], channel_id="channel-1", page=page)

    contact = call("get_contact", contact_id=contact["id"])
    assert contact["url"]["page_count"] == 50
    assert contact["url"]["first"]["url"] == "https://acme.test/0"
    assert [p["url"].rpartition("/")[2] for p in contact["url"]["pages"]] == [str(n) for n in range(10, 60)]
    assert contact["url"]["last"] == contact["url"]["pages"][-1]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "http://[::1",
        "//\u202e",
        "file:///etc/passwd",
        "http://10.0.0.1:1/<script>",
        "%00%ff?utm_source=%ff",
    ],
)
def test_url_is_kept_as_text_when_it_is_hostile(visitor: Visitor, url: str) -> None:
    assert visitor(page={"url": url, "title": "<b>", "referrer": url})["url"]["last"]["url"] == url


def test_texts_are_cut_when_they_are_too_long(visitor: Visitor) -> None:
    page = visitor(page={"url": "http://a.test/" + "x" * 9000, "title": "t" * 9000, "referrer": "r" * 9000})["url"]["last"]

    assert (len(page["url"]), len(page["title"]), len(page["referrer"])) == (2000, 500, 2000)


@pytest.mark.parametrize(("ip", "country"), COUNTRIES.items())
def test_country_is_the_owners_when_the_address_is_public(visitor: Visitor, ip: str, country: tuple[str, str]) -> None:
    assert visitor(ip=ip)["country"] == {"code": country[0], "name": country[1]}


@pytest.mark.parametrize("ip", ["192.168.1.7", "10.1.2.3", "127.0.0.1", "::1", "fe80::1%eth0", "fd00::1", "::ffff:192.168.1.1", "2001:db8::1", "224.0.0.1", "not an address"])  # fmt: skip
def test_country_is_none_when_the_address_is_not_public(visitor: Visitor, ip: str) -> None:
    assert visitor(ip=ip)["country"] is None


def test_mapped_address_is_stored_as_the_one_it_means(visitor: Visitor) -> None:
    assert visitor(ip="::ffff:8.8.8.8")["ip"] == "8.8.8.8"


def test_one_contact_is_made_when_first_visits_race(call: Call, collector: Collector) -> None:
    contact_id = new_id()

    def visit(number: int) -> dict[str, Any]:
        page = {"url": f"https://acme.test/{number}"}
        return call("open_session", contact_id=contact_id, channel_id="channel-1", page=page)

    with ThreadPoolExecutor(8) as pool:
        names = {contact["name"] for contact in pool.map(visit, range(8))}

    assert len(names) == 1
    contact = call("get_contact", contact_id=contact_id)
    assert contact["version"] == 8
    assert len(contact["url"]["pages"]) == 8
    collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact_id, count=7)
    events = collector.found(predicate=lambda e: e["contact_id"] == contact_id)
    assert [e["type"] for e in events] == ["contact_created"] + ["contact_updated"] * 7
    assert [e["entity"]["version"] for e in events] == list(range(1, 9))


def test_channels_name_replaces_the_generated_and_yields_to_others(visitor: Visitor, call: Call) -> None:
    contact = visitor(name="Zoe of the Page")
    assert (contact["name"], contact["name_source"]) == ("Zoe of the Page", "channel")

    call("set_fields", contact_id=contact["id"], fields={"name": "Zoe"}, actor=BOT)
    contact = call("open_session", contact_id=contact["id"], channel_id="channel-1", name="Zoe of the Page")
    assert (contact["name"], contact["name_source"]) == ("Zoe", "bot")


def test_visit_is_refused_when_the_contact_is_of_another_channel(visitor: Visitor, call: Call) -> None:
    contact = visitor()
    with pytest.raises(RemoteError) as refused:
        call("open_session", contact_id=contact["id"], channel_id="channel-2")
    assert refused.value.error_code == "CONFLICT"
    assert call("get_contact", contact_id=contact["id"]) == contact


@pytest.fixture
def blocked(visitor: Visitor, call: Call) -> dict[str, Any]:
    contact = visitor(page=PAGE, ip="8.8.8.8", user_agent=CHROME)
    return call("update_contact", contact_id=contact["id"], changes={"blocked": True}, actor=ANN)


def test_blocked_contacts_session_is_answered_and_changes_nothing(blocked: dict[str, Any], call: Call) -> None:
    page = {"url": "https://spam.test/"}
    visit = {"ip": "193.99.144.80", "page": page, "locale": "de", "user_agent": FIREFOX, "name": "Spam"}
    answered = call("open_session", contact_id=blocked["id"], channel_id="channel-1", **visit)
    assert (answered["blocked"], answered["version"]) == (True, blocked["version"])
    assert call("get_contact", contact_id=blocked["id"]) == blocked
    with pytest.raises(RemoteError) as refused:
        call("record_page", contact_id=blocked["id"], page=page)
    assert refused.value.error_code == "CONTACT_BLOCKED"
    assert call("get_contact", contact_id=blocked["id"]) == blocked

    call("update_contact", contact_id=blocked["id"], changes={"blocked": False}, actor=ANN)
    assert call("record_page", contact_id=blocked["id"], page=page)["url"]["last"]["url"] == page["url"]


OTTER = "\U0001f9a6"
HOSTILE = f'{OTTER}\x01"' * 3_000


def hostile_page(number: int) -> dict[str, str]:
    parts = ("source", "medium", "campaign", "term", "content")
    campaign = "&".join(f"utm_{part}={OTTER * 200}" for part in parts)
    return {"url": f"https://a.test/{number}?{campaign}&{HOSTILE}", "title": HOSTILE, "referrer": HOSTILE}


def test_profile_its_events_and_its_list_item_stay_small_when_its_visitor_is_hostile(
    visitor: Visitor, call: Call, collector: Collector
) -> None:
    channel = new_id()
    contact = visitor(channel_id=channel, page=hostile_page(0))
    for number in range(1, 55):
        call("record_page", contact_id=contact["id"], page=hostile_page(number))
    whole = call("get_contact", contact_id=contact["id"])
    assert len(encode(whole)) < 100_000
    assert whole["url"]["first"] == contact["url"]["first"]
    assert whole["url"]["last"] == whole["url"]["pages"][-1]
    assert whole["url"]["last"]["url"].startswith("https://a.test/54?")
    assert len(whole["url"]["pages"]) == whole["url"]["page_count"] > 4

    [item] = call("list_contacts", channel_id=channel)["items"]
    assert item == whole | {"url": {part: value for part, value in whole["url"].items() if part != "pages"}}
    last = collector.wait_for("contact_updated", lambda e: e["contact_id"] == contact["id"] and e["data"]["version"] == 55)
    assert last["data"] == item
    assert len(encode(item)) < 26_000


def test_profile_of_an_earlier_version_is_listed_and_shrinks_with_its_next_visit(
    visitor: Visitor, call: Call, stack: Stack
) -> None:
    channel = new_id()
    contact = visitor(channel_id=channel, page=PAGE)
    contacts = stack.mongo("contacts")["contacts"]
    stored = contacts.find_one({"_id": contact["id"]})
    assert stored is not None
    [page] = stored["url"]["pages"]
    big = [page | {"url": f"https://a.test/{number}" + OTTER * 1_900, "title": OTTER * 500} for number in range(50)]
    contacts.update_one({"_id": contact["id"]}, {"$set": {"url": {"first": big[0], "last": big[-1], "pages": big}}})
    [item] = call("list_contacts", channel_id=channel)["items"]
    assert (item["url"]["page_count"], "pages" in item["url"]) == (50, False)
    call("open_session", contact_id=contact["id"], channel_id=channel)
    whole = call("get_contact", contact_id=contact["id"])
    assert len(encode(whole)) < 100_000
    assert whole["url"]["pages"][-1] == whole["url"]["last"]
    assert whole["url"]["last"]["url"].startswith("https://a.test/49")
    assert max(len(whole["url"][one]["url"].encode()) for one in ("first", "last")) <= 4_096
