"""What docs/webhooks.md shows to receivers works, and lists what there is."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from services.messaging.webhooks import signing, told

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()


def shown_verify() -> Callable[..., bool]:
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found
    names: dict[str, Any] = {}
    exec(found.group(1), names)  # noqa: S102 - our own page
    verify: Callable[..., bool] = names["verify"]
    return verify


def test_shown_verification_accepts_what_is_signed_and_nothing_else() -> None:
    verify = shown_verify()
    old, new = signing.make_secret(), signing.make_secret()
    body = '{"type": "message.created", "data": {"text": "Grüße"}}'.encode()
    headers = signing.make_headers([new, old], "5f0c", datetime.now(UTC), body)
    assert verify(new, headers, body)
    assert verify(old, headers, body)
    assert not verify(signing.make_secret(), headers, body)
    assert not verify(new, headers, body + b" ")
    assert not verify(new, headers | {"webhook-id": "5f0d"}, body)
    assert not verify(new, headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)}, body)
    assert not verify(new, signing.make_headers([new], "5f0c", datetime.now(UTC) - timedelta(minutes=6), body), body)


def test_page_lists_every_event() -> None:
    table = PAGE.partition("| event | data |")[2].partition("\n\n")[0]
    listed: list[str] = []
    for name in re.findall(r"`([a-z]*\.?[a-z]+)`", "".join(line.split("|")[1] for line in table.splitlines()[2:])):
        listed.append(name if not name.startswith(".") else listed[0].partition(".")[0] + name)
    assert set(listed) == {*told.EVENTS, told.PING}
