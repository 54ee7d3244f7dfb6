"""Misago: a forum of threads, their posts in pages of eighteen; who writes needs a session and its CSRF token."""

from __future__ import annotations

import os
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
preset = "misago"
channel = "forum"
mode = "route"
zone = "Asia/Shanghai"
every = 1
requests_per_minute = 6000
sweep_every = 0
robots_exempt = "its robots.txt closes /api/ to all; this test opened the forum itself"
url = "{url}"
"""


class Misago:
    """The citizens' board."""

    environment: Mapping[str, str] = {}

    def __init__(self, url: str) -> None:
        self.settings = SETTINGS.format(url=url)
        self._guest = Browser(url)
        self._member = Browser(url, {"Referer": f"{url}/"})
        self._member.ask("GET", "/")
        self._ask("POST", "/api/auth/", {"username": "banzhu", "password": PASSWORD})
        self._threads: dict[str, str] = {}  #: post -> thread

    def post(self, title: str, text: str, to: str | None = None) -> str:
        if to is not None:
            thread = self._threads[to]
            made = self._ask("POST", f"/api/threads/{thread}/posts/", {"post": text})
            id_ = str(made["id"])
        else:
            made = self._ask("POST", "/api/threads/", {"category": 3, "title": title, "post": text})
            thread = str(made["id"])
            (first,) = self._posts(thread)
            id_ = str(first["id"])
        self._threads[id_] = thread
        return id_

    def edit(self, id_: str, text: str) -> None:
        self._ask("PUT", self._address(id_), {"post": text})

    def delete(self, id_: str) -> None:
        """Take back a reply, or the thread that the post opened."""
        thread = self._threads[id_]
        is_first = next(post for post, of in self._threads.items() if of == thread) == id_
        self._ask("DELETE", f"/api/threads/{thread}/" if is_first else self._address(id_))

    def hide(self, id_: str, *, hidden: bool) -> None:
        self._ask("PATCH", self._address(id_), [{"op": "replace", "path": "is-hidden", "value": hidden}])

    def close(self, id_: str) -> None:
        """Close its thread: an event appears among the posts."""
        thread = f"/api/threads/{self._threads[id_]}/"
        self._ask("PATCH", thread, [{"op": "replace", "path": "is-closed", "value": True}])

    def living(self) -> dict[str, str]:
        return {
            str(post["id"]): post["content"]
            for thread in self._all_threads()
            for post in self._posts(str(thread["id"]))
            if not post["is_event"] and not post["is_hidden"]
        }

    def count(self) -> int:
        """Replies, and the post that opens each thread."""
        return sum(thread["replies"] + 1 for thread in self._all_threads())

    def _all_threads(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        path = "/api/threads/"
        while True:
            answer = self._guest.json("GET", path)
            found += answer["results"]
            if not answer["next"]:
                return found
            path = f"/api/threads/?start={answer['next']}"

    def _posts(self, thread: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        number, pages = 0, 1
        while number < pages:
            number += 1
            page = f"?page={number}" if number > 1 else ""
            answer = self._guest.json("GET", f"/api/threads/{thread}/posts/{page}")
            pages = answer["post_set"]["pages"]
            found += answer["post_set"]["results"]
        return found

    def _address(self, id_: str) -> str:
        return f"/api/threads/{self._threads[id_]}/posts/{id_}/"

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        token = next((cookie.value for cookie in self._member.cookies if cookie.name == "csrftoken"), "")
        return self._member.json(method, path, body, **{"X-CSRFToken": token or ""})


@contextmanager
def misago(folder: Path) -> Iterator[Misago]:
    environment = {**os.environ, "MISAGO_PASSWORD": PASSWORD}
    with started("misago", folder, "/api/threads/", environment) as url:
        yield Misago(url)
