"""Isso: comments under two articles, for whose authors a cookie is the right to change them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tests.live.sites.site import Browser, started

ARTICLES = {"/news/1.html": "地铁试运行", "/news/2.html": "老旧小区改造名单"}
SETTINGS = """
[[source]]
name = "site"
kind = "http_json"
preset = "isso"
channel = "news_comment"
mode = "route"
zone = "Asia/Shanghai"
every = 1
requests_per_minute = 6000
url = "{url}"
list = {{ paging = {{ size = 7 }} }}
[source.each]
{articles}
"""


class Isso:
    """The comments of one newspaper."""

    environment: Mapping[str, str] = {}

    def __init__(self, url: str) -> None:
        self.settings = SETTINGS.format(url=url, articles=as_table(ARTICLES))
        self._browser = Browser(url, {"Origin": "http://127.0.0.1:1"})
        self._written: dict[str, tuple[str, str]] = {}  #: id -> article, the cookie of its author

    def post(self, title: str, text: str, to: str | None = None) -> str:
        paths = list(ARTICLES)
        path = self._written[to][0] if to else paths[len(self._written) % len(paths)]
        body = {"text": text, "author": "市民", "title": title, "parent": int(to) if to else None}
        made, headers = self._browser.ask("POST", f"/new?uri={quote(path)}", body)
        self._written[str(made["id"])] = (path, headers["Set-Cookie"].split(";")[0])
        return str(made["id"])

    def edit(self, id_: str, text: str) -> None:
        path, cookie = self._written[id_]
        _, headers = self._browser.ask("PUT", f"/id/{id_}", {"text": text, "author": "市民"}, Cookie=cookie)
        self._written[id_] = path, headers["Set-Cookie"].split(";")[0]

    def delete(self, id_: str) -> None:
        self._browser.ask("DELETE", f"/id/{id_}", Cookie=self._written[id_][1])

    def living(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in ARTICLES:
            for root in self._browser.json("GET", f"/?uri={quote(path)}&plain=1")["replies"]:
                comments = [root, *root["replies"]]
                found |= {str(each["id"]): each["text"] for each in comments if each["mode"] == 1}
        return found

    def count(self) -> int:
        return sum(self._browser.json("POST", "/count", list(ARTICLES)))


def as_table(articles: Mapping[str, str]) -> str:
    return "\n".join(f'"{path}" = "{title}"' for path, title in articles.items())


@contextmanager
def isso(folder: Path) -> Iterator[Isso]:
    with started("isso", folder, "/config", dict(os.environ)) as url:
        yield Isso(url)
