import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.messaging.flows.answers import MAX_ANSWER, RETRY, NotAnAnswer, read_answer, read_option


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("name", "  Ann \n Lee ", "Ann Lee"),
        ("name", "x" * 100, "x" * 100),
        ("text", "x" * 2_000, "x" * 2_000),
        ("email", "Ann.Lee+x@Example.ORG", "Ann.Lee+x@example.org"),
        ("phone", "+44 20 7946 0018", "+442079460018"),
        ("number", "12", 12),
        ("number", "-3,5", -3.5),
        ("date", "2026-03-31", "2026-03-31"),
        ("date", "31 March 2026", "2026-03-31"),
        ("date", "2026-03-31 23:30 BRST", "2026-03-31"),
        ("text", "  two\nlines ", "two\nlines"),
    ],
)
def test_answer_is_read_when_it_is_of_its_kind(kind: str, text: str, value: object) -> None:
    assert read_answer(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("name", "   "),
        ("name", "..."),
        ("name", "x" * 101),
        ("email", "ann@localhost"),
        ("email", "a b@example.org"),
        ("email", "ann@@example.org"),
        ("phone", "12"),
        ("phone", "call me"),
        ("number", "twelve"),
        ("number", "1e5"),
        ("date", "March"),
        ("date", "31 February 2026"),
        ("date", "tomorrow"),
        ("date", "10:30"),
        ("date", "1 " * 500),
        ("date", "9999999999999999999920269999999999999999999910h2026"),
        ("text", ""),
        ("text", "x" * 2_001),
    ],
)
def test_answer_is_refused_when_it_is_not_of_its_kind(kind: str, text: str) -> None:
    with pytest.raises(NotAnAnswer):
        read_answer(kind, text)


OPTIONS = [
    {"label": "Two", "value": "2"},
    {"label": " Straße ", "value": "1"},
    {"label": "other", "value": "OTHER"},
]


@pytest.mark.parametrize(
    ("text", "choice", "value"),
    [
        ("", "1", "1"),
        ("other", "2", "2"),
        ("", " two", "2"),
        ("TWO ", None, "2"),
        ("strasse", None, "1"),
        ("2", None, "2"),
        ("1", None, "1"),
        ("3", None, "OTHER"),
        ("Other", None, "OTHER"),
    ],
)
def test_option_is_told_by_its_value_then_its_label_then_its_number(text: str, choice: str | None, value: str) -> None:
    assert read_option(OPTIONS, text, choice)["value"] == value


@pytest.mark.parametrize(("text", "choice"), [("", None), ("4", None), ("0", None), ("two three", None), ("two", "three")])
def test_option_is_refused_when_none_is_meant(text: str, choice: str | None) -> None:
    with pytest.raises(NotAnAnswer):
        read_option(OPTIONS, text, choice)


words = st.sampled_from(
    [
        "2026",
        "31",
        "March",
        "-",
        "/",
        ":",
        "T",
        "10:00",
        "+02:00",
        "UTC",
        "BRST",
        "noon",
        "1e5",
        "0x1",
        "inf",
        "ann",
        "@",
        "example.org",
        ".",
        ",",
        "+",
        "44",
        "20",
        "Ann",
    ]
)


@settings(deadline=None)
@given(
    st.sampled_from(sorted(RETRY)),
    st.one_of(st.text(max_size=30), st.lists(words, max_size=8).map("".join), st.lists(words, max_size=900).map(" ".join)),
)
def test_any_text_is_an_answer_or_none_and_an_answer_stays_one(kind: str, text: str) -> None:
    try:
        value = read_answer(kind, text)
    except NotAnAnswer:
        return
    assert len(str(value)) <= MAX_ANSWER
    assert read_answer(kind, str(value)) == value
