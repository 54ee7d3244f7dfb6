"""Times, numbers and flags as sources write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.errors import Unmappable
from normalizer.mappers.reading import count_of, location_of, moment_of, payload_of, says_yes, words_of

ZONE = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2019/2/28 11:25:05", "2019-02-28T03:25:05.000Z"),
        ("2020-01-02 08:30:00", "2020-01-02T00:30:00.000Z"),
        ("2020-01-02 08:30", "2020-01-02T00:30:00.000Z"),
        ("2020-01-02", "2020-01-01T16:00:00.000Z"),
        ("2020年1月2日 8时30分", "2020-01-02T00:30:00.000Z"),
        ("2020-01-02T08:30:00+08:00", "2020-01-02T00:30:00.000Z"),
        ("2020-01-02T00:30:00.123Z", "2020-01-02T00:30:00.123Z"),
        ("Thu, 02 Jan 2020 08:30:00 +0800", "2020-01-02T00:30:00.000Z"),
        ("Thu, 02 Jan 2020 00:30:00 GMT", "2020-01-02T00:30:00.000Z"),
        (1577925000, "2020-01-02T00:30:00.000Z"),
        ("1577925000", "2020-01-02T00:30:00.000Z"),
        (1577925000123, "2020-01-02T00:30:00.123Z"),
        ("2026-11-02 23:59:59", "2026-11-02T15:59:59.000Z"),
        ("2026-11-02 24:00:00", None),
        ("2026-11-02 08:00:60", None),
        ("2026-13-45 27:61:00", None),
        ("刚刚", None),
        ("", None),
        (0, None),
        (None, None),
        (True, None),
    ],
)
def test_times(written: object, moment: str | None) -> None:
    assert moment_of(written, ZONE) == moment


def test_local_times_are_of_the_sources_zone() -> None:
    assert moment_of("2020-01-02 08:30:00", "UTC") == "2020-01-02T08:30:00.000Z"
    with pytest.raises(Unmappable):
        moment_of("2020-01-02 08:30:00", "Nowhere/City")


@given(st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.none(), st.booleans()))
def test_nothing_that_a_source_writes_for_a_time_breaks_anything(written: object) -> None:
    moment = moment_of(written, ZONE)

    assert moment is None or len(moment) == 24


def test_none_empty_and_zero_all_mean_nothing() -> None:
    assert words_of({"a": None, "b": "", "c": 0, "d": " 望湖区 "}, "a", "b", "c", "d") == "望湖区"
    assert words_of({"a": 7}, "a") == "7"
    assert words_of({}, "a") is None


def test_counts_flags_and_points() -> None:
    assert [count_of({"n": value}, "n") for value in (3, "4", None, "many", -2, True, 2**70)] == [
        3,
        4,
        0,
        0,
        0,
        0,
        2**53,
    ]
    assert [says_yes(value) for value in (1, "1", "是", "保密", 0, "0", "", None, "否")] == [True] * 4 + [False] * 5
    assert location_of("120.5,30.25") is not None
    assert [location_of(points) for points in (None, "", "120.5", "a,b", "999,1", "0,0")] == [None] * 6


@pytest.mark.parametrize("payload", [b"", b"not json", b"[]", b"null", b"\xff\xfe"])
def test_a_payload_that_is_no_object_is_unmappable(payload: bytes) -> None:
    with pytest.raises(Unmappable):
        payload_of(payload)
