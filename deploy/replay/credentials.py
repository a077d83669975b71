"""Whose account sets the stage: the admin's e-mail and password, from the command line, the environment or `make run`."""

from collections.abc import Mapping
from pathlib import Path

from deploy.local.demo import load_variables
from deploy.replay.errors import Unusable

REPOSITORY = Path(__file__).resolve().parents[2]


def find_admin(email: str | None, password: str | None, environment: Mapping[str, str]) -> tuple[str, str]:
    """The admin's e-mail and password: as given, else FOYER_ADMIN_*, else what the local runner keeps.

    Raises Unusable when one of them is nowhere, or belongs to another account.
    """
    email = email or environment.get("FOYER_ADMIN_EMAIL")
    password = password or environment.get("FOYER_ADMIN_PASSWORD")
    if email and password:
        return email, password
    path = REPOSITORY / (environment.get("FOYER_DATA") or ".foyer") / "demo.env"
    try:
        kept = load_variables(path)
    except (OSError, ValueError):
        raise Unusable(f"{path} can't be read.") from None
    kept_email, kept_password = kept.get("FOYER_ADMIN_EMAIL"), password or kept.get("FOYER_ADMIN_PASSWORD")
    if not (kept_email and kept_password):
        raise Unusable(
            "No admin account: name it with --admin-email and --admin-password, set FOYER_ADMIN_EMAIL and "
            f"FOYER_ADMIN_PASSWORD, or start the product with `make run`, which keeps it in {path}."
        )
    if email and email != kept_email:
        raise Unusable(f"The password of {email} is missing: {path} holds that of {kept_email}.")
    return kept_email, kept_password
