"""What a visit's raw data says: the system's own part of a profile, read without asking anybody outside."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nameko.extensions import DependencyProvider

from services.contacts.geoip import CountryLookup, read_address, read_country_names
from services.contacts.profiles import Visit
from services.contacts.settings import ContactsSettings
from services.contacts.user_agents import parse_user_agent
from services.contacts.visits import clean_locale, clean_time_zone, read_page


class Enrichment(DependencyProvider):
    """Holds the country database, and turns a visit's arguments into a Visit."""

    def setup(self) -> None:
        """Open the database, and have the user agents' patterns compiled (0.1 s) and the time zones listed before the first visitor."""
        settings = ContactsSettings.read()
        self._countries = CountryLookup(settings.geoip_database, read_country_names())
        self._countries.find("8.8.8.8")
        parse_user_agent("Mozilla/5.0")
        clean_time_zone("UTC")

    def get_dependency(self, worker_ctx: Any) -> "Enrichment":  # noqa: ARG002 - nameko's signature
        """Itself."""
        return self

    def read_visit(
        self,
        at: datetime,
        *,
        ip: str | None = None,
        page: Mapping[str, Any] | None = None,
        locale: str | None = None,
        time_zone: object = None,
        user_agent: str | None = None,
    ) -> Visit:
        """The visit; whatever can't be read is left out."""
        address = read_address(ip)
        client = parse_user_agent(user_agent)
        return Visit(
            at=at,
            ip=None if address is None else str(address),
            country=self._countries.find(ip),
            page=read_page(page, at),
            locale=clean_locale(locale),
            time_zone=clean_time_zone(time_zone),
            browser=client.browser,
            platform=client.platform,
        )
