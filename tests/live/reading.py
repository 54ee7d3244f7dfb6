"""What the street made of a site: settings alone, the real servers of a house, and what an outsider finds there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from demo.library import load
from tests.house import House, await_, opened
from tests.live.sites.site import Site

SETTINGS = """
city = ""
[database]
name = "live"
[broker]
vhost = "/"
"""
#: Each text says which it is and which of its drafts: whatever becomes of HTML and of wording, these two stay.
_MARK = re.compile(r"本件第(\d+)号，第(\d+)稿")


class Citizens:
    """People who write to a site, in texts of our own."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._texts = [text for text in load().appeals if len(text.title) > 5]
        self._drafts: dict[str, tuple[int, int]] = {}
        self._count = 0
        self.taken_back: set[str] = set()

    def post(self, to: str | None = None) -> str:
        self._count += 1
        id_ = self._site.post(self._texts[self._count].title, self._words(self._count, 1), to)
        self._drafts[id_] = (self._count, 1)
        return id_

    def edit(self, id_: str) -> None:
        number, draft = self._drafts[id_]
        self._drafts[id_] = (number, draft + 1)
        self._site.edit(id_, self._words(number, draft + 1))

    def delete(self, id_: str) -> None:
        self._site.delete(id_)
        self.taken_back.add(id_)

    def _words(self, number: int, draft: int) -> str:
        return f"{self._texts[number].body}（本件第{number}号，第{draft}稿）"


def marked(text: str) -> tuple[int, int]:
    """Which text this is, and which draft of it."""
    found = _MARK.search(text)
    assert found is not None, "not a text of this test"
    return int(found[1]), int(found[2])


@dataclass(frozen=True)
class Arrived:
    """One item as our store and our queues have it."""

    state: str
    mark: tuple[int, int]
    revision: int
    withdrawn: bool
    told: frozenset[str]  #: the types of messages that went to departments


@dataclass(frozen=True)
class Street:
    """A house that reads one site."""

    house: House

    def read(self) -> None:
        """Read to the end: `run --once` fails by itself if something does not add up."""
        self.house.intake("run", "--once", "--embedded", "--json")

    def pages(self) -> int:
        with self._client() as client:
            return client["live"]["pages"].count_documents({})

    def await_reading(self) -> None:
        """Wait until the running worker comes to the source's end once more."""
        before = self._read_to_end_at()
        await_(lambda: self._read_to_end_at() != before, "a reading to the end", 180)

    def _read_to_end_at(self) -> object:
        with self._client() as client:
            source = client["live"]["sources"].find_one({"_id": "site"})
        return source and source["read_to_end_at"]

    def arrived(self) -> dict[str, Arrived]:
        """Everything that there is, by the site's own id."""
        items = {item["id"]: item for item in self.house.json("balance", "--items")["items"]}
        told: dict[str, set[str]] = {}
        for messages in self.house.drain().values():
            for message in messages:
                told.setdefault(message["data"]["case"], set()).add(message["type"].split(".")[1])
        with self._client() as client:
            texts = {row["_id"]: row["text"] for row in client["live"]["appeals"].find({}, {"text": 1})}
            heads = {row["_id"]: row for row in client["live"]["raw"].find({}, {"revision": 1, "withdrawn": 1})}
        return {
            item["native_id"]: Arrived(
                state=item["state"],
                mark=marked(texts[id_]),
                revision=heads[id_]["revision"],
                withdrawn=heads[id_]["withdrawn"],
                told=frozenset(told.get(id_, ())),
            )
            for id_, item in items.items()
        }

    @contextmanager
    def _client(self) -> Iterator[MongoClient[dict[str, Any]]]:
        with MongoClient[dict[str, Any]](
            f"mongodb://{self.house.server('mongod')['address']}/?directConnection=true"
        ) as it:
            yield it


@contextmanager
def reading(site: Site, folder: Path) -> Iterator[Street]:
    folder.mkdir()
    with opened(folder, SETTINGS + site.settings, site.environment) as house:
        yield Street(house)
