"""A declared interface: paging of every kind, ends, positions, joins, errors, times, and settings that are wrong."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import BadItem, Page, Request, Response
from connectors.channels.http_json import presets
from connectors.channels.http_json.connector import HttpJson
from connectors.channels.http_json.settings import HttpJsonSettings
from connectors.errors import AccessDenied, FormatChanged, LeadsAway, RateLimited, SourceDown
from tests.connectors.recording import ids_of, position, read, until_killed

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FIELDS = {"native_id": "id", "text": "text", "posted_at": "at"}
Answering = Callable[[Request], Any]


def declared(**own: Any) -> HttpJsonSettings:
    base = {
        "name": "api", "kind": "http_json", "channel": "hotline", "mode": "route", "zone": "Asia/Shanghai",
        "url": "https://api.city.example", "fields": FIELDS,
    }  # fmt: skip
    return msgspec.convert(base | own, HttpJsonSettings)


class Server:
    """Answers by a function, and remembers what it was asked."""

    def __init__(self, answering: Answering) -> None:
        self.asked: list[Request] = []
        self._answering = answering

    async def fetch(self, request: Request) -> Response:
        assert len(self.asked) < 500, "the reading does not end"
        self.asked.append(request)
        answer = self._answering(request)
        if isinstance(answer, Response):
            return answer
        return Response(status=200, headers={}, body=msgspec.json.encode(answer), fetched_at=NOW)


def response(body: bytes, status: int = 200, **headers: str) -> Response:
    return Response(status=status, headers=headers, body=body, fetched_at=NOW)


def row(number: int, at: object = None) -> dict[str, Any]:
    written = at if at is not None else f"{NOW - timedelta(hours=number):%Y-%m-%dT%H:%M:%SZ}"
    return {"id": number, "text": f"words {number}", "at": written}


ROWS = [row(number) for number in range(7)]


async def reading(own: dict[str, Any], answering: Answering, cursor: str | None = None) -> tuple[list[Page], Server]:
    server = Server(answering)
    assert declared(**own).problems() == []
    return await read(HttpJson(declared(**own), server.fetch, {}, lambda: NOW), cursor), server


# ------------------------------------------------------------ paging


def by_page(request: Request) -> Any:
    number = int(request.query["page"])
    return {"rows": ROWS[(number - 1) * 3 : number * 3], "total": 7, "pages": 3, "more": number < 3}


def by_offset(request: Request) -> Any:
    start = int(request.query["offset"])
    return {"rows": ROWS[start : start + 2]}  # two, whatever was asked for


def by_cursor(request: Request) -> Any:
    start = int(request.query.get("cursor", "0"))
    return {"rows": ROWS[start : start + 3], "next": start + 3 if start + 3 < 7 else 0}


def by_keyset(request: Request) -> Any:
    after = int(request.query.get("after", "-1"))
    return {"rows": [each for each in ROWS if each["id"] > after][:3]}


def by_link_header(request: Request) -> Any:
    start = int(request.url.partition("start=")[2] or 0)
    link = f'<https://x/?a>; rel="prev", </orders?start={start + 3}>; rel="next"' if start + 3 < 7 else ""
    return response(msgspec.json.encode({"rows": ROWS[start : start + 3]}), link=link)


def by_link(request: Request) -> Any:
    start = int(request.url.partition("start=")[2] or 0)
    following = f"https://api.city.example/orders?start={start + 3}" if start + 3 < 7 else None
    return {"rows": ROWS[start : start + 3], "next": following}


KINDS: dict[str, tuple[Answering, dict[str, str], dict[str, Any]]] = {
    "page until empty": (by_page, {"page": "{page}"}, {"kind": "page"}),
    "page until the last": (by_page, {"page": "{page}"}, {"kind": "page", "pages": "pages"}),
    "page until the total": (by_page, {"page": "{page}"}, {"kind": "page", "total": "total"}),
    "page while there is more": (by_page, {"page": "{page}"}, {"kind": "page", "more": "more"}),
    "page until a short one": (by_page, {"page": "{page}"}, {"kind": "page", "size": 3, "short_is_end": True}),
    "offset": (by_offset, {"offset": "{offset}", "limit": "{size}"}, {"kind": "offset", "first": 0, "size": 100}),
    "cursor": (by_cursor, {"cursor": "{cursor}"}, {"kind": "cursor", "next": "next"}),
    "keyset": (by_keyset, {"after": "{after}"}, {"kind": "keyset", "key": ["id"]}),
    "link header": (by_link_header, {}, {"kind": "link"}),
    "link": (by_link, {}, {"kind": "link", "next": "next"}),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_paging_reads_all_rows_and_knows_that_it_did(kind: str) -> None:
    answering, query, paging = KINDS[kind]
    own = {"complete": True, "list": {"path": "/orders", "query": query, "rows": "rows", "paging": paging}}

    pages, _ = await reading(own, answering)

    assert ids_of(pages) == {str(number) for number in range(7)}
    assert [set(page.sweep.native_ids) for page in pages if page.sweep] == [{str(number) for number in range(7)}]


@pytest.mark.parametrize("kind", KINDS)
async def test_killed_after_any_page_nothing_is_skipped(kind: str) -> None:
    answering, query, paging = KINDS[kind]
    own = declared(list={"path": "/orders", "query": query, "rows": "rows", "paging": paging})
    whole = await read(HttpJson(own, Server(answering).fetch, {}, lambda: NOW))

    for count in range(len(whole) + 1):
        first = await until_killed(HttpJson(own, Server(answering).fetch, {}, lambda: NOW).pages(None), count)
        rest = await read(HttpJson(own, Server(answering).fetch, {}, lambda: NOW), position(first))
        assert ids_of(first) | ids_of(rest) == ids_of(whole)


def always(answer: Any) -> Answering:
    return lambda request: answer


@pytest.mark.parametrize(
    ("answering", "query", "paging"),
    [
        (always({"rows": ROWS[:3]}), {"page": "{page}"}, {"kind": "page"}),
        (always({"rows": ROWS[:3], "next": "same"}), {"cursor": "{cursor}"}, {"kind": "cursor", "next": "next"}),
        (always({"rows": ROWS[:3], "total": 9}), {"offset": "{offset}"}, {"kind": "offset", "total": "total"}),
        (always({"rows": ROWS[:3]}), {"after": "{after}"}, {"kind": "keyset", "key": ["id"]}),
    ],
)
async def test_a_list_that_goes_in_circles_ends_and_proves_no_absence(
    answering: Answering, query: dict[str, str], paging: dict[str, Any]
) -> None:
    own = {"complete": True, "list": {"query": query, "rows": "rows", "paging": paging}}

    pages, server = await reading(own, answering)

    assert ids_of(pages) == {"0", "1", "2"}
    assert not any(page.sweep for page in pages)
    assert len(server.asked) <= 3


async def test_a_list_that_never_ends_is_told() -> None:
    numbers = iter(range(10_000))
    own = {"list": {"query": {"p": "{page}"}, "rows": "rows", "paging": {"kind": "page", "most": 20}}}

    with pytest.raises(FormatChanged, match="20 pages and no end"):
        await reading(own, lambda request: {"rows": [row(next(numbers))]})


async def test_rows_that_come_or_go_meanwhile_prove_no_absence() -> None:
    totals = iter([7, 6, 6])
    own = {"complete": True, "list": {"query": {"page": "{page}"}, "rows": "rows", "paging": KINDS_TOTAL}}

    pages, _ = await reading(own, lambda request: by_page(request) | {"total": next(totals)})

    assert not any(page.sweep for page in pages)


KINDS_TOTAL = {"kind": "page", "total": "total"}


# ------------------------------------------------------------ positions


def newest_first(rows: list[dict[str, Any]]) -> tuple[dict[str, Any], Answering]:
    own = {
        "reading": "newest_first", "overlap": 3600,
        "list": {"query": {"page": "{page}"}, "rows": "rows", "paging": {"kind": "page", "sticky": 2}},
    }  # fmt: skip
    return own, lambda request: {"rows": rows[(int(request.query["page"]) - 1) * 2 :][:2]}


async def test_newest_first_ends_behind_the_position_and_goes_beyond_what_is_pinned() -> None:
    pinned = [row(90, "2026-01-01T00:00:00Z"), row(91, "2026-01-02T00:00:00Z")]
    rows = [*pinned, *(row(number) for number in range(30))]
    own, answering = newest_first(rows)
    pages, _ = await reading(own, answering)
    rows.insert(2, row(77, "2026-11-22T00:00:01Z"))

    again, server = await reading(own, answering, position(pages))

    assert ids_of(pages) == {"90", "91", *(str(number) for number in range(30))}
    assert "77" in ids_of(again)
    assert len(server.asked) == 4  # the pinned page, two pages that touch the overlap, one that is behind it


async def test_a_time_in_the_future_does_not_carry_the_position_away() -> None:
    own, answering = newest_first([row(1, "2062-01-01T00:00:00Z"), row(2)])

    pages, _ = await reading(own, answering)

    assert msgspec.json.decode(position(pages) or "")["since"] == "2026-11-22T00:00:00Z"


async def test_oldest_first_asks_since_the_position_less_the_overlap() -> None:
    own = {
        "reading": "oldest_first", "overlap": 600,
        "list": {"query": {"from": "{since}", "page": "{page}"}, "rows": "rows", "paging": {"kind": "page"}},
    }  # fmt: skip
    rows = sorted(ROWS, key=lambda each: str(each["at"]))
    pages, server = await reading(own, lambda request: {"rows": rows if request.query["page"] == "1" else []})

    _, again = await reading(own, always({"rows": []}), position(pages))

    assert "from" not in server.asked[0].query
    assert again.asked[0].query["from"] == "2026-11-22 07:50:00"  # in the source's zone


async def test_a_filter_that_is_silently_ignored_is_told() -> None:
    own = {
        "reading": "oldest_first",
        "list": {"query": {"from": "{since}"}, "rows": "rows"},
    }
    with pytest.raises(FormatChanged, match="ignores the time"):
        await reading(own, always({"rows": [row(1, "2020-01-01T00:00:00Z")]}), '{"since":"2026-11-22T00:00:00Z"}')


async def test_windows_follow_each_other_up_to_now() -> None:
    own = {
        "reading": "windows", "window": {"seconds": 86400, "start": "2026-11-20T00:00:00Z"}, "overlap": 3600,
        "times": {"format": "iso", "zone": "UTC"},
        "list": {"query": {"start": "{since}", "end": "{until}"}, "rows": "rows"},
    }  # fmt: skip
    pages, server = await reading(own, always({"rows": []}))

    _, again = await reading(own, always({"rows": []}), position(pages))

    asked = [(request.query["start"][8:13], request.query["end"][8:13]) for request in server.asked]
    assert asked == [("20T00", "21T00"), ("21T00", "22T00")]
    assert [request.query["start"][8:13] for request in again.asked] == ["21T23"]


# ------------------------------------------------------------ joins, rows, times


async def test_a_detail_is_asked_for_again_only_when_its_row_has_changed() -> None:
    rows = [row(1), row(2)]
    own = declared(
        reading="newest_first", list={"rows": "rows"}, detail={"path": "/{row.id}", "row": "data"},
        fields=FIELDS | {"text": "@detail.text"},
    )  # fmt: skip
    server = Server(lambda request: {"data": {"text": "long"}} if request.url[-1] in "12" else {"rows": rows})
    connector = HttpJson(own, server.fetch, {}, lambda: NOW)
    first = await read(connector)
    rows[1] = rows[1] | {"state": "closed", "at": "2026-11-22T00:00:00Z"}

    again = await read(connector, position(first))

    assert ids_of(first) == {"1", "2"}
    assert ids_of(again) == {"2"}
    assert len(server.asked) == 5


@pytest.mark.parametrize("detail", [{"row": "data"}, {"rows": "data"}])
async def test_a_row_whose_detail_leads_to_a_foreign_host_is_parked_and_its_neighbours_are_read(
    detail: dict[str, str],
) -> None:
    own = declared(
        list={"rows": "rows"},
        detail={"path": "/{row.id}", **detail},
        fields=FIELDS | {"text": ["@detail.text", "text"]},
    )
    answers = Server(
        lambda request: (
            {"data": [{"id": 7, "text": "long"}]} if request.url[-1] in "13" else {"rows": [row(1), row(2), row(3)]}
        )
    )

    async def fetch(request: Request) -> Response:
        if request.url.endswith("/2"):
            raise LeadsAway("source s leads to elsewhere.example; name the host in `hosts`")
        return await answers.fetch(request)

    pages = await read(HttpJson(own, fetch, {}, lambda: NOW))

    assert [(bad.native_id, bad.reason) for page in pages for bad in page.bad] == [
        ("2", "source s leads to elsewhere.example; name the host in `hosts`")
    ]
    assert len(answers.asked) == 3


async def test_nested_rows_know_their_parent_and_root() -> None:
    tree = {"id": 1, "text": "a", "kids": [{"id": 2, "text": "b", "kids": [{"id": 3, "text": "c"}]}]}
    own = {
        "list": {"rows": "", "children": ["kids"]},
        "fields": {"native_id": "id", "text": "text", "parent": "@parent.id", "root": "@root.id"},
    }
    pages, _ = await reading(own, always([tree]))

    mapped = {item.native_id: msgspec.json.decode(item.payload) for page in pages for item in page.items}
    assert (mapped["3"]["parent"], mapped["3"]["root"]) == ("2", "1")
    assert "kids" not in mapped["1"]["_row"]


@pytest.mark.parametrize(
    ("spec", "written"),
    [
        ("at", "2026-11-22 08:00:00"),
        ("at", "2026年11月22日 08:00"),
        ("at", 1795305600),
        ("at", "1795305600000"),
        ("at", "2026-11-22T00:00:00+00:00"),
        ({"path": "at", "zone": "UTC"}, "2026-11-22 00:00:00"),
        ({"path": "at", "date": "s"}, "1795305600"),
        ({"path": "at", "date": "s", "shift": 28800}, 1795276800),
        ({"path": "at", "date": "%d/%m/%Y %H:%M"}, "22/11/2026 08:00"),
        ({"path": "at", "date": "%Y-%m-%d.%H:%M:%S", "zone": "UTC"}, "2026-11-22.00:00:00"),
    ],
)
async def test_one_moment_however_it_is_written(spec: Any, written: object) -> None:
    own = {"list": {"rows": ""}, "fields": FIELDS | {"posted_at": spec}}

    pages, _ = await reading(own, always([row(1, written)]))

    (item,) = (item for page in pages for item in page.items)
    assert msgspec.json.decode(item.payload)["posted_at"] == "2026-11-22T00:00:00.000Z"


async def test_likes_are_not_content_and_what_is_dropped_changes_nothing() -> None:
    own = {"list": {"rows": ""}, "fields": FIELDS | {"likes": "up"}, "drop": ["ago"]}
    changed = [row(1) | {"up": 5, "ago": "2 h"}, row(1) | {"up": 9, "ago": "3 h"}, row(1) | {"up": 9, "ago": "4 h"}]

    first, second, third = [(await reading(own, always([each])))[0][0].items[0] for each in changed]

    assert first.content == second.content
    assert first.payload != second.payload == third.payload


async def test_a_parked_row_is_read_by_the_fields_as_they_are_now() -> None:
    pages, _ = await reading({"list": {"rows": ""}, "fields": FIELDS}, always([{"id": 4, "body": "words"}]))
    (bad,) = pages[0].bad

    mended = HttpJson(declared(list={"rows": ""}, fields=FIELDS | {"text": "body"}), Server(always([])).fetch, {})
    again = mended.reread(bad.native_id, bad.payload, bad.context)

    assert not isinstance(again, BadItem)
    assert again.native_id == "4"


# ------------------------------------------------------------ shapes and errors


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        (b'cb_1([{"id": 1, "text": "(a)"}]);', "json"),
        (b'/**/ var data = [{"id": 1, "text": "(a)"}];\n', "json"),
        (b'\xef\xbb\xbf[{"id": 1, "text": "(a)"}]', "json"),
        (b"[{id: 1, text: '(a)', more: [1, -2.5, true, undefined,], }]", "js"),
        (b"[{'id': '1', \"text\": '(\\x61)'}]", "js"),
    ],
)
async def test_what_stands_around_json_or_in_its_place(body: bytes, shape: str) -> None:
    own = {"list": {"rows": "", "shape": shape}, "fields": {"native_id": "id", "text": "text"}}

    pages, _ = await reading(own, always(response(body)))

    assert [item.content[1] for page in pages for item in page.items] == ["(a)"]


async def test_an_encoding_that_the_settings_know_better() -> None:
    body = '[{"id": 1, "text": "路"}]'.encode("big5")
    own = {"list": {"rows": ""}, "fields": {"native_id": "id", "text": "text"}, "encoding": "big5"}

    pages, _ = await reading(own, always(response(body)))

    assert pages[0].items[0].content[1] == "路"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"code": 401}, AccessDenied),
        ({"code": "429"}, RateLimited),
        ({"code": 500}, SourceDown),
        ({"code": 7, "msg": "访问过于频繁"}, RateLimited),
        ({"code": 7}, FormatChanged),
        ({}, FormatChanged),
        ({"code": 0, "rows": None}, FormatChanged),
        (response(b""), SourceDown),
        (response(b'<form><input type="password"></form>'), AccessDenied),
        (response(b"gone", 404), FormatChanged),
    ],
)
async def test_errors_inside_a_200_are_told_apart(answer: Any, error: type[Exception]) -> None:
    words = {"busy": ["频繁"]}
    errors = [
        {"path": "code", "ok": [0], "denied": [401], "busy": [429], "down": [500], "message": "msg", "words": words}
    ]

    with pytest.raises(error, match="source api"):
        await reading({"list": {"rows": "rows"}, "errors": errors}, always(answer))


async def test_an_error_repeats_no_words_of_the_source() -> None:
    errors = [{"path": "msg", "absent_ok": True}]

    with pytest.raises(FormatChanged) as told:
        await reading({"list": {"rows": "rows"}, "errors": errors}, always({"msg": "张三 13800001111", "rows": []}))

    assert "138" not in str(told.value)


async def test_an_empty_list_can_be_an_error() -> None:
    with pytest.raises(SourceDown, match="empty"):
        await reading({"list": {"rows": "rows"}, "empty_is_error": True}, always({"rows": []}))


async def test_secrets_come_from_the_environment_and_an_absent_one_is_left_out() -> None:
    own = declared(
        key_env="KEY", user_env="WHO", list={"rows": "rows", "query": {"q": "{key}"}},
        headers={"Authorization": "Bearer {key}", "X-User": "{user}"},
    )  # fmt: skip
    server = Server(always({"rows": []}))

    await read(HttpJson(own, server.fetch, {"KEY": "k-1"}, lambda: NOW))

    assert server.asked[0].headers == {"Authorization": "Bearer k-1"}
    assert server.asked[0].query == {"q": "k-1"}


async def test_a_next_link_to_another_host_gets_no_key() -> None:
    paging = {"kind": "link", "next": "next"}
    own = declared(key_env="KEY", headers={"X-Key": "{key}"}, list={"path": "/a", "rows": "rows", "paging": paging})
    answers = iter([{"rows": [row(1)], "next": "https://other.example/b"}, {"rows": []}])
    server = Server(lambda request: next(answers))

    await read(HttpJson(own, server.fetch, {"KEY": "k-1"}, lambda: NOW))

    assert [dict(request.headers) for request in server.asked] == [{"X-Key": "k-1"}, {}]


@pytest.mark.parametrize(
    ("sign", "expected"),
    [
        ({}, hmac.new(b"k-1", b"GET\n/a\n1795305600\n", "sha256").hexdigest()),
        ({"way": "digest", "algorithm": "md5", "text": "{path}{key}"}, hashlib.md5(b"/ak-1").hexdigest()),
    ],
)
async def test_a_request_is_signed_with_the_key(sign: dict[str, str], expected: str) -> None:
    text = "{method}\n{path}\n{timestamp}\n{body}"
    told = {"text": text, "headers": {"X-Sign": "{signature}", "X-Time": "{timestamp}"}} | sign
    own = declared(key_env="KEY", sign=told, list={"path": "/a", "rows": "rows"})
    server = Server(always({"rows": []}))

    await read(HttpJson(own, server.fetch, {"KEY": "k-1"}, lambda: NOW))

    assert server.asked[0].headers == {"X-Sign": expected, "X-Time": "1795305600"}


# ------------------------------------------------------------ settings


def test_all_that_is_wrong_is_told_at_once() -> None:
    own = declared(
        url="ftp://x", reading="windows", complete=True, fields={"texts": "a"}, required=["phone"],
        list={"query": {}, "pagin": 1, "paging": {"kind": "page", "size": 0}}, window={"second": 1},
    )  # fmt: skip

    told = " ".join(own.problems())

    assert all(part in told for part in ("url", "list.pagin", "list.paging.size", "window.second", "window.start"))


def test_what_does_not_fit_together_is_told_at_once() -> None:
    own = declared(
        reading="oldest_first", complete=True, fields={"texts": "a"}, required=["phone"],
        list={"paging": {"kind": "page"}, "query": {"who": "{each}"}}, detail={"path": "/x"},
    )  # fmt: skip

    told = own.problems()

    for part in ("list.rows", "fields.texts", "fields.native_id", "{page}", "each", "detail", "phone", "complete"):
        assert any(part in problem for problem in told), part


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_is_whole_and_can_be_laid_over(name: str) -> None:
    each = {"1": "one"}
    own = declared(preset=name, fields={"text": "body", "likes": False}, list={"paging": {"size": 7}}, each=each)

    plan = own.plan()

    assert own.problems() == []
    assert plan.list.paging.size == 7
    assert plan.fields["text"] == "body"
    assert "likes" not in plan.fields
    assert "native_id" in plan.fields


# ------------------------------------------------------------ any schedule


@settings(max_examples=100, deadline=None)
@given(data=st.data())
async def test_killed_anywhere_while_rows_come_nothing_is_lost(data: st.DataObject) -> None:
    """Newest first with ties and pinned rows: the union of all readings is what the source ever had."""
    rows: list[dict[str, Any]] = [row(1000, "2026-01-01T00:00:00Z")]
    own, answering = newest_first(rows)
    number, cursor, got = 0, None, set[str]()

    for _ in range(data.draw(st.integers(1, 5))):
        for _ in range(data.draw(st.integers(0, 6))):
            number += 1
            rows.insert(1, row(number, f"2026-11-21T{number // 3:02d}:00:00Z"))
        count = data.draw(st.integers(0, 8))
        pages = await until_killed(
            HttpJson(declared(**own), Server(answering).fetch, {}, lambda: NOW).pages(cursor), count
        )
        got |= ids_of(pages)
        cursor = position(pages) or cursor
    got |= ids_of(await read(HttpJson(declared(**own), Server(answering).fetch, {}, lambda: NOW), cursor))

    assert got == {str(each["id"]) for each in rows}


# ------------------------------------------------------------ beginning at a moment


@pytest.mark.parametrize(
    "own",
    [
        {"reading": "newest_first", "list": {"query": {"page": "{page}"}, "rows": "rows", "paging": {"kind": "page"}}},
        {"reading": "oldest_first", "list": {"query": {"from": "{since}"}, "rows": "rows"}},
        {
            "reading": "windows",
            "list": {"query": {"from": "{since}", "to": "{until}"}, "rows": "rows"},
            "window": {"seconds": 86400, "start": "2026-01-01"},
        },
    ],
    ids=lambda own: own["reading"],
)
async def test_a_rewind_reads_what_was_posted_since_its_moment(own: dict[str, Any]) -> None:
    """Not the years before: a source of ten years may begin with this month."""
    rows = [row(number, f"{NOW - timedelta(days=number):%Y-%m-%dT%H:%M:%SZ}") for number in range(200)]

    def answering(request: Request) -> Any:
        query = request.query
        held = [
            each for each in rows if query.get("from", "") <= str(each["at"]).replace("T", " ") <= query.get("to", "9")
        ]
        number = int(query.get("page", "1"))
        return {"rows": held[(number - 1) * 30 : number * 30] if "page" in query else held[::-1]}

    told = {**own, "times": {"format": "%Y-%m-%d %H:%M:%SZ", "zone": "UTC"}, "overlap": 0}
    connector = HttpJson(declared(**told), Server(answering).fetch, {}, lambda: NOW)

    pages = await read(connector, connector.position_at(NOW - timedelta(days=40)))

    assert ids_of(pages) >= {str(number) for number in range(40)}
    assert len(ids_of(pages)) <= 100


async def test_a_comment_of_sina_without_a_time_says_it_in_its_config() -> None:
    """As it came: `time` is missing, and `config` is a query string with an epoch."""
    config = "wb_verified=0&wb_screen_name=x&area=y&wb_time=1571448835&layer=1"
    comment = {
        "mid": "5D",
        "content": "words",
        "uid": "6",
        "nick": "7",
        "agree": "0",
        "status": "M_PASS",
        "config": config,
    }

    def answering(request: Request) -> Any:
        rows = (
            [comment, {**comment, "mid": "5E", "time": "2026-11-20 10:00:00"}] if request.query["page"] == "1" else []
        )
        return {"result": {"status": {"code": 0}, "cmntlist": rows}}

    told = declared(preset="sina", fields={}, each={"comos-1": "x"})
    pages = await read(HttpJson(told, Server(answering).fetch, {}, lambda: NOW))

    rows = [msgspec.json.decode(item.payload) for page in pages for item in page.items]
    assert [each["posted_at"] for each in rows] == ["2019-10-19T01:33:55.000Z", "2026-11-20T02:00:00.000Z"]


@pytest.mark.parametrize("never", ["0000-00-00 00:00:00", "0001-01-01 00:00:00", "0001-01-01T00:00:00Z"])
async def test_a_time_that_means_never_is_no_reason_to_park_an_order(never: str) -> None:
    """What nobody has answered yet: MySQL and .NET have a date of their own for it."""
    own = {"list": {"rows": "rows"}, "fields": FIELDS | {"reply_at": "replied"}}
    pages, _ = await reading(own, lambda _: {"rows": [row(1) | {"replied": never}]})

    assert [item.native_id for page in pages for item in page.items] == ["1"]


@pytest.mark.parametrize("named", ["gb2312", "GBK", "cp936"])
async def test_an_older_name_of_our_encoding_loses_no_persons_name(named: str) -> None:
    """镕 is in GBK and not in GB 2312, 𠮷 in GB 18030 alone; what says GB 2312 holds all of them."""
    body = msgspec.json.encode([{"id": 1, "text": "镕𠮷路灯坏了"}]).decode().encode("gb18030")
    pages, _ = await reading(
        {"list": {"rows": ""}, "fields": {"native_id": "id", "text": "text"}, "encoding": named},
        lambda _: response(body),
    )

    assert msgspec.json.decode(pages[0].items[0].payload)["text"] == "镕𠮷路灯坏了"


@pytest.mark.parametrize("own", [{"encoding": "gb-2312x"}, {"list": {"rows": "", "form_encoding": "none"}}])
def test_an_encoding_that_nobody_knows_is_a_problem_of_the_settings(own: dict[str, Any]) -> None:
    assert any("is no encoding" in problem for problem in declared(**({"list": {"rows": ""}} | own)).problems())


async def test_a_key_in_the_address_of_a_detail_is_not_told() -> None:
    own = {
        "list": {"rows": ""},
        "detail": {"path": "/one?id={row.id}&token={token}", "row": "data"},
        "values": {"token": "secret-1"},
    }

    def answering(request: Request) -> Any:
        return [row(1)] if "/one" not in request.url else response(b"not JSON")

    with pytest.raises(FormatChanged) as told:
        await reading(own, answering)
    assert "secret-1" not in str(told.value)
