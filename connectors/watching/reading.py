"""One reading as the sentinel sees it: what was asked and answered, and the pages that came of it. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from http import HTTPStatus
from itertools import combinations, pairwise
from typing import Any

import msgspec

from connectors.base import Item, Page, Request, Response
from connectors.reading.encoding import is_log_in_page, text_of
from connectors.watching.learned import Learned, Remembered, learn
from connectors.watching.shape import Shape, decoded_payload, look, look_at_rows, route_of
from connectors.watching.signs import Sign, signs
from connectors.watching.values import OUR_OFFSET, Values, gap_of, is_time, kind_of

ROWS = "(rows)"  #: the route of what a connector reads from pages that are no JSON
PAGES = "(pages)"  #: the route of facts about pages
REMEMBERED = 64  #: ids
LOOKED_AT = 8  #: items of a page whose ids are remembered
#: Answers of one route that are looked at in one reading: of a long one the first say how the rest is.
ANSWERS = 4
MOST_BYTES = 8 * 1024 * 1024
MOST_PAGES = 64
MOST = 0.6  #: of a page's rows
HALF_AN_HOUR = 1800
TIMES = 6  #: of one row that are compared


class Exchange(msgspec.Struct, frozen=True):
    """What was asked, and what came."""

    request: Request
    response: Response


class Reading:
    """A reading, or so much of it as is judged at once."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._bytes = 0
        self.exchanges: list[Exchange] = []
        self.pages: list[Page] = []
        self.refused: Counter[str] = Counter()  #: pushes that we turned away, by what their callers were told

    def heard(self, request: Request, response: Response) -> None:
        """So many bytes are held of one reading, those that came first."""
        self._bytes += len(response.body)
        if self._bytes <= MOST_BYTES:
            self.exchanges.append(Exchange(request, response))

    def read(self, page: Page) -> None:
        """So many pages are looked at of one reading."""
        if len(self.pages) < MOST_PAGES:
            self.pages.append(page)

    @property
    def body(self) -> str:
        """A digest of all answers: the same again is no news."""
        made = hashlib.blake2b(digest_size=12)
        for exchange in self.exchanges:
            made.update(exchange.response.body)
        for page in () if self.exchanges else self.pages:
            made.update(b"".join(item.payload for item in page.items))
        made.update("".join(sorted(self.refused)).encode())
        return made.hexdigest()

    @property
    def ends_at_a_log_in(self) -> bool:
        """The last answer asks who we are; there may be sites on which every page does."""
        return bool(self.exchanges) and is_log_in_page(text_of(self.exchanges[-1].response.body))

    def shapes(self, learned: Learned, now: datetime) -> dict[str, Shape]:
        """What every route's answers look like."""
        made: dict[str, Shape] = {}
        by_rows = bool(self.pages) and not self.exchanges  # a file, or what was pushed
        for exchange in self.exchanges:
            shape = made.setdefault(route_of(exchange.request), Shape())
            if shape.answers < ANSWERS and not look(shape, exchange.response, self._zone):
                by_rows = True
        if by_rows:
            shape = made.setdefault(ROWS, Shape())
            look_at_rows(shape, [item for page in self.pages for item in page.items], self._zone, now.timestamp())
        made[PAGES] = self._of_pages(learned)
        return made

    def strange(self, learned: Learned, shapes: dict[str, Shape]) -> list[Sign]:
        """Everything that is strange about it."""
        found: list[Sign] = []
        for name, shape in shapes.items():
            route = learned.routes.get(name)
            if route is not None:
                found += signs(route, shape, name)
        return found

    def learn(self, learned: Learned, shapes: dict[str, Shape], day: str) -> None:
        """It was well: that is how this source is."""
        learn(learned, shapes, day)
        fresh = self._remembered()
        kept = {id_: each for id_, each in learned.ids.items() if id_ not in fresh} | fresh
        learned.ids = dict(list(kept.items())[-REMEMBERED:])

    def _of_pages(self, learned: Learned) -> Shape:
        shape = Shape()
        shape.fact("same page", "yes" if self._pages_repeat() else "no")
        offered = [native_id for page in self.pages for native_id in page.offered]
        repeats = len(offered) - len(set(offered))
        some = "yes" if repeats and 4 * repeats >= len(offered) else "no"
        shape.fact("twice", "most" if repeats > MOST * len(offered) else some)
        bad = sum(len(page.bad) for page in self.pages)
        if offered:
            shape.fact("unreadable", "most" if bad > MOST * len(offered) else "some" if bad else "none")
        refused = self.refused.total()
        reason = max(self.refused, key=lambda each: self.refused[each], default="")
        shape.fact("refused", reason if refused and refused >= len(offered) else "no")
        seen = self._remembered()
        shape.fact("reused", "yes" if _reused(seen, learned.ids) else self._several_under_one_id())
        for shift in _shifts(seen, learned.ids):
            shape.fact("shift", shift)
        if "shift" not in shape.facts:
            shape.fact("shift", "no")
        for one in seen.values():
            _look_at_gaps(shape, one.times)
        return shape

    def _pages_repeat(self) -> bool:
        """Several questions of one kind, one answer: the same bytes, or the same ids."""
        routes: dict[str, dict[bytes, list[Exchange]]] = {}
        for exchange in self.exchanges:
            if exchange.response.status == HTTPStatus.OK:
                answers = routes.setdefault(route_of(exchange.request), {})
                answers.setdefault(exchange.response.body, []).append(exchange)
        for answers in routes.values():
            for same in answers.values():
                if len({_question(each.request) for each in same}) > 1 and self._says_much(same[0], len(answers)):
                    return True
        ids = [frozenset(page.offered) for page in self.pages if page.offered]
        return any(one == two for one, two in pairwise(ids))

    def _says_much(self, exchange: Exchange, answers: int) -> bool:
        """Empty lists are alike, and so are pages for people that say that something is gone."""
        shape = Shape()
        if not look(shape, exchange.response, self._zone):
            return answers == 1
        return any("list" in values.kinds for values in shape.fields.values())

    def _several_under_one_id(self) -> str:
        told: dict[str, tuple[str, ...]] = {}
        items = [item for page in self.pages for item in page.items]
        others = sum(told.setdefault(item.native_id, item.content) != item.content for item in items)
        return "most" if others > 1 and 2 * others >= len(items) else "yes" if others else "no"

    def _remembered(self) -> dict[str, Remembered]:
        made: dict[str, Remembered] = {}
        for page in self.pages:
            for item in page.items[-LOOKED_AT:]:
                made[_digest(item.native_id)] = self._memory_of(item)
        return made

    def _memory_of(self, item: Item) -> Remembered:
        payload = decoded_payload(item.payload)
        times = dict(_times(payload, self._zone))
        return Remembered(tuple(_digest(part) for part in item.content if part), times)


