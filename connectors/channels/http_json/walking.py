"""Pages of one call, one after the other, until there are no more: whatever the paging, and however it ends.

A list ends where it says so (no next, no more, all pages, all rows), and where it can only go in circles: nothing but
rows that were seen, or a cursor that repeats. Only the first kind of end proves that all of it was seen.

Pages by number shift: when a row is taken away between two requests, the next page's first row slips onto a page that
was read already. Where nothing says that none did, the list is gone through again until it brings nothing new.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

import msgspec

from connectors.channels.http_json.answers import Answer, Found, Gone, number_at, parse, says_no
from connectors.channels.http_json.paths import look
from connectors.channels.http_json.plan import Call, Paging, Plan
from connectors.channels.http_json.requests import address, paging_values, request_of
from connectors.channels.http_json.sessions import GONE, Session
from connectors.channels.http_json.settings import HttpJsonSettings
from connectors.errors import FormatChanged, SourceDown

ANCHORED = ("none", "cursor", "keyset")  #: pages that go on behind a row, wherever it has moved
PASSES = 4  #: through a list that shifts; on a list that never rests the next reading goes on


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list."""

    answer: Answer
    token: Any = None  #: where to go on; None with the last page
    last: bool = False
    complete: bool = False  #: with the last page: all of the list was seen


class Walker:
    """Asks for lists."""

    def __init__(self, settings: HttpJsonSettings, plan: Plan, session: Session) -> None:
        self._settings = settings
        self._plan = plan
        self._session = session

    async def walk(
        self,
        call: Call,
        values: Mapping[str, Any],
        *,
        named: Callable[[Found], str],
        token: Any = None,  # noqa: ANN401
        ends: Callable[[Answer], bool] = lambda _: False,
        may_slip: Callable[[], bool] = lambda: False,
    ) -> AsyncGenerator[Step]:
        """Ask for one page after the other.

        `named` tells rows apart. `ends` is asked of every page: the rest is not wanted. `may_slip`: a row that slipped
        away would not be met by the next reading.
        """
        brought: set[str] = set()
        for number in range(PASSES):
            before = len(brought)
            passing = self._pass(call, values, named=named, token=token if number == 0 else None, ends=ends)
            async with aclosing(passing):
                async for step, steady in passing:
                    news = tuple(each for each in step.answer.rows if named(each) not in brought) if number else None
                    brought.update(map(named, step.answer.rows))
                    settled = steady or number == PASSES - 1 or (number > 0 and len(brought) == before)
                    again = step.last and not settled and may_slip()
                    told = step if news is None else _only(step, news)
                    yield msgspec.structs.replace(told, last=False, complete=False) if again else told
                    if step.last and not again:
                        return

    async def _pass(
        self,
        call: Call,
        values: Mapping[str, Any],
        *,
        named: Callable[[Found], str],
        token: Any,  # noqa: ANN401
        ends: Callable[[Answer], bool],
    ) -> AsyncGenerator[tuple[Step, bool]]:
        """Go through the list once; beside each page, whether no row can have slipped away so far."""
        where = f"source {self._settings.name}: {address(call, self._settings, values).partition('?')[0]}"
        seen, asked, totals = _Seen(), [token], set[int | None]()
        whole = token is None
        for number in range(call.paging.most):
            answer = await self._ask(call, values, token, where, first=number == 0)
            if number == 0 and token is None and not answer.roots and self._plan.empty_is_error:
                raise SourceDown(f"{where} answered an empty list, which `empty_is_error` rules out; it is asked again")
            fresh = seen.add(answer, named)
            if not fresh and _ignores_key(call.paging, answer):
                raise FormatChanged(
                    f"{where} answers a full page of the same rows, whatever {{after}} it is asked for; "
                    "check where the request names it, and `paging.key`"
                )
            total = number_at(answer, call.paging.total, where) if answer.body is not None else None
            totals.add(total)
            unwanted = ends(answer)
            following = _following(call.paging, answer, token)
            ended = _says_end(call.paging, answer, token, where) or (
                total is not None and seen.count(call.paging) >= total
            )
            last = ended or not fresh or following is None or following in asked
            proved = (ended or not answer.roots or (fresh and following is None)) and len(totals) == 1
            enough = total is None or seen.count(call.paging) >= total
            step = Step(
                answer=answer,
                token=None if last else following,
                last=last or unwanted,
                complete=last and whole and proved and enough,
            )
            # Oldest first, a changed row goes to the end: the others move up, and the total stays.
            counted = total is not None and len(totals) == 1 and self._plan.reading != "oldest_first"
            yield step, call.paging.kind in ANCHORED or number == 0 or counted
            if step.last:
                return
            asked.append(following)
            token = following
        raise FormatChanged(f"{where}: {call.paging.most} pages and no end; mend `paging`, or raise its `most`")

    async def _ask(self, call: Call, values: Mapping[str, Any], token: Any, where: str, *, first: bool) -> Answer:  # noqa: ANN401
        link = token if call.paging.kind == "link" else None

        async def ask() -> Answer:
            filled = {**values, **self._session.taken, **paging_values(call.paging, token)}
            response = await self._session.fetch(request_of(call, self._plan, self._settings, filled, link))
            if response.status not in GONE:
                return parse(response, self._plan, call, where)
            if first and token is None:
                raise Gone(f"{where} answered {response.status}: it is gone; find its new address")
            return Answer(body=None, rows=(), roots=(), fetched_at=response.fetched_at)

        return await self._session.within(ask)


def _only(step: Step, news: tuple[Found, ...]) -> Step:
    return msgspec.structs.replace(step, answer=msgspec.structs.replace(step.answer, rows=news))


class _Seen:
    """The rows that were seen so far."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.roots = 0

    def count(self, paging: Paging) -> int:
        """What `total` is held against."""
        return self.roots if paging.total_of == "roots" else len(self.ids)

    def add(self, answer: Answer, named: Callable[[Found], str]) -> bool:
        """Take note of a page; False: nothing in it is new."""
        before = len(self.ids)
        for found in answer.rows:
            name = named(found)
            if found.root is None and name not in self.ids:
                self.roots += 1
            self.ids.add(name)
        return len(self.ids) > before


def _following(paging: Paging, answer: Answer, token: Any) -> Any:  # noqa: ANN401
    """Where the next page begins; None: nowhere."""
    match paging.kind:
        case "page":
            return (paging.first if token is None else token) + 1
        case "offset":
            # By the rows that came: a source may cut `size` without a word.
            return (paging.first if token is None else token) + max(1, len(answer.roots))
        case "cursor":
            cursor = answer.at(paging.next or "")
            return None if says_no(cursor) or not isinstance(cursor, str | int | float) else cursor
        case "keyset":
            key = [look(answer.roots[-1], path) for path in paging.key] if answer.roots else [None]
            return None if any(not isinstance(part, str | int | float) for part in key) else key
        case "link":
            return answer.link
        case _:
            return None


def _ignores_key(paging: Paging, answer: Answer) -> bool:
    """After the last row there are none, or that one again; a full page means that nobody looked at the key."""
    return paging.kind == "keyset" and len(answer.roots) >= max(paging.size, 2)


def _says_end(paging: Paging, answer: Answer, token: Any, where: str) -> bool:  # noqa: ANN401
    if not answer.roots:
        return True
    if paging.more is not None and says_no(answer.at(paging.more)):
        return True
    if paging.short_is_end and len(answer.roots) < paging.size:
        return True
    pages = number_at(answer, paging.pages, where)
    return pages is not None and (paging.first if token is None else token) >= pages + paging.first - 1
