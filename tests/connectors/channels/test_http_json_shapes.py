"""Forms of answers that real servers have: lists of cells, headers, XML, CSV, JSON in JSON, ids of several parts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from connectors.base import Request, Response
from connectors.channels.http_json.connector import HttpJson
from connectors.channels.http_json.settings import HttpJsonSettings
from connectors.channels.http_json.shapes import csv_in, js_in, json_in, xml_in
from connectors.errors import FormatChanged
from tests.connectors.recording import FETCHED, ids_of, position, read

FIELDS = {"native_id": "id", "text": "t"}


def declared(own: dict[str, Any]) -> HttpJsonSettings:
    base = {"name": "api", "kind": "http_json", "channel": "board", "mode": "route", "zone": "Asia/Shanghai"}
    return msgspec.convert({**base, "url": "https://api.city.example", "fields": FIELDS, **own}, HttpJsonSettings)


def answer(body: str | bytes, **headers: str) -> Response:
    told = body if isinstance(body, bytes) else body.encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=200, headers=named, body=told, fetched_at=FETCHED)


async def rows_of(own: dict[str, Any], *answers: Response) -> list[dict[str, Any]]:
    """Every row that comes, one answer after the other."""
    left = list(answers)

    async def fetch(request: Request) -> Response:
        del request
        return left.pop(0)

    told = declared(own)
    assert told.problems() == []
    pages = await read(HttpJson(told, fetch, {}, lambda: FETCHED))
    assert left == []
    assert not any(page.bad for page in pages)
    return [msgspec.json.decode(item.payload) for page in pages for item in page.items]


async def test_rows_that_are_lists_get_the_names_that_stand_beside_them() -> None:
    own = {"list": {"rows": "rows", "columns": "columns"}}
    (row,) = await rows_of(own, answer('{"columns": ["id", {"name": "t"}], "rows": [[7, "words"]]}'))
    assert (row["native_id"], row["text"]) == ("7", "words")


async def test_what_stands_in_headers_is_found_there() -> None:
    """The number of rows (X-Total-Count), and the address of the next page (Next-Page)."""
    paging = {"kind": "page", "total": "@headers.X-Total-Count"}
    rows = [answer(f'[{{"id": {number}, "t": "w"}}]', x_total_count="2") for number in (1, 2)]
    assert len(await rows_of({"list": {"query": {"page": "{page}"}, "rows": "", "paging": paging}}, *rows)) == 2

    link = {"kind": "link", "next": "@headers.next-page"}
    first = answer('[{"id": 1, "t": "w"}]', next_page="https://api.city.example/?token=x")
    assert len(await rows_of({"list": {"rows": "", "paging": link}}, first, answer('[{"id": 2, "t": "w"}]'))) == 2


async def test_rows_that_stand_under_their_ids_know_them() -> None:
    own = {"list": {"rows": "data"}, "fields": {**FIELDS, "native_id": "@key"}}
    rows = await rows_of(own, answer('{"data": {"a1": {"t": "x"}, "a2": {"t": "y"}}}'))
    assert [row["native_id"] for row in rows] == ["a1", "a2"]


async def test_json_inside_json_is_unpacked() -> None:
    own = {"list": {"rows": "data.@json.rows"}}
    inner = msgspec.json.encode({"rows": [{"id": 1, "t": "w"}]}).decode()
    assert len(await rows_of(own, answer(msgspec.json.encode({"data": inner})))) == 1


async def test_an_id_may_have_several_parts() -> None:
    fields = {**FIELDS, "native_id": {"path": "post", "text": "{thread.id}-{}"}}
    (row,) = await rows_of(
        {"list": {"rows": ""}, "fields": fields}, answer('[{"post": 3, "t": "w", "thread": {"id": 7}}]')
    )
    assert row["native_id"] == "7-3"


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
async def test_xml_is_read_as_objects(encoding: str) -> None:
    xml = f"""<?xml version="1.0" encoding="{encoding}"?>
    <result xmlns="urn:x"><page total="2"/>
    <item id="1"><t>路灯坏了</t></item><item id="2"><t>停水</t></item></result>"""
    own = {
        "list": {
            "shape": "xml",
            "rows": "item",
            "query": {"p": "{page}"},
            "paging": {"kind": "page", "total": "page.@total"},
        },
        "fields": {**FIELDS, "native_id": "@id"},
    }
    rows = await rows_of(own, answer(xml.encode(encoding)))
    assert [(row["native_id"], row["text"]) for row in rows] == [("1", "路灯坏了"), ("2", "停水")]


async def test_one_element_alone_is_a_list_of_one() -> None:
    own = {"list": {"shape": "xml", "rows": "item"}, "fields": {**FIELDS, "native_id": "id"}}
    assert len(await rows_of(own, answer("<r><item><id>1</id><t>x</t></item></r>"))) == 1


async def test_csv_is_read_by_its_first_line() -> None:
    own = {"list": {"shape": "csv", "rows": ""}}
    rows = await rows_of(own, answer('\ufeffid,t\r\n1,"a\r\nb, ""c"""\r\n'.encode("utf-8")))
    assert rows[0]["text"] == 'a\r\nb, "c"'


