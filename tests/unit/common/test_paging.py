from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import Invalid
from services.common.paging import decode_cursor, encode_cursor, page

MOMENT = datetime(2026, 11, 24, 7, 31, 47, 120000, tzinfo=UTC)


def test_position_comes_back_with_its_types_when_a_cursor_is_decoded() -> None:
    assert decode_cursor(encode_cursor(MOMENT, "id", 5), datetime, str, int) == [MOMENT, "id", 5]


@pytest.mark.parametrize(
    "cursor",
    ["", "garbage", "%%%", encode_cursor("only one"), encode_cursor(1, 2), encode_cursor({"$ne": 1}, "x"), "W10", "bnVsbA"],
)
def test_cursor_is_refused_when_it_is_not_of_this_listing(cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode_cursor(cursor, datetime, str)
    assert refused.value.error_code == "CURSOR_INVALID"


@given(st.text(max_size=60))
def test_cursor_never_fails_otherwise_when_it_is_anything(cursor: str) -> None:
    try:
        decode_cursor(cursor, datetime, str)
    except Invalid:
        pass


def test_next_page_is_announced_only_when_there_is_one() -> None:
    def listed(found: list[int]) -> object:
        return page(found, 2, str, lambda last: (last,))

    assert listed([1, 2]) == {"items": ["1", "2"], "next_cursor": None}
    assert listed([1, 2, 3]) == {"items": ["1", "2"], "next_cursor": encode_cursor(2)}
