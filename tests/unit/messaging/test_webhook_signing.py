"""Signatures as the Standard Webhooks specification and its libraries make them."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from services.messaging.webhooks import signing

# The example of the specification's reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
MOMENT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_signature_is_the_specifications_example() -> None:
    assert signing.sign(SECRET, ID, TIMESTAMP, BODY) == SIGNATURE


def test_headers_carry_the_id_the_time_and_the_signature() -> None:
    headers = signing.make_headers([SECRET], ID, datetime.fromtimestamp(TIMESTAMP + 0.9, UTC), BODY)
    assert headers == {
        "content-type": "application/json",
        "webhook-id": ID,
        "webhook-timestamp": str(TIMESTAMP),
        "webhook-signature": SIGNATURE,
    }


def test_secret_holds_32_random_bytes() -> None:
    secrets = {signing.make_secret() for _ in range(10)}
    assert len(secrets) == 10
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


def test_both_secrets_sign_for_a_day_when_one_was_rotated() -> None:
    webhook: dict[str, Any] = {"secret": SECRET, "old_secrets": []}
    assert signing.secrets_in_use(webhook, MOMENT) == [SECRET]
    webhook |= signing.rotate(webhook, MOMENT)
    assert signing.secrets_in_use(webhook, MOMENT + timedelta(hours=23)) == [webhook["secret"], SECRET]
    assert signing.secrets_in_use(webhook, MOMENT + timedelta(hours=24)) == [webhook["secret"]]
    headers = signing.make_headers(signing.secrets_in_use(webhook, MOMENT), ID, datetime.fromtimestamp(TIMESTAMP, UTC), BODY)
    new, old = headers["webhook-signature"].split(" ")
    assert old == SIGNATURE
    assert new == signing.sign(str(webhook["secret"]), ID, TIMESTAMP, BODY)


def test_secret_signs_for_a_day_however_often_it_was_rotated_within_it() -> None:
    webhook: dict[str, Any] = {"secret": SECRET, "old_secrets": []}
    made = [SECRET]
    for number in range(signing.MAX_OLD_SECRETS):  # who got no answer asked again
        webhook |= signing.rotate(webhook, MOMENT + timedelta(hours=number))
        made.insert(0, webhook["secret"])
    assert signing.secrets_in_use(webhook, MOMENT + timedelta(hours=23)) == made
    assert signing.secrets_in_use(webhook, MOMENT + timedelta(hours=24)) == made[:-1]
    webhook |= signing.rotate(webhook, MOMENT + timedelta(hours=25))
    assert [each["secret"] for each in webhook["old_secrets"]] == made[:-2]


def test_old_secrets_are_bounded() -> None:
    webhook: dict[str, Any] = {"secret": SECRET, "old_secrets": []}
    for _ in range(20):
        webhook |= signing.rotate(webhook, MOMENT)
    assert len(signing.secrets_in_use(webhook, MOMENT)) == signing.MAX_OLD_SECRETS + 1
