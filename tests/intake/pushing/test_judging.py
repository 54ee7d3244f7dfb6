"""What an address answers is a table: of this message, of itself, or of its patience."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from intake.pushing.judging import LONGEST_REST, Next, judge

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "next_"),
    [
        *((each, Next.DONE) for each in (200, 201, 202, 204)),
        *((each, Next.WRONG) for each in (301, 302, 304, 307, 308, 401, 403, 404, 405, 407, 421)),
        *((each, Next.REFUSED) for each in (400, 409, 410, 413, 415, 422, 451)),
        *((each, Next.FAILED) for each in (408, 423, 425, 429, 500, 502, 503, 504, 599)),
    ],
)
def test_a_status_says_what_is_done_next(status: int, next_: Next) -> None:
    assert judge(status, {}, NOW).next is next_


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("9" * 9, LONGEST_REST),
        ("Sun, 22 Nov 2026 01:00:30 GMT", 30),
        ("Sat, 21 Nov 2026 01:00:30 GMT", 0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_whoever_says_how_long_is_left_alone_so_long(status: int, written: str, seconds: float) -> None:
    verdict = judge(status, {"Retry-After": written}, NOW)
    assert (verdict.next, verdict.seconds) == (Next.REST, seconds)


@pytest.mark.parametrize("status", [302, 307, 308, 403])
def test_a_wrong_address_that_says_how_long_is_left_alone_so_long_too(status: int) -> None:
    assert judge(status, {"Retry-After": "120"}, NOW) == (Next.WRONG, f"HTTP {status}", 120)
    assert judge(status, {"Retry-After": "soon"}, NOW).seconds == 0


@pytest.mark.parametrize(
    "written", ["soon", "", "-3", "1e9", "Mon", "Sun, 22 Nov 2026 01:00:30 +99999999999999999999", "0" * 9_000 + "x"]
)
def test_a_time_that_is_none_is_an_ordinary_failure(written: str) -> None:
    assert judge(503, {"Retry-After": written}, NOW).next is Next.FAILED
