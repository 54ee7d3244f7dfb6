"""The work-order API, as its connectors meet it."""

from typing import Any

import pytest

from demo.deal import HOTLINE
from demo.hotline import KEY, read_cursor
from tests.demo.conftest import Served

ORDERS = "/hotline/api/orders"


async def page(served: Served, after: str = "", limit: int = 100) -> dict[str, Any]:
    body = await served.json(f"{ORDERS}?after={after}&limit={limit}", **{"x-api-key": KEY})
    assert body["success"] is True
    data: dict[str, Any] = body["data"]
    return data


async def everything(served: Served, after: str = "", limit: int = 100) -> list[Any]:
    rows: list[Any] = []
    while True:
        data = await page(served, after, limit)
        rows += data["rows"]
        if data["next"] is None:
            return rows
        after = data["next"]


def orders(rows: list[Any]) -> list[dict[str, Any]]:
    return [row for row in rows if isinstance(row, dict) and "orderId" in row]


async def test_a_wrong_key_is_told_with_http_200(served: Served) -> None:
    status, _, _ = await served.get(ORDERS, **{"x-api-key": "guess"})
    body = await served.json(ORDERS)
    assert status == 200
    assert (body["success"], body["code"], body["data"]) == (False, 40101, None)


async def test_a_limit_above_a_hundred_is_cut_without_a_word(served: Served) -> None:
    assert len((await page(served, limit=5000))["rows"]) == 100


async def test_pages_of_any_size_give_the_same_rows_in_the_order_of_their_changes(served: Served) -> None:
    await served.post("/demo/phase")
    small, large = await everything(served, limit=17), await everything(served)
    assert small == large
    keys = [(row["updateTime"], row["orderId"]) for row in orders(large)]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys) >= 150


async def test_the_second_phase_comes_behind_the_first_cursor(served: Served) -> None:
    first = await everything(served)
    last = orders(first)[-1]
    second = orders(await everything(served, f"{last['updateTime']}|{last['orderId']}"))
    known = {row["orderId"]: row for row in orders(first)}
    late = [row for row in second if row["orderId"] not in known]
    taken_back = [row for row in second if row["orderState"] in ("作废", "撤回")]
    edited = [row for row in second if row["majorContent"] != known.get(row["orderId"], row)["majorContent"]]
    assert len(late) == 3
    assert all(row["callTime"] < last["callTime"] for row in late)
    assert len(taken_back) == 3
    assert len(edited) == 8
    assert len(second) == 3 + 3 + 8 + 3, "three more had only their handling change"


async def test_there_is_no_third_phase(served: Served) -> None:
    await everything(served)
    second = await everything(served)
    assert await everything(served) == second


async def test_times_are_local_and_without_a_zone(served: Served) -> None:
    for row in orders(await everything(served)):
        assert len(row["updateTime"]) == len("2026-11-20 21:00:00")
        assert row["updateTime"].startswith("2026-11-")


async def test_nothing_is_said_in_three_ways(served: Served) -> None:
    rows = orders(await everything(served))
    said = [value for row in rows for value in row.values()]
    assert None in said
    assert "" in said
    assert 0 in said


async def test_every_third_answer_calls_its_json_html(served: Served) -> None:
    kinds = [(await served.get(ORDERS, **{"x-api-key": KEY}))[1]["content-type"] for _ in range(3)]
    assert [kind.split(";")[0] for kind in kinds] == ["application/json", "application/json", "text/html"]


async def test_broken_rows_are_offered_under_a_name_and_marked(served: Served) -> None:
    rows = await everything(served)
    assert None in rows
    assert any(isinstance(row, str) for row in rows)
    offered = await served.offered(HOTLINE)
    marked = {row["malformed"] for row in offered.values() if row["malformed"]}
    assert marked == {"no orderId", "broken time", "not an object", "null"}


async def test_the_offered_list_is_what_was_sent_row_by_row(served: Served) -> None:
    some = (await page(served, limit=30))["rows"]
    offered = await served.offered(HOTLINE)
    assert {row["orderId"] for row in orders(some)} <= set(offered)
    assert len(offered) == 30


async def test_places_are_given_in_full_in_part_and_not_at_all(served: Served) -> None:
    addresses = [row["address"] for row in orders(await everything(served))]
    assert sum(address.startswith("云泽市") for address in addresses) > len(addresses) // 3
    assert sum(address.endswith("附近") for address in addresses) > 10
    assert addresses.count("") > 10


def test_a_cursor_of_another_form_is_refused() -> None:
    assert read_cursor("2026-11-20 21:00:00|7") == ("2026-11-20 21:00:00", "7")
    with pytest.raises(ValueError, match="updateTime"):
        read_cursor("7")
