import pytest

from services.messaging.flows.answers import NotAnAnswer, read_answer


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("name", "  Ann \n Lee ", "Ann Lee"),
        ("email", "Ann.Lee+x@Example.ORG", "Ann.Lee+x@example.org"),
        ("phone", "+44 20 7946 0018", "+442079460018"),
        ("number", "12", 12),
        ("number", "-3,5", -3.5),
        ("date", "2026-03-31", "2026-03-31"),
        ("date", "31 March 2026", "2026-03-31"),
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
        ("date", "9999999999999999999920269999999999999999999910h2026"),
        ("text", ""),
    ],
)
def test_answer_is_refused_when_it_is_not_of_its_kind(kind: str, text: str) -> None:
    with pytest.raises(NotAnAnswer):
        read_answer(kind, text)
