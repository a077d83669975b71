"""How contacts are found: the words kept for each, and the beginnings of words that a query asks for."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

MAX_WORD = 64
MAX_QUERY_WORDS = 8
# Beginnings inside one text, beside its words and their parts.
MAX_INNER = 32
_BETWEEN_WORDS = re.compile(r"[\W_]+")
# Where a word may begin that has no blank before it: letters of Chinese and Japanese, and the first part of a Korean syllable.
_UNSPACED = re.compile(r"[\u1100-\u115f\u3005-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_PUNCTUATION = re.compile(r"^[\W_]+|[\W_]+$")
_PHONE_QUERY = re.compile(r"[\s+().\-/0-9]+\Z")
_TRUNK_PREFIX = "0"
_INTERNATIONAL_PREFIX = "00"


def normalise(text: str) -> str:
    """Without case and accents: `Zoë MÜLLER` and `zoe muller` are one."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def words_of(
    name: str, email: str | None, phone: str | None, national_number: str | None, external_id: str | None = None
) -> list[str]:
    """The words under which a contact is found, each by its beginning.

    The words of the name and of the e-mail address, also with what joins them (`o'neil`, the whole address, its domain) and from
    each joint on (`neil-smith` of `o'neil-smith`), and from each letter on where words are written without blanks (`小明` of `王小明`);
    the digits of the phone number, international and as dialled at home; the website's id, in the forms in which a query asks for it.
    """
    found: set[str] = set()
    for text in (name, email or ""):
        words = normalise(text).split()
        for word in words:
            found |= {word, *_BETWEEN_WORDS.split(word)}
        found.update(islice((inner for word in words for inner in _inner_beginnings(word)), MAX_INNER))
    if email:
        found.add(normalise(email.rpartition("@")[2]))
    if phone:
        digits = phone.removeprefix("+")
        found |= {digits, _INTERNATIONAL_PREFIX + digits}
    if national_number:
        found |= {national_number, _TRUNK_PREFIX + national_number}
    if external_id:
        found |= {*normalise(external_id).split(), *words_sought(external_id)}
    return sorted({word[:MAX_WORD] for word in found if word})


def words_sought(query: str | None) -> list[str]:
    """The beginnings of words that a query asks for, all of which a contact must have; none for a blank query.

    Punctuation around a word says nothing (`Mia,`, `@example.org`), unless the query is nothing else.
    """
    text = normalise(query or "")
    digits = "".join(letter for letter in text if letter.isdigit())
    if digits and _PHONE_QUERY.match(text):
        return [digits[:MAX_WORD]]
    words = text.split()
    bare = [word for word in (_PUNCTUATION.sub("", word) for word in words) if word]
    return list(dict.fromkeys(word[:MAX_WORD] for word in bare or words))[:MAX_QUERY_WORDS]


def _inner_beginnings(word: str) -> Iterator[str]:
    """What follows each joint of a word, then what begins with each of its unspaced letters."""
    for joint in _BETWEEN_WORDS.finditer(word):
        yield word[joint.end() :]
    for letter in _UNSPACED.finditer(word):
        yield word[letter.start() :]
