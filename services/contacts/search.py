"""How contacts are found: the words kept for each, and the beginnings of words that a query asks for."""

import re
import unicodedata

MAX_WORD = 64
MAX_QUERY_WORDS = 8
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_PHONE_QUERY = re.compile(r"[\s+().\-/0-9]+\Z")
_TRUNK_PREFIX = "0"
_INTERNATIONAL_PREFIX = "00"


def normalise(text: str) -> str:
    """Without case and accents: `Zoë MÜLLER` and `zoe muller` are one."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def words_of(name: str, email: str | None, phone: str | None, national_number: str | None) -> list[str]:
    """The words under which a contact is found, each by its beginning.

    The words of the name and of the e-mail address, also with what joins them (`o'neil`, the whole address, its domain); the
    digits of the phone number, international and as dialled at home.
    """
    found: set[str] = set()
    for text in (name, email or ""):
        for word in normalise(text).split():
            found |= {word, *_BETWEEN_WORDS.split(word)}
    if email:
        found.add(normalise(email.rpartition("@")[2]))
    if phone:
        digits = phone.removeprefix("+")
        found |= {digits, _INTERNATIONAL_PREFIX + digits}
    if national_number:
        found |= {national_number, _TRUNK_PREFIX + national_number}
    return sorted({word[:MAX_WORD] for word in found if word})


def words_sought(query: str | None) -> list[str]:
    """The beginnings of words that a query asks for, all of which a contact must have; none for a blank query."""
    text = normalise(query or "")
    digits = "".join(letter for letter in text if letter.isdigit())
    if digits and _PHONE_QUERY.match(text):
        return [digits[:MAX_WORD]]
    return [word[:MAX_WORD] for word in dict.fromkeys(text.split())][:MAX_QUERY_WORDS]