@pytest.mark.parametrize("shape", ["xml", "csv"])
@pytest.mark.parametrize("body", ["<html><p>x</html>", "<!DOCTYPE r [<!ENTITY a 'x'>]><r>&a;</r>", "<r><"])
async def test_what_is_neither_is_told(shape: str, body: str) -> None:
    with pytest.raises(FormatChanged):
        await rows_of({"list": {"shape": shape, "rows": ""}}, answer(body))


async def test_a_key_that_nobody_looks_at_is_told_not_taken_for_the_end() -> None:
    """A server with another paging than was declared shows its first page for ever."""
    page = answer(msgspec.json.encode([{"id": number, "t": "w"} for number in range(5)]))
    paging = {"kind": "keyset", "key": ["id"], "size": 5}
    with pytest.raises(FormatChanged, match="after"):
        await rows_of({"list": {"query": {"x": "{after}"}, "rows": "", "paging": paging}}, page, page)


async def test_a_query_of_an_address_is_found_in_it() -> None:
    fields = {**FIELDS, "posted_at": {"path": "when", "query": "from"}}
    own = {"list": {"rows": ""}, "fields": fields}
    (row,) = await rows_of(own, answer('[{"id": 1, "t": "w", "when": "/timeline?from=2026-11-18T12%3A06%3A40Z&p=s"}]'))
    assert row["posted_at"] == "2026-11-18T12:06:40.000Z"


async def test_deletion_marks_of_a_list_of_changes_reach_what_was_read_before() -> None:
    own = {
        "reading": "oldest_first", "order_by": {"path": "at", "date": "ms"}, "times": {"format": "ms"}, "overlap": 0,
        "list": {"query": {"_since": '"{since}"'}, "rows": ""}, "deleted": [{"path": "deleted"}],
    }  # fmt: skip
    asked: list[str] = []

    async def fetch(request: Request) -> Response:
        asked.append(request.query.get("_since", ""))
        since = int(asked[-1].strip('"') or 0)
        rows = [{"id": "a", "t": "w", "at": 1795300000000}, {"id": "a", "deleted": True, "at": 1795300009000}]
        return answer(msgspec.json.encode([row for row in rows[bool(since) :] if int(str(row["at"])) > since]))

    connector = HttpJson(declared(own), fetch, {}, lambda: FETCHED)
    first = await read(connector)
    connector = HttpJson(declared(own), fetch, {}, lambda: FETCHED)
    cursor = position(first) or ""

    await read(connector, cursor)

    assert ids_of(first) == {"a"}
    assert asked[0] == ""
    assert asked[1] == '"1795300009000"'


def test_braces_that_nothing_fills_are_told() -> None:
    problems = declared({"list": {"method": "POST", "json": {"query": "{issues {id}}"}, "rows": "x"}}).problems()
    assert any("{id}" in problem for problem in problems)
    graphql = {"list": {"method": "POST", "json": {"query": "{ issues(first: 5) { id } }"}, "rows": "x"}}
    assert declared(graphql).problems() == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"deleted": [{"path": "t", "like": "("}]}, "deleted[0].like"),
        ({"skip": [{"path": "t", "like": "["}]}, "skip[0].like"),
        ({"detail": {"path": "/x", "row": "", "when": {"path": "t", "like": "*"}}}, "detail.when.like"),
        ({"detail": {"path": "/{a}", "row": "", "values": {"a": {"path": "t", "match": "x"}}}}, "a.match"),
        ({"fields": {**FIELDS, "text": {"path": "t", "when": {"path": "t", "like": "("}}}}, "fields.text.when.like"),
    ],
)
def test_an_expression_that_is_none_is_told_before_the_first_row(wrong: dict[str, Any], named: str) -> None:
    assert any(problem.startswith(named) for problem in declared({"list": {"rows": ""}, **wrong}).problems())


