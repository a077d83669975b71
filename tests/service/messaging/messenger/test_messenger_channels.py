"""A channel's Messenger settings."""

from typing import Any

import pytest

from services.common.errors import RemoteError
from services.common.ids import new_id
from tests.service.messaging.messenger.conftest import ADMIN, Channel, World

SECRETS = ("page_access_token", "app_secret", "verify_token")


def refused(world: World, method: str, **arguments: Any) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        world.call(method, **arguments)
    return caught.value


def test_secrets_are_never_shown(world: World, channel: Channel) -> None:
    page = channel.page
    shown = channel.resource()
    assert shown["messenger"] == {
        "page_id": page.id,
        "has_page_access_token": True,
        "has_app_secret": True,
        "has_verify_token": True,
        "human_agent_tag": False,
        "fault": None,
    }
    everything = str([shown, channel.change(human_agent_tag=True), world.call("list_channels", limit=100)])
    assert not any(page.settings[name] in everything for name in SECRETS)


def test_change_leaves_what_it_does_not_name_and_none_takes_away(channel: Channel) -> None:
    changed = channel.change(verify_token=None, human_agent_tag=True)["messenger"]
    assert (changed["has_verify_token"], changed["has_app_secret"], changed["human_agent_tag"]) == (False, True, True)
    assert changed["page_id"] == channel.page.id


def test_settings_may_come_later(world: World) -> None:
    created = world.call("create_channel", kind="messenger", name="Later", actor=ADMIN)
    assert created["messenger"]["page_id"] is None
    page = world.facebook.new_page()
    assert Channel(world, page, created["id"]).change(**page.settings)["messenger"]["has_app_secret"]


def test_page_belongs_to_one_channel(world: World, channel: Channel) -> None:
    other = world.new_channel()
    for error in (
        refused(world, "create_channel", kind="messenger", name="Twice", messenger=channel.page.settings, actor=ADMIN),
        refused(
            world,
            "update_channel",
            channel_id=other.id,
            changes={"messenger": {"page_id": channel.page.id}},
            actor=ADMIN,
        ),
    ):
        assert error.error_code == "VALIDATION_FAILED"
        assert error.data["errors"] == {"messenger.page_id": ["Another channel has this page."]}
    world.call("delete_channel", channel_id=channel.id, actor=ADMIN)
    assert other.change(page_id=channel.page.id)["messenger"]["page_id"] == channel.page.id


def test_web_channel_has_none(world: World) -> None:
    web = world.call("create_channel", kind="web", name="Shop", actor=ADMIN)
    assert web["messenger"] is None
    wanted: dict[str, Any] = {"page_id": "1"}
    for error in (
        refused(world, "create_channel", kind="web", name="Shop", messenger=wanted, actor=ADMIN),
        refused(world, "update_channel", channel_id=web["id"], changes={"messenger": wanted}, actor=ADMIN),
    ):
        assert (error.error_code, list(error.data["errors"])) == ("VALIDATION_FAILED", ["messenger"])


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ({"page_id": "my-page"}, "messenger.page_id"),
        ({"page_access_token": "with blank"}, "messenger.page_access_token"),
        ({"app_secret": ""}, "messenger.app_secret"),
        ({"human_agent_tag": "perhaps"}, "messenger.human_agent_tag"),
        ({"colour": "blue"}, "messenger.colour"),
    ],
)
def test_wrong_value_is_named_by_its_place(world: World, wanted: dict[str, Any], place: str) -> None:
    error = refused(world, "create_channel", kind="messenger", name="Page", messenger=wanted, actor=ADMIN)
    assert list(error.data["errors"]) == [place]


def test_repeated_creation_meets_the_first(world: World) -> None:
    page, key = world.facebook.new_page(), new_id()
    wanted: dict[str, Any] = {
        "kind": "messenger",
        "name": "Page",
        "messenger": page.settings,
        "actor": ADMIN,
        "idempotency_key": key,
    }
    assert world.call("create_channel", **wanted)["id"] == world.call("create_channel", **wanted)["id"]
    error = refused(world, "create_channel", **wanted | {"messenger": page.settings | {"app_secret": "another"}})
    assert error.error_code == "IDEMPOTENCY_KEY_REUSED"


def test_challenge_is_answered_to_whoever_knows_the_verify_token(world: World, channel: Channel) -> None:
    asked: dict[str, Any] = {
        "channel_id": channel.id,
        "mode": "subscribe",
        "verify_token": channel.page.verify_token,
        "challenge": "1158201444",
    }
    assert world.call("verify_messenger_webhook", **asked) == {"challenge": "1158201444"}
    for wrong in ({"verify_token": "guess"}, {"verify_token": None}, {"mode": "unsubscribe"}, {"mode": None}):
        assert refused(world, "verify_messenger_webhook", **asked | wrong).error_code == "FORBIDDEN"
    channel.change(verify_token=None)
    assert refused(world, "verify_messenger_webhook", **asked | {"verify_token": None}).error_code == "FORBIDDEN"


def test_webhook_of_another_channel_is_refused(world: World) -> None:
    web = world.call("create_channel", kind="web", name="Shop", actor=ADMIN)
    for channel_id, code in ((web["id"], "FORBIDDEN"), (new_id(), "CHANNEL_NOT_FOUND")):
        assert refused(world, "verify_messenger_webhook", channel_id=channel_id).error_code == code
        assert refused(world, "receive_messenger_webhook", channel_id=channel_id, body="{}").error_code == code
