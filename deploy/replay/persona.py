"""Who the visitors of a replay are: a name, an e-mail, an address on the network, a browser and a page, each their own."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address
from urllib.parse import quote

_GIVEN = ("Ada", "Bruno", "Chiara", "Dilan", "Emeka", "Freya", "Goran", "Hana", "Ines", "Jonas", "Kofi", "Lucía", "Maya", "Nils")
_FAMILY = ("Okafor", "Novak", "Schmidt", "Rossi", "Haddad", "Lindqvist", "Moreau", "Tanaka", "O'Brien", "Silva", "Kowalska")
# Public networks of access providers in several countries, so that the profiles get a country as real ones do.
_NETWORKS = ("81.2.0.0", "84.128.0.0", "90.0.0.0", "151.16.0.0", "187.64.0.0", "126.0.0.0", "73.0.0.0", "102.88.0.0")
_BROWSERS = (
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36", "en-GB"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15", "fr-FR"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "de-DE"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1", "pt-BR"),
)


@dataclass(frozen=True)
class Persona:
    """One visitor, before the chat begins."""

    name: str
    email: str
    address: str
    user_agent: str
    locale: str
    url: str
    title: str
    referrer: str


def invent_persona(number: int, dialogue_id: str) -> Persona:
    """The visitor of the `number`th dialogue (from 0); e-mail, address and page are that one's alone."""
    given, family = _GIVEN[number % len(_GIVEN)], _FAMILY[number % len(_FAMILY)]
    user_agent, locale = _BROWSERS[number % len(_BROWSERS)]
    network = IPv4Address(_NETWORKS[number % len(_NETWORKS)])
    mailbox = re.sub(r"[^a-z]", "", f"{given}{family}".lower())
    return Persona(
        name=f"{given} {family}",
        email=f"{mailbox}.{number}@example.com",
        # Every network has 65,536 addresses; the first ones of a network are not used for hosts.
        address=str(network + 257 + number // len(_NETWORKS) % 65_000),
        user_agent=user_agent,
        locale=locale,
        url=f"https://shop.example.com/help/{quote(dialogue_id, safe='')}?utm_source=newsletter&utm_campaign=replay",
        title=f"Help with {dialogue_id}",
        referrer="https://www.example.org/search",
    )
