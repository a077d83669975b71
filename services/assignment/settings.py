"""What assignment alone reads from the environment."""

import os
from collections.abc import Mapping
from datetime import timedelta

from services.common.settings import read_number


def read_absence(environment: Mapping[str, str] | None = None) -> timedelta | None:
    """FOYER_VISITOR_ABSENCE_SECONDS: after how long unseen a visitor leaves the line; 0 is never, None here. Raises InvalidSetting."""
    env = os.environ if environment is None else environment
    seconds = read_number(env, "FOYER_VISITOR_ABSENCE_SECONDS", 120.0, minimum=0, maximum=86_400)
    return timedelta(seconds=seconds) if seconds else None
