"""Pushes about an order may come late, twice and in any order: what is stored in the end is the same."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import BadItem, Item
from connectors.channels.push_12345 import Push12345, Push12345Settings
from connectors.receiving.keys import BadKeys
from tests.connectors.push_recording import AT, FOLDER, PushRecording, signed

RECORDING = PushRecording(FOLDER / "push_12345" / "orders")
WORDS = st.sampled_from(["路灯不亮", "还是不亮", "修好了", ""])
TELLS = st.dictionaries(st.sampled_from(["title", "majorContent", "orderState", "handleResult"]), WORDS, max_size=3)


def receive(body: Any, **also: Any) -> list[Item | BadItem]:
    """As its platform would push it."""
    told = {**RECORDING.told, "source": RECORDING.told["source"] | also}
    written = msgspec.json.encode(body)
    pushed = msgspec.structs.replace(RECORDING.pushes()[0], body=written, headers=signed(written, told, AT))
    receiver = Push12345(msgspec.convert(told["source"], Push12345Settings), told["environment"])
    page = receiver.receive(pushed).page
    return [*page.items, *page.bad]


def order_of(item: Item | BadItem) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.json.decode(item.payload)["order"]
    return told


def merged(items: list[Item | BadItem]) -> Item:
    receiver: Any = RECORDING.receiver()
    stored = items[0]
    for each in items[1:]:
        stored = receiver.merge(stored.payload, each.payload)
    assert isinstance(stored, Item)
    return stored


@settings(deadline=None)
@given(st.lists(TELLS, min_size=2, max_size=4), st.data())
def test_in_whatever_order_pushes_come_the_order_is_the_same(tells: list[dict[str, str]], data: st.DataObject) -> None:
    pushes = [
        receive({"event": "update", "time": f"2026-11-22 08:{minute:02}:00", "data": {"orderId": "1", **fields}})[0]
        for minute, fields in enumerate(tells)
    ]
    came = data.draw(st.permutations([*pushes, *pushes[:2]]))

    assert merged(list(came)) == merged(pushes)
    newest: dict[str, str] = {"orderId": "1"}
    for fields in tells:
        newest |= fields
    assert order_of(merged(list(came))) == newest


def test_a_withdrawal_stands_until_a_newer_word() -> None:
    row = {"orderId": "1", "title": "路灯不亮"}
    made = receive({"event": "create", "time": "2026-11-22 08:00:00", "data": row})[0]
    gone = receive({"event": "withdraw", "time": "2026-11-22 08:10:00", "data": {"orderId": "1"}})[0]
    back = receive(
        {"event": "status", "time": "2026-11-22 08:20:00", "data": {"orderId": "1", "orderState": "处理中"}}
    )[0]

    for came in itertools.permutations([made, gone]):
        assert merged(list(came)).deleted
    for came in itertools.permutations([made, gone, back]):
        assert not merged(list(came)).deleted


def test_a_word_from_the_future_does_not_stand_for_ever() -> None:
    wrong = receive({"time": "2036-01-01 00:00:00", "data": {"orderId": "1", "title": "错"}})[0]
    right = receive({"time": "2026-11-22 09:00:00", "data": {"orderId": "1", "title": "对"}})[0]
    assert order_of(merged([wrong, right]))["title"] == "对"


def test_an_order_that_stands_twice_in_one_push_is_one() -> None:
    found = receive(
        {"time": "2026-11-22 08:00:00", "data": [{"orderId": "1", "title": "甲"}, {"orderId": "1", "address": "乙"}]}
    )
    assert [each.native_id for each in found] == ["1"]
    assert order_of(found[0]) == {"orderId": "1", "title": "甲", "address": "乙"}


def test_another_platforms_names_are_mapped_in_the_settings() -> None:
    """WIRE_SHAPES 5e: a flat body, no envelope."""
    flat = {"workordercode": "GS1", "workordercontent": "水管爆裂", "dispatchtime": "2026-11-22 08:18:11", "state": 0}
    names = {"orderId": "workordercode", "majorContent": "workordercontent", "callTime": "dispatchtime"}
    (found,) = receive(flat, data="", fields=names)
    assert isinstance(found, Item)
    assert found.native_id == "GS1"
    assert order_of(found)["majorContent"] == "水管爆裂"


def test_an_event_that_nobody_named_is_kept_to_be_looked_at() -> None:
    body = {"event": "ORDER_ADD", "time": "2026-11-22 08:00:00", "data": {"orderId": "1", "title": "路灯不亮"}}
    (found,) = receive(body)
    assert isinstance(found, BadItem)
    (mapped,) = receive(body, events={"ORDER_ADD": "create"})
    assert isinstance(mapped, Item)
    assert RECORDING.receiver().reread("1", found.payload, {}) == mapped


@pytest.mark.parametrize("data", [[], [1], [{"orderId": "1"}, "x"], None, [{"orderId": str(n)} for n in range(300)]])
def test_a_list_that_cannot_be_read_whole_is_kept_whole(data: Any) -> None:
    (found,) = receive({"event": "create", "data": data})
    assert isinstance(found, BadItem)
    assert b"create" in found.payload


def test_without_a_secret_the_door_does_not_open() -> None:
    with pytest.raises(BadKeys):
        Push12345(msgspec.convert(RECORDING.told["source"], Push12345Settings), {"EXCHANGE_SECRET": " "})