def _times(row: Any, zone: str, deep: int = 2) -> Iterator[tuple[str, float]]:  # noqa: ANN401
    """The times of a row, and of what stands in it."""
    if isinstance(row, dict):
        for name, value in row.items():
            kind, place = kind_of(value, zone)
            if kind is not None and place is not None and is_time(kind):
                yield name, place
            elif deep and isinstance(value, dict):
                yield from _times(value, zone, deep - 1)


def _look_at_gaps(shape: Shape, times: dict[str, float]) -> None:
    """How far apart the times of one row are: what is always near, as when a mail was written and when it came in."""
    pairs = list(combinations(sorted(times)[:TIMES], 2))
    shape.objects[""] = shape.objects.get("", 0) + bool(pairs)
    for one, other in pairs:
        gap = times[one] - times[other]
        values = shape.fields.setdefault(f"{one} - {other}", Values())
        values.seen += 1
        kind = gap_of(gap)
        values.kinds[kind] = values.kinds.get(kind, 0) + 1


def _question(request: Request) -> tuple[str, bytes | None]:
    return f"{request.url} {sorted(request.query.items())}", request.body


def _reused(seen: dict[str, Remembered], known: dict[str, Remembered]) -> bool:
    """Several known ids of which nothing is as it was."""
    both = [(seen[id_].parts, known[id_].parts) for id_ in seen.keys() & known.keys()]
    whole = [now for now, before in both if now and before and not set(now) & set(before)]
    return len(whole) > 1 and len(whole) >= 0.5 * len(both)


def _shifts(seen: dict[str, Remembered], known: dict[str, Remembered]) -> Iterable[str]:
    """Times of known items that have all moved by the same hours."""
    moved: dict[str, Counter[float]] = {}
    for id_ in seen.keys() & known.keys():
        for name, time in seen[id_].times.items():
            if name in known[id_].times:
                moved.setdefault(name, Counter())[time - known[id_].times[name]] += 1
    for name, gaps in moved.items():
        gap, times = max(gaps.items(), key=lambda each: (each[1], each[0]))
        enough = times > 1 or abs(gap) == OUR_OFFSET
        if gap and not gap % HALF_AN_HOUR and enough and 2 * times >= gaps.total():
            yield f"{name} {gap / 3600:+g} h"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
