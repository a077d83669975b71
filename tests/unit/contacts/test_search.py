"""Words by which a contact is found."""

import pytest

from services.contacts.search import words_of, words_sought


def finds(query: str, name: str, email: str | None = None, phone: tuple[str, str] | None = None) -> bool:
    words = words_of(name, email, *(phone or (None, None)))
    return all(any(word.startswith(start) for word in words) for start in words_sought(query))


def found(query: str) -> bool:
    return finds(query, "Zoë O'Neil-Straße", "z.oneil@acme-tools.test", ("+4930987654", "30987654"))


@pytest.mark.parametrize("query", ["ZOE", "zoë", "o'neil", "neil", "strasse", "STRAßE", "z.on", "acme", "acme-tools.test", "tools", "neil zoe", "+49 (30) 98", "0049309", "030/9876", "30-98", ""])  # fmt: skip
def test_contact_is_found_by_how_its_words_begin(query: str) -> None:
    assert found(query)


@pytest.mark.parametrize("query", ["eil", "zoe smith", "(", "987654", "x", "@", ".*", "eil-"])
def test_contact_is_not_found_by_what_is_not_a_beginning(query: str) -> None:
    assert not found(query)


@pytest.mark.parametrize(
    "query", ["Zoë,", "(zoe)", '"zoe', "zoe -", "@acme-tools.test", "<z.oneil@acme-tools.test>", "oneil@", "¿neil?"]
)
def test_punctuation_around_a_word_does_not_count(query: str) -> None:
    assert found(query)


@pytest.mark.parametrize("query", ["neil-straße", "neil-str", "oneil@acme-tools", "tools.test", "acme-tools.t"])
def test_contact_is_found_from_each_joint_on(query: str) -> None:
    assert found(query)


@pytest.mark.parametrize(
    ("query", "name"),
    [("小明", "王小明"), ("明", "王小明"), ("王小", "王小明"), ("小明", "Mr王小明"), ("花子", "山田花子"), ("スミス", "ジョンスミス"), ("ガ", "ヤマガタ"),
     ("글이름", "한글이름"), ("이르", "한글이름"), ("スミス", "ジョン・スミス"), ("🦦", "🦦 Otter"), ("(小明)", "王小明")],
)  # fmt: skip
def test_name_without_blanks_is_found_from_each_letter_on(query: str, name: str) -> None:
    assert finds(query, name)


@pytest.mark.parametrize(("query", "name"), [("王明", "王小明"), ("tter", "Otter"), ("ㅏ", "한글"), ("小小", "王小明")])
def test_name_without_blanks_is_not_found_by_what_is_not_in_it(query: str, name: str) -> None:
    assert not finds(query, name)


def test_words_and_queries_are_bounded() -> None:
    assert max(map(len, words_of("x" * 200, None, None, None))) == 64
    assert len(words_sought(" ".join(map(chr, range(97, 123))))) == 8
    assert len(words_of("明" * 200, None, None, None)) <= 64
    for name in ("王小明" * 66, "a-" * 100, "王-" * 100):
        assert sum(len(word.encode()) for word in words_of(name, None, None, None)) < 10_000
