"""Waline: comments under two articles, kept in a MongoDB; the first to register may change them all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pymongo import MongoClient

from tests.live.sites.isso import ARTICLES, as_table
from tests.live.sites.site import Browser, started

DATABASE = "waline"
SETTINGS = """
[[source]]
name = "site"
kind = "waline"
channel = "news_comment"
mode = "route"
zone = "Asia/Shanghai"
every = 1
requests_per_minute = 6000
url = "{url}/api/comment"
page_size = 7
[source.articles]
{articles}
"""
ADMINISTRATOR = {"display_name": "管理员", "email": "admin@city.example", "password": "a-password", "url": ""}
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140 Safari/537.36"


class Waline:
    """The comments of one newspaper."""

    environment: Mapping[str, str] = {}

    def __init__(self, url: str) -> None:
        self.settings = SETTINGS.format(url=url, articles=as_table(ARTICLES))
        self._browser = Browser(url)
        self._of: dict[str, str] = {}  #: id -> article
        self._ask("POST", "/api/user", ADMINISTRATOR)
        token = self._ask("POST", "/api/token", ADMINISTRATOR)["token"]
        self._rights = {"Authorization": f"Bearer {token}"}

    def post(self, title: str, text: str, to: str | None = None) -> str:
        paths = list(ARTICLES)
        path = self._of[to] if to else paths[len(self._of) % len(paths)]
        thread = {"pid": to, "rid": to, "at": "市民"} if to else {}
        comment = {"comment": text, "nick": "市民", "mail": "", "link": "", "ua": CHROME, "url": path, **thread}
        id_ = str(self._ask("POST", "/api/comment", comment)["objectId"])
        self._of[id_] = path
        return id_

    def edit(self, id_: str, text: str) -> None:
        self.change(id_, comment=text)

    def change(self, id_: str, **what: Any) -> None:
        """Anything that its administrator may do: its state, whether it is sticky."""
        self._ask("PUT", f"/api/comment/{id_}", what, **self._rights)

    def delete(self, id_: str) -> None:
        self._ask("DELETE", f"/api/comment/{id_}", **self._rights)

    def living(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in ARTICLES:
            number, pages = 0, 1
            while number < pages:
                number += 1
                answer = self._ask("GET", f"/api/comment?path={quote(path)}&page={number}&pageSize=100")
                pages = answer["totalPages"]
                for root in answer["data"]:
                    found |= {str(each["objectId"]): each["comment"] for each in [root, *root["children"]]}
        return found

    def count(self) -> int:
        paths = ",".join(map(quote, ARTICLES))
        return sum(self._ask("GET", f"/api/comment?type=count&url={paths}"))

    def _ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = self._browser.json(method, path, body, **headers)
        assert answer["errno"] == 0, answer
        return answer.get("data")


@contextmanager
def waline(folder: Path, mongo_url: str) -> Iterator[Waline]:
    database = f"{DATABASE}_{folder.parent.name}"[:60]
    with MongoClient[dict[str, Any]](mongo_url) as client:
        host, port = client.address or ("127.0.0.1", 27017)
        environment = {**os.environ, "MONGO_HOST": host, "MONGO_PORT": str(port), "MONGO_DB": database}
        try:
            with started("waline", folder, "/api/comment?type=count&url=/", environment) as url:
                yield Waline(url)
        finally:
            client.drop_database(database)
