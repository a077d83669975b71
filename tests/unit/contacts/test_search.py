"""Words by which a contact is found."""

import pytest

from services.contacts.search import words_of, words_sought


def found(query: str) -> bool:
    words = words_of("Zoë O'Neil-Straße", "z.oneil@acme-tools.test", "+4930987654", "30987654")
    return all(any(word.startswith(start) for word in words) for start in words_sought(query))


@pytest.mark.parametrize("query", ["ZOE", "zoë", "o'neil", "neil", "strasse", "STRAßE", "z.on", "oneil@", "acme", "acme-tools.test", "tools", "neil zoe", "+49 (30) 98", "0049309", "030/9876", "30-98", ""])  # fmt: skip
def test_contact_is_found_by_how_its_words_begin(query: str) -> None:
    if query == "oneil@":  # the address begins with z.
        assert not found(query)
    else:
        assert found(query)


@pytest.mark.parametrize("query", ["eil", "zoe smith", "(", "987654", "x", "@"])
def test_contact_is_not_found_by_what_is_not_a_beginning(query: str) -> None:
    assert not found(query)


def test_words_and_queries_are_bounded() -> None:
    assert max(map(len, words_of("x" * 200, None, None, None))) == 64
    assert len(words_sought(" ".join(map(chr, range(97, 123))))) == 8
