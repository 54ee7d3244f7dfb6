"""Entries of a feed that share one link and have no id of their own (同一链接的条目): told apart by title and time.

An entry alone on its link is called by the link, as ever. Once two were met, the elder keeps that name and every other
is called by link, title and time, also when it is read alone again: which links are shared is part of the position.
What not even title and time tell apart is parked, one but the first: it may be the same, or it may not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from connectors.reading.times import moment_of

REMEMBERED = 500  #: shared links, those met last

Row = Mapping[str, Any]
_LATEST = datetime.max.replace(tzinfo=UTC)


class Name(NamedTuple):
    """What an entry is called."""

    id: str
    is_twin: bool = False  #: another one has its link, title and time


class Links:
    """What one reading knows of links."""

    def __init__(self, shared: Mapping[str, str], zone: str) -> None:
        self._shared = dict(shared)  #: what several share → the one of them that has its name
        self._met: dict[str, str] = {}  #: the same, where there is one so far
        self._zone = zone

    @property
    def shared(self) -> dict[str, str]:
        """What the next reading must know."""
        return dict(list(self._shared.items())[-REMEMBERED:])

    def names(self, rows: Sequence[Row]) -> list[Name]:
        """Name the entries of one page that have nothing but their link."""
        turned = rows[::-1]  # of one moment, a feed shows the eldest last
        for row in sorted(turned, key=self._moment):
            self._meet(_digest(row["link"]), _key(row))
        for row in sorted(rows, key=_words):
            self._meet(_digest(row["link"], _key(row)), _words(row))
        return [self._name(row) for row in rows]

    def _meet(self, shared: str, mine: str) -> None:
        if shared in self._shared:
            self._shared[shared] = self._shared.pop(shared)  # met last
        elif self._met.setdefault(shared, mine) != mine:
            self._shared[shared] = self._met[shared]

    def _name(self, row: Row) -> Name:
        link, key, words = row["link"], _key(row), _words(row)
        name = link if self._shared.get(_digest(link), key) == key else f"{link}#{key}"
        if self._shared.get(_digest(link, key), words) == words:
            return Name(name)
        return Name(f"{name}#{words}", is_twin=True)

    def _moment(self, row: Row) -> datetime:
        return moment_of(row.get("published") or row.get("updated"), self._zone) or _LATEST


def _key(row: Row) -> str:
    return _digest(str(row.get("title") or ""), str(row.get("published") or ""))


def _words(row: Row) -> str:
    return _digest(str(row.get("content") or ""), str(row.get("author") or ""))


def _digest(*words: str) -> str:
    return hashlib.blake2b("\0".join(words).encode(), digest_size=9).hexdigest()
