"""HTML pages as data: rows and cells by selector, and what a page without rows may mean."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from connectors.base import Request, Response
from connectors.channels.http_json.connector import HttpJson
from connectors.channels.http_json.settings import HttpJsonSettings
from connectors.errors import AccessDenied, ConnectorError, FormatChanged
from tests.connectors.recording import FETCHED, ids_of, read

#: 珠海 12345 and its like: a table, and a table a letter, in a fixed order of cells.
LIST: dict[str, Any] = {
    "path": "/list.asp", "query": {"page": "{page}"}, "shape": "html", "rows": "table.listAll tr:has(a)",
    "within": "table.listAll", "paging": {"kind": "page"},
    "cells": {"link": "a@href", "title": "a", "day": ["td:nth-child(3)", "td:last-child"]},
}  # fmt: skip
DETAIL: dict[str, Any] = {
    "path": "{row.link}", "shape": "html", "row": "",
    "page": {"cells": "*table.detail td.R", "text": "table.detail tr:nth-child(4) td.R@html"},
}  # fmt: skip
OWN: dict[str, Any] = {
    "list": LIST,
    "detail": DETAIL,
    "fields": {
        "native_id": {"path": "link", "match": r"id=(\d+)"},
        "title": "title",
        "text": "@detail.text",
        "posted_at": "day",
        "department": "@detail.cells.4",
    },
}
EMPTY = '<table class="listAll"></table>'


def page(*rows: tuple[int, str]) -> str:
    cells = "".join(
        f'<tr><td>{number}</td><td><a href="show.asp?id={number}&amp;t=1">{title}</a></td>'
        f"<td>2026-11-2{number}</td></tr>"
        for number, title in rows
    )
    return f'<table class="listAll"><tr><th>主题</th></tr>{cells}</table>'


def letter(text: str) -> str:
    cells = ["主题", "2026-11-21", "市民", text, "市城管局", "已办结"]
    return f'<table class="detail">{"".join(f"<tr><td>x</td><td class=R>{cell}</td></tr>" for cell in cells)}</table>'


def declared(own: dict[str, Any]) -> HttpJsonSettings:
    base = {"name": "board", "kind": "http_json", "channel": "board", "mode": "route", "zone": "Asia/Shanghai"}
    return msgspec.convert({**base, "url": "https://12345.city.example/", **own}, HttpJsonSettings)


class Site:
    """Answers by address, in an encoding that only its pages tell."""

    def __init__(self, pages: dict[str, str], encoding: str = "gbk") -> None:
        self.asked: list[str] = []
        self._pages = pages
        self._encoding = encoding

    async def fetch(self, request: Request) -> Response:
        address = request.url + "".join(f"?{name}={value}" for name, value in request.query.items())
        self.asked.append(address)
        body = (
            f'<html><head><meta charset="{self._encoding}"></head><body>{self._pages.get(address, EMPTY)}</body></html>'
        )
        headers = {"content-type": "text/html"}
        return Response(
            status=200, headers=headers, body=body.encode(self._encoding, "xmlcharrefreplace"), fetched_at=FETCHED
        )


SITE = {
    "https://12345.city.example//list.asp?page=1": page((1, "路灯"), (2, "停水")),
    "https://12345.city.example/show.asp?id=1&t=1": letter("镕基路的路灯<br>坏了"),
    "https://12345.city.example/show.asp?id=2&t=1": letter("停水三天"),
}


async def rows_of(own: dict[str, Any], site: Site) -> list[dict[str, Any]]:
    told = declared(own)
    assert told.problems() == []
    pages = await read(HttpJson(told, site.fetch, {}, lambda: FETCHED))
    assert not any(page.bad for page in pages)
    return [msgspec.json.decode(item.payload) for each in pages for item in each.items]


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "gb18030"])
async def test_a_list_and_its_letters_are_read_by_selectors(encoding: str) -> None:
    first, second = await rows_of(OWN, Site(SITE, encoding))

    assert (first["native_id"], first["title"], first["text"]) == ("1", "路灯", "镕基路的路灯<br>坏了")
    assert (first["department"], first["posted_at"]) == ("市城管局", "2026-11-20T16:00:00.000Z")
    assert second["native_id"] == "2"


async def test_big5_is_read_where_only_the_page_says_so() -> None:
    site = {**SITE, "https://12345.city.example/show.asp?id=2&t=1": letter("樓下停水三天")}

    rows = await rows_of(OWN, Site(site, "big5"))

    assert rows[1]["text"] == "樓下停水三天"


async def test_a_page_past_the_end_is_the_end_and_a_new_design_is_not() -> None:
    assert await rows_of(OWN, Site({})) == []

    redesigned = {
        "https://12345.city.example//list.asp?page=1": '<div class="cards"><a href="show.asp?id=1">x</a></div>'
    }
    with pytest.raises(FormatChanged, match=r"table\.listAll"):
        await rows_of(OWN, Site(redesigned))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ('<form><input type="password"></form>', AccessDenied),
        ("<p>系统维护</p>", FormatChanged),
    ],
)
async def test_another_page_in_the_place_of_a_letter_is_told(body: str, error: type[ConnectorError]) -> None:
    with pytest.raises(error, match=r"show\.asp"):
        await rows_of(OWN, Site({**SITE, "https://12345.city.example/show.asp?id=1&t=1": body}))


async def test_a_letter_that_says_it_is_gone_was_taken_back() -> None:
    own = {
        **OWN,
        "detail": {**DETAIL, "page": {**DETAIL["page"], "message": ".tip"}},
        "errors": [
            {"path": "message", "absent_ok": True, "message": "message", "words": {"gone": ["已删除"]}},
        ],
    }
    site = Site({**SITE, "https://12345.city.example/show.asp?id=1&t=1": '<p class="tip">该信件已删除</p>'})

    pages = await read(HttpJson(declared(own), site.fetch, {}, lambda: FETCHED))

    assert {item.native_id: item.deleted for page in pages for item in page.items} == {"1": True, "2": False}
    assert ids_of(pages) == {"1", "2"}


async def test_only_rows_that_are_cut_are_completed() -> None:
    own = {
        **OWN,
        "detail": {**DETAIL, "when": {"path": "title", "like": r"\.\.\.$"}},
        "fields": {**OWN["fields"], "text": ["@detail.text", "title"]},
    }
    site = Site({**SITE, "https://12345.city.example//list.asp?page=1": page((1, "路灯..."), (2, "停水三天"))})

    first, second = await rows_of(own, site)

    assert first["text"] == "镕基路的路灯<br>坏了"
    assert second["text"] == "停水三天"
    assert len([asked for asked in site.asked if "show" in asked]) == 1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"list": {**LIST, "rows": "table..x"}}, "no CSS selector"),
        ({"list": {**LIST, "cells": {}}}, "list.cells is missing"),
        ({"list": {**LIST, "shape": "json"}}, 'shape = "html"'),
        ({"detail": {"path": "/x", "shape": "html", "row": ""}}, "takes nothing of its page"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_asked(wrong: dict[str, Any], told: str) -> None:
    assert any(told in problem for problem in declared({**OWN, **wrong}).problems())
