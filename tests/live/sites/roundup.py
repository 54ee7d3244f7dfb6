"""Roundup: work orders (工单); the citizen's words are a message of their own, and deleting is retiring."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.live.sites.site import Browser, started

PASSWORD = "a-password"
SETTINGS = """
[[source]]
name = "site"
kind = "http_json"
preset = "roundup"
channel = "hotline"
mode = "route"
zone = "Asia/Shanghai"
every = 1
requests_per_minute = 6000
sweep_every = 0
url = "{url}"
basic = true
user_env = "ROUNDUP_USER"
password_env = "ROUNDUP_PASSWORD"
list = {{ paging = {{ size = 7 }} }}
"""


class Roundup:
    """The city's work orders."""

    environment: Mapping[str, str] = {"ROUNDUP_USER": "admin", "ROUNDUP_PASSWORD": PASSWORD}

    def __init__(self, url: str) -> None:
        self.settings = SETTINGS.format(url=url)
        pair = b64encode(f"admin:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}", "X-Requested-With": "rest", "Origin": url, "Referer": f"{url}/"}
        self._browser = Browser(f"{url}/rest/data", headers)

    def post(self, title: str, text: str, to: str | None = None) -> str:
        """There are no replies to an order: each is one of its own."""
        body = {"title": title, "messages": [self._message(text)], "priority": "bug", "status": "unread"}
        return str(self._browser.json("POST", "/issue", body)["data"]["id"])

    def edit(self, id_: str, text: str) -> None:
        self._change(id_, "PATCH", {"messages": [self._message(text)], "@op": "replace"})

    def answer(self, id_: str, text: str) -> None:
        """A clerk adds a message."""
        told = self._browser.json("GET", f"/issue/{id_}")["data"]["attributes"]["messages"]
        self._change(
            id_, "PATCH", {"messages": [each["id"] for each in told] + [self._message(text)], "@op": "replace"}
        )

    def delete(self, id_: str) -> None:
        self._change(id_, "DELETE", None)

    def living(self) -> dict[str, str]:
        rows = self._browser.json("GET", "/issue?@page_size=1000&@fields=messages")["data"]["collection"]
        found: dict[str, str] = {}
        for row in rows:
            first = min((each["id"] for each in row["messages"]), key=int)
            found[str(row["id"])] = self._browser.json("GET", f"/msg/{first}/binary_content", Accept="*/*").decode()
        return found

    def count(self) -> int:
        total: int = self._browser.json("GET", "/issue?@page_size=1")["data"]["@total_size"]
        return total

    def _message(self, text: str) -> str:
        return str(self._browser.json("POST", "/msg", {"content": text, "author": "1"})["data"]["id"])

    def _change(self, id_: str, method: str, body: Any) -> None:
        _, headers = self._browser.ask("GET", f"/issue/{id_}")
        self._browser.ask(method, f"/issue/{id_}", body, **{"If-Match": headers["ETag"]})


@contextmanager
def roundup(folder: Path) -> Iterator[Roundup]:
    environment = {**os.environ, "ROUNDUP_PASSWORD": PASSWORD}
    with started("roundup", folder, "/", environment) as url:
        yield Roundup(url)
