"""Work orders: the position, the key, what is news."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from connectors.base import Item, Request, Response
from connectors.channels.hotline_12345 import Hotline12345, HotlineSettings, parse, read_row
from connectors.errors import AccessDenied, FormatChanged, SourceDown
from connectors.raw_appeal import Mode

NOW = datetime(2026, 11, 22, tzinfo=UTC)
URL = "https://12345.city.example/api/orders"


def told(**kwargs: Any) -> HotlineSettings:
    fields: dict[str, Any] = {"mode": Mode.ROUTE} | kwargs
    return HotlineSettings(
        name="hotline", kind="hotline_12345", channel="hotline", zone="Asia/Shanghai", url=URL, key_env="K", **fields
    )


def order(number: int, updated: str = "2026-11-20 08:00:00", **kwargs: Any) -> dict[str, Any]:
    return {"orderId": str(number), "title": "路灯", "majorContent": "不亮", "updateTime": updated, **kwargs}


def answer(rows: list[Any], following: str | None = None) -> Response:
    body = {"success": True, "code": 10000, "data": {"rows": rows, "next": following}}
    return Response(status=200, headers={}, body=msgspec.json.encode(body), fetched_at=NOW)


def item(row: dict[str, Any], **kwargs: Any) -> Item:
    read = read_row(row, told(**kwargs))
    assert isinstance(read, Item)
    return read


def serving(reply: Callable[[Request], Response]) -> tuple[Hotline12345, list[Request]]:
    asked: list[Request] = []

    async def fetch(request: Request) -> Response:
        asked.append(request)
        return reply(request)

    return Hotline12345(told(overlap=120.0), fetch, {"K": "secret"}), asked


async def test_a_reading_begins_a_little_before_its_position() -> None:
    """Orders are committed later than their updateTime."""
    connector, asked = serving(lambda request: answer([]))

    assert [page async for page in connector.pages("2026-11-20 08:00:00|1001")] == []

    assert asked[0].query == {"after": "2026-11-20 07:58:00|", "limit": "100"}
    assert asked[0].headers == {"x-api-key": "secret"}


@pytest.mark.parametrize(
    ("position", "asked_from"),
    [
        ("1795352724|7", "1795352604|"),
        ("1795352724000|7", "1795352604000|"),
        ("2026-11-20T08:00:00+08:00|7", "2026-11-20T07:58:00+08:00|"),
        ("2026-11-20T00:01:00Z|7", "2026-11-19T23:59:00+00:00|"),
    ],
)
async def test_it_begins_earlier_in_the_sources_own_way_of_writing_times(position: str, asked_from: str) -> None:
    connector, asked = serving(lambda request: answer([]))

    assert [page async for page in connector.pages(position)] == []

    assert asked[0].query["after"] == asked_from


async def test_the_position_never_goes_back() -> None:
    connector, _ = serving(lambda request: answer([order(1, "2026-11-20 07:59:00")]))

    pages = [page async for page in connector.pages("2026-11-20 08:00:00|1001")]

    assert [page.cursor for page in pages] == ["2026-11-20 08:00:00|1001"]


async def test_a_cursor_that_repeats_is_told_and_not_followed() -> None:
    connector, asked = serving(lambda request: answer([order(1)], "2026-11-20 08:00:00|1"))

    with pytest.raises(FormatChanged, match="repeats itself"):
        [page async for page in connector.pages(None)]
    assert len(asked) == 2


def test_a_broken_time_does_not_carry_the_position_away() -> None:
    page, _ = parse(answer([order(1), order(2, "2099-99-99 00:00:00")]), told(), at=None)

    assert page.cursor == "2026-11-20 08:00:00|1"
    assert [bad.reason for bad in page.bad] == ["updateTime is not a time"]


def test_an_order_changed_in_the_future_does_not_carry_the_position_away() -> None:
    page, _ = parse(answer([order(1), order(2, "2099-01-01 00:00:00")]), told(), at=None)

    assert page.cursor == "2026-11-20 08:00:00|1"
    assert set(page.offered) == {"1", "2"}


def test_times_without_zeros_are_ordered_as_times() -> None:
    page, _ = parse(answer([order(1, "2026/11/9 8:00:00"), order(2, "2026/11/20 8:00:00")]), told(), at=None)

    assert page.cursor == "2026/11/20 8:00:00|2"


@pytest.mark.parametrize(
    ("code", "error"), [(40101, AccessDenied), ("40301", AccessDenied), (50000, SourceDown), (40002, FormatChanged)]
)
def test_a_refusal_inside_a_200_is_told_apart(code: object, error: type[Exception]) -> None:
    body = msgspec.json.encode({"success": False, "code": code, "message": "…", "data": None})

    with pytest.raises(error, match="hotline"):
        parse(Response(status=200, headers={}, body=body, fetched_at=NOW), told(), at=None)


def test_handling_is_not_content_and_nothing_is_written_in_three_ways() -> None:
    before = item(order(1, questionName=None, urgeOrderNum=0, orderState="待派单"))
    after = item(order(1, questionName="", urgeOrderNum=3, orderState="办理中", organizationName="住建局"))

    assert before.content == after.content
    assert item(order(1, majorContent="还是不亮")).content != before.content


def test_where_the_sources_own_unit_stands_another_unit_is_news() -> None:
    first, second = order(1, organizationName="住建局"), order(1, organizationName="城管局")

    assert item(first, mode=Mode.FOLLOW).content != item(second, mode=Mode.FOLLOW).content
    assert item(first).content == item(second).content


@pytest.mark.parametrize("state", ["作废", "撤回", "已撤回"])
def test_an_order_that_was_taken_back_says_so(state: str) -> None:
    assert item(order(1, orderState=state)).deleted
