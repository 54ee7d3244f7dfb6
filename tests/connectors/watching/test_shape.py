"""What is seen of an answer: paths, kinds and counts, and nothing that a citizen wrote."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Item, Request, Response
from connectors.watching.causes import Cause, Drift
from connectors.watching.learned import Learned
from connectors.watching.reading import Reading
from connectors.watching.sentinel import judge_reading
from connectors.watching.shape import Shape, encoding_of, look, look_at_rows, route_of
from connectors.watching.values import is_damaged, kind_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ZONE = "Asia/Shanghai"


def answer(body: bytes, content_type: str = "application/json", status: int = 200) -> Response:
    return Response(status=status, headers={"content-type": content_type}, body=body, fetched_at=NOW)


def shape_of(value: Any) -> Shape:
    shape = Shape()
    look(shape, answer(msgspec.json.encode(value)), ZONE)
    return shape


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2026-11-02 09:00:00", "time 9-9-9 9:9:9"),
        ("2026-11-02T09:00:00.123Z", "time 9-9-9T9:9:9Z"),
        ("2026-11-02T09:00:00Z", "time 9-9-9T9:9:9Z"),
        (1_793_500_000, "epoch s"),
        (1_793_500_000_123, "epoch ms"),
        ("1793500000", "epoch s text"),
        ("13800138000", "number text"),
        (17, "number"),
        ("路灯不亮", "text"),
        ("https://city.example/1", "address"),
        ("", None),
        (None, None),
        ([], None),
        (True, "bool"),
    ],
)
def test_a_value_is_named_by_its_kind(value: Any, kind: str | None) -> None:
    assert kind_of(value, ZONE)[0] == kind


@pytest.mark.parametrize(
    ("text", "damaged"),
    [
        ("路灯不亮三天了，请派人修", False),
        ("café naïve résumé", False),
        ("路灯\ufffd不亮", True),
        ("路灯不亮".encode().decode("gb18030", "replace"), True),
        ("路灯不亮".encode().decode("latin-1"), True),
    ],
)
def test_damaged_text_is_told_from_text(text: str, damaged: bool) -> None:
    assert is_damaged(text) is damaged


def test_a_page_of_rows_is_counted_by_path() -> None:
    shape = shape_of({"data": {"rows": [{"id": 1, "text": "路灯不亮"}, {"id": 2, "text": None}]}})

    assert shape.objects == {"": 1, "data": 1, "data.rows[]": 2}
    assert (shape.fields["data.rows[].text"].seen, shape.fields["data.rows[].text"].present) == (2, 1)
    assert shape.fields["data.rows[].id"].up == 1


def test_rows_that_come_twice_are_counted() -> None:
    values = shape_of({"rows": [{"id": 1}, {"id": 1}, {"id": 2}]}).fields["rows"]

    assert (values.rows, values.twice) == (3, 1)


def test_what_stands_where_a_name_should_is_not_kept() -> None:
    """A file without its line of names puts a citizen's letter there."""
    letter, number = "楼下装修从早到晚，孩子没法睡觉，请管一管吧", "13800138000"
    shape = Shape()
    payload = msgspec.json.encode({letter: "x", number: "y", "内容": "z"})
    look_at_rows(shape, [Item(native_id="1", payload=payload, content=())], ZONE, NOW.timestamp())

    assert set(shape.fields) == {"row", "row[].*", "row[].内容"}


def test_what_is_nested_without_end_is_broken() -> None:
    nested, shape = b'{"a":' * 200_000 + b"1" + b"}" * 200_000, Shape()  # Python 3.13 reads some ten thousand
    look(shape, answer(nested), ZONE)
    look_at_rows(shape, [Item(native_id="1", payload=nested, content=())], ZONE, NOW.timestamp())

    assert shape.facts["kind"] == {"broken json": 1}


def test_nothing_that_was_written_is_learned() -> None:
    words = "小区门口的路灯坏了三天没有人来修理"
    learned = Learned()
    for number in range(3):
        reading = Reading(ZONE)
        row = {"id": f"id-{number}", "author": "张三丰", "text": f"{words}{number}"}
        body = msgspec.json.encode({"rows": [row]})
        reading.heard(Request(url="https://city.example/list"), answer(body))
        judge_reading(learned, reading, fresh=1, now=NOW, day_kind=lambda _: "workday")

    kept = msgspec.json.encode(learned).decode()
    assert words not in kept
    assert "张三丰" not in kept


def test_lists_and_their_details_are_routes_of_their_own() -> None:
    first = route_of(Request(url="https://x.example/api/list", query={"page": "1", "module": "forumdisplay"}))
    second = route_of(Request(url="https://x.example/api/list", query={"page": "2", "module": "forumdisplay"}))
    detail = route_of(Request(url="https://x.example/api/topic/17"))
    other = route_of(Request(url="https://x.example/api/topic/18"))

    assert first == second
    assert detail == other
    assert first != detail


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"{}", None),
        ("路".encode(), "utf-8"),
        ("路灯不亮".encode("gb18030"), "not utf-8"),
        (b"\xff\xfea\x00", "utf-16"),
    ],
)
def test_an_encoding_is_named(body: bytes, encoding: str | None) -> None:
    assert encoding_of(body) == encoding


def test_a_long_answer_cut_in_a_sign_is_still_utf8() -> None:
    assert encoding_of(b"a" + "路".encode() * 40_000) == "utf-8"


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_a_sentence_in_both_languages(cause: Cause) -> None:
    chinese, _, english = Drift(cause=cause, field="text", other="content", was="1").says.partition(" · ")

    assert any("\u4e00" <= sign <= "\u9fff" for sign in chinese)
    assert english
    assert "{" not in chinese + english


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=8), below, max_size=4),
    max_leaves=12,
)


@given(value=JSON)
def test_any_json_can_be_looked_at(value: Any) -> None:
    shape = shape_of(value)

    assert shape.answers == 1
    assert all(values.present <= values.seen for values in shape.fields.values())


@given(body=st.binary(max_size=200), content_type=st.sampled_from(["", "text/html", "application/json; charset=gbk"]))
def test_any_bytes_can_be_looked_at(body: bytes, content_type: str) -> None:
    shape = Shape()

    look(shape, answer(body, content_type), ZONE)

    assert shape.facts["status"] == {"200": 1}
