"""Rows of a list, completed or unfolded by a second call for each of them (列表加详情)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

import msgspec

from connectors.base import BadItem, Item, Page, Sweep
from connectors.channels.http_json.answers import Found, Gone, body_of, fits
from connectors.channels.http_json.paths import captured, look
from connectors.channels.http_json.plan import Detail, Plan, scoped_paths
from connectors.channels.http_json.requests import address, request_of
from connectors.channels.http_json.rows import moment_at, read_row, value_of
from connectors.channels.http_json.sessions import GONE, Session
from connectors.channels.http_json.settings import HttpJsonSettings
from connectors.channels.http_json.templates import written
from connectors.channels.http_json.walking import Walker
from connectors.errors import LeadsAway

ENOUGH = 200  #: items that make a page of ours: answers of small details are put together
REMEMBERED = 20_000  #: rows whose detail need not be asked for again while they stay as they are


class Rows(msgspec.Struct):
    """What one page of the list has brought so far."""

    items: list[Item] = []
    bad: list[BadItem] = []
    ids: set[str] = set()  #: live items, also of parts that were handed on
    whole: bool = True  #: every detail was seen to its end

    def add(self, read: Item | BadItem | None) -> None:
        if isinstance(read, Item):
            self.items.append(read)
        elif read is not None:
            self.bad.append(read)
        if read is not None and not (isinstance(read, Item) and read.deleted):
            self.ids.add(read.native_id)

    def keep_first(self, under: dict[str, str], name: str) -> None:
        """Leave out what came under another label in this reading: told by both, it would change at every reading."""
        self.items = [each for each in self.items if under.setdefault(each.native_id, name) == name]
        self.bad = [each for each in self.bad if under.setdefault(each.native_id, name) == name]

    def page(self, cursor: str | None = None, sweep: Sweep | None = None) -> Page:
        """Hand on what is there."""
        offered = tuple(each.native_id for each in self.items) + tuple(each.native_id for each in self.bad)
        page = Page(offered=offered, items=tuple(self.items), bad=tuple(self.bad), cursor=cursor, sweep=sweep)
        self.items, self.bad = [], []
        return page


class Joiner:
    """Reads the rows of one list; `name` is which of `each`."""

    def __init__(
        self, settings: HttpJsonSettings, plan: Plan, session: Session, walker: Walker, values: Mapping[str, Any]
    ) -> None:
        self._settings = settings
        self._plan = plan
        self._session = session
        self._walker = walker
        self._values = values
        self._scoped = scoped_paths(plan)
        self._known: OrderedDict[tuple[str, bytes], None] = OrderedDict()
        self._asked: list[tuple[str, bytes]] = []

    def stored(self) -> None:
        """What was handed on is stored by now: a row of it that comes again as it was has no news in its detail.

        Only in memory: after a restart a detail is asked for once more.
        """
        self._known |= dict.fromkeys(self._asked)
        self._asked.clear()
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def begin(self) -> None:
        """Forget what was asked for and may not be stored: the last reading broke off."""
        self._asked.clear()

    async def parts(
        self,
        found: Sequence[Found],
        name: str,
        rows: Rows,
        *,
        floor: datetime | None = None,
        again: bool = False,
        scope: str,
    ) -> AsyncGenerator[Page]:
        """Read rows into `rows`; where that becomes much, parts of it are handed on under way.

        `again`: this reading goes over what an earlier one had, and a row that is as it was need not be completed.
        """
        detail = self._plan.detail
        for each in found:
            scopes = self._scopes(each, name)
            if detail is None or (detail.when is not None and not fits(detail.when, each.row, {})):
                rows.add(self._row(each.row, scopes, name, scope))
                continue
            if floor is not None and (moment := self.moment(each, name)) is not None and moment < floor:
                continue  # nothing is new in it: its detail need not be asked for
            known = (name, self._digest(each.row))
            if again and known in self._known:
                continue
            try:
                if detail.row is not None:
                    rows.add(await self._completed(each, scopes, name, scope, detail))
                else:
                    await self._unfolded(each, scopes, name, scope, detail=detail, rows=rows)
            except LeadsAway as error:
                rows.add(self._led_away(each, scopes, name, scope, error))
            self._asked.append(known)
            if len(rows.items) + len(rows.bad) >= ENOUGH:
                yield rows.page()

    def _digest(self, row: Any) -> bytes:  # noqa: ANN401
        kept = (
            {name: value for name, value in row.items() if name not in self._plan.drop}
            if isinstance(row, dict)
            else row
        )
        return hashlib.blake2b(msgspec.json.encode(kept), digest_size=12).digest()

    def named(self, name: str, *, of_list: bool = True) -> Callable[[Found], str]:
        """Tell rows apart, so that a list that goes in circles is noticed."""
        by_id = not (of_list and self._plan.nests)

        def tell(found: Found) -> str:
            own = self._plan.list.id and look(found.row, self._plan.list.id)
            if by_id:
                of = captured(self._scoped, self._scopes(found, name))
                own = value_of(self._plan.fields["native_id"], found.row, of, self._settings)
            return written(own) or hashlib.blake2b(msgspec.json.encode(found.row), digest_size=12).hexdigest()

        return tell

    def moments(self, found: Sequence[Found], name: str) -> list[datetime | None]:
        """The times by which a list is sorted; nested rows are not."""
        return [self.moment(each, name) for each in found if each.root is None]

    def moment(self, found: Found, name: str) -> datetime | None:
        order = self._plan.order
        if order is None:
            return None
        return moment_at(order, found.row, captured(self._scoped, self._scopes(found, name)), self._settings)

    async def _completed(
        self, found: Found, scopes: Mapping[str, Any], name: str, scope: str, detail: Detail
    ) -> Item | BadItem | None:
        """Ask for the object that completes one row. A row whose detail is gone was taken back."""
        try:
            completing = await self._session.within(lambda: self._detail(found, name, detail))
            return self._row(found.row, {**scopes, "@detail": completing}, name, scope)
        except Gone:
            pass  # by its status, or by what it says
        native_id = written(value_of(self._plan.fields["native_id"], found.row, {}, self._settings))
        if not native_id:
            return self._row(found.row, scopes, name, scope)
        return Item(native_id=native_id, payload=b"", content=(), scope=scope, deleted=True)

    def _led_away(
        self, found: Found, scopes: Mapping[str, Any], name: str, scope: str, error: LeadsAway
    ) -> Item | BadItem | None:
        """Park a row whose own link leads to a foreign host; those beside it are read on."""
        read = self._row(found.row, scopes, name, scope)
        if read is None or (isinstance(read, Item) and read.deleted):
            return read
        return BadItem(
            native_id=read.native_id, payload=read.payload, reason=str(error), context=read.context, scope=scope
        )

    async def _detail(self, found: Found, name: str, detail: Detail) -> Any:  # noqa: ANN401
        values = self._asked_with(found, name, detail)
        where = f"source {self._settings.name}: {address(detail, self._settings, values).partition('?')[0]}"
        response = await self._session.fetch(request_of(detail, self._plan, self._settings, values))
        if response.status in GONE:
            raise Gone(f"{where} answered {response.status}: it is gone")
        return look(body_of(response, self._plan, detail, where), detail.row or "")

    async def _unfolded(
        self, found: Found, scopes: Mapping[str, Any], name: str, scope: str, *, detail: Detail, rows: Rows
    ) -> None:
        """Read the rows under one row, such as the posts of a thread."""
        values = self._asked_with(found, name, detail)
        walking = self._walker.walk(
            detail, values, named=self.named(name, of_list=False), may_slip=lambda: not self._comes_again()
        )
        try:
            async with aclosing(walking):
                async for step in walking:
                    for each in step.answer.rows:
                        under = {**self._scopes(each, name), "@list": scopes["@list"]}
                        rows.add(self._row(each.row, under, name, scope))
                    rows.whole = rows.whole and (step.complete or not step.last)
        except Gone:
            return  # it went between the two calls: a complete reading tells

    def _asked_with(self, found: Found, name: str, detail: Detail) -> dict[str, Any]:
        """What the templates of the second call may ask for."""
        own = {key: value_of(spec, found.row, {}, self._settings) for key, spec in detail.values.items()}
        return {**self._values, **self._session.taken, "each": name, "row": found.row, **own}

    def _comes_again(self) -> bool:
        """Everything is read anew in its time: what slipped away under one row is met then."""
        return self._plan.reading == "whole" or self._plan.sweep_every is not None

    def _row(self, row: Any, scopes: Mapping[str, Any], name: str, scope: str) -> Item | BadItem | None:  # noqa: ANN401
        of = captured(self._scoped, scopes)
        about = self._settings.each.get(name)
        of |= ({"@each": name} if name else {}) | ({"@about": about} if about else {})
        return read_row(row, of, self._plan, self._settings, scope=scope)

    def _scopes(self, found: Found, name: str) -> dict[str, Any]:
        return {
            "@list": found.row,
            "@parent": found.parent,
            "@root": found.root,
            "@index": found.index,
            "@each": name,
            "@about": self._settings.each.get(name),
        }