@pytest.mark.parametrize("text", [r'{"a": "\ud83d..."}', r'cb({"a": "\ud83d..."})', r'var a = {"a": "\ud83d..."};'])
def test_half_an_emoji_is_one_lost_sign_and_not_a_lost_page(text: str) -> None:
    """Lists cut letters after so many signs, in the middle of one too."""
    assert json_in(text, "here") == {"a": "\ufffd..."}


@pytest.mark.parametrize(
    ("written", "sign"), [(r"\ud83d\ude00", "\U0001f600"), (r"\ud83d", "\ufffd"), (r"\ude00 x", "\ufffd x")]
)
def test_an_emoji_of_javascript_is_one_sign(written: str, sign: str) -> None:
    found = js_in("{a: '" + written + "'}", "here")

    assert found == {"a": sign}
    assert msgspec.json.encode(found)


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\x0b", "\x0c", "\x1e"])
def test_a_line_of_csv_ends_where_lines_end(mark: str) -> None:
    """Such marks come along with what is copied from other programs."""
    assert csv_in(f"id,text,by\r\n1,light{mark}broken,li\n", "here") == [
        {"id": "1", "text": f"light{mark}broken", "by": "li"}
    ]


@pytest.mark.parametrize("text", ["[" * 200_000 + "]" * 200_000, '{"a":' * 200_000, "<a>" * 5000 + "</a>" * 5000])
def test_what_is_nested_without_end_is_told(text: str) -> None:
    with pytest.raises(FormatChanged):
        (xml_in if text.startswith("<") else json_in)(text, "here")


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ('cb({"a": 1})', '{"a": 1}'),
        (' jsonp_12 ( {"a": "(1)"} ) ; trailing words', '{"a": "(1)"}'),
        ("/**/ typeof.cb([1]);", "[1]"),
        ("/* one */ /* two */cb([1])", "[1]"),
        ('try{cb({"a": ";"});}catch(e){}', None),
        ('try { cb({"a": 1}); }', '{"a": 1}'),
        ('var data = {"a": 1};', '{"a": 1}'),
        ('let $x.y={"a": "b;"}\n ; ', '{"a": "b;"}'),
        ('const data = cb({"a": 1})', None),
        ("var data", None),
        ("/* never ends cb([1])", None),
        ("cb [1]", None),
        ("cb([1]", None),
        ("words", None),
    ],
)
def test_what_stands_around_json_is_taken_off(text: str, inner: str | None) -> None:
    if inner is None:
        with pytest.raises(FormatChanged):
            json_in(text, "here")
    else:
        assert json_in(text, "here") == msgspec.json.decode(inner)


@pytest.mark.parametrize(
    "hostile",
    [
        lambda many: "var a = " + " " * many + "x" + " " * many + "x",
        lambda many: "var a" + " " * many + "x",
        lambda many: "/*" + "*/a(" * many,
        lambda many: "/* */" * many + "x",
        lambda many: "/*" * many,
        lambda many: "try" + " " * many + "{" + " " * many + "x",
        lambda many: "a" * many + " " * many + "b(" + ")" * many,
        lambda many: "var a = " + "; " * many + "x",
    ],
)
def test_a_hostile_answer_costs_no_more_than_its_length(hostile: Callable[[int], str]) -> None:
    def spent(many: int) -> float:
        text, found = hostile(many), []
        for _ in range(5):
            start = time.process_time()
            with pytest.raises(FormatChanged):
                json_in(text, "here")
            found.append(time.process_time() - start)
        return min(found)

    many = 2_000
    while spent(many) < 0.001 and many < 500_000:
        many *= 4  # until it can be measured
    assert spent(8 * many) < 25 * max(spent(many), 0.001), "eight times as much costs far more than eight times"


def test_many_rows_of_xml_are_read_in_one_pass() -> None:
    """A worker that reckons for longer than its lease loses its sources, and whoever takes them over as well."""
    start = time.monotonic()
    rows = xml_in("<r>" + "<row><id>1</id></row>" * 100_000 + "</r>", "here")["row"]

    assert len(rows) == 100_000
    assert time.monotonic() - start < 4
