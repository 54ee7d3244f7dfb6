"""Retiring departments from the front door (退役): what is still open with them, and what to do about it next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp
import msgspec

from intake.house import House
from intake.topology import DepartmentQueue, depths, management
from router.cases.case import from_document, holders
from router.cases.moves import State
from router.cases.work import Work
from router.dispatching.broker import Management
from router.dispatching.retiring import Retired, remove_empty, retired, unbind, withdraw
from router.dispatching.topology import Unit, read_state

SEEN_WITHIN = 6.0  #: seconds after which the broker's statistics know of a connection
SHOWN = 20  #: open cases that are named


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """One department that the directory no longer has, as `intake departments apply` shows it."""

    code: str
    queues: list[str]
    messages: int  #: that lie in them
    consumers: int
    users: list[str]  #: that may still read or say something
    bound: bool  #: whether messages still arrive
    open: int  #: cases that it leads or assists in
    cases: list[str]  #: the first of them
    removed: list[str] = []
    next: str  #: what a person does next


async def leaving(
    units: Sequence[Unit], house: House, *, retire: bool, remove: bool, settle: float = SEEN_WITHIN
) -> list[Leaving]:
    """Find them; with `retire` withdraw and unbind, with `remove` take away what is empty as well."""
    async with aiohttp.ClientSession() as session:
        broker = management(house, session)
        found = retired(units, await read_state(broker))
        if not found:
            return []
        open_ = await _open_cases(house.db, {each.code for each in found})
        if retire:
            await _withdraw(found, broker, settle)
        told = []
        for each in found:
            removed: list[str] = []
            if retire and not open_[each.code]:
                await unbind(each, broker)
                removed = await remove_empty(each.queues, house.broker_url, broker) if remove else []
            told.append((each, removed))
        left = {each.code: each for each in retired(units, await read_state(broker))}
        queues = await depths(broker)
    return [
        _leaving(left.get(each.code, Retired(each.code, (), (), ())), removed, open_[each.code], queues)
        for each, removed in told
    ]


async def _withdraw(found: Sequence[Retired], broker: Management, settle: float) -> None:
    for each in found:
        await withdraw(each, broker)
    if any(each.users for each in found):
        await asyncio.sleep(settle)
        for each in found:
            await withdraw(each, broker)


def _leaving(each: Retired, removed: list[str], open_: list[str], queues: dict[str, DepartmentQueue]) -> Leaving:
    there = [queues[name] for name in each.queues if name in queues]
    messages, consumers = sum(queue.messages for queue in there), sum(queue.consumers for queue in there)
    return Leaving(
        code=each.code,
        queues=list(each.queues),
        messages=messages,
        consumers=consumers,
        users=list(each.users),
        bound=bool(each.bindings),
        open=len(open_),
        cases=open_[:SHOWN],
        removed=removed,
        next=_next(each, len(open_), messages, consumers),
    )


def _next(each: Retired, open_: int, messages: int, consumers: int) -> str:
    if each.users:
        return "账号还能用：intake departments apply --retire · its users may still read"
    if consumers:
        return "还有程序在读（推送？）：停了它，再 apply --retire · a program still reads it: stop it, apply again"
    if open_:
        return (
            f"改派在办的：intake case reassign --department {each.code} --to 代码 --by 谁 --reason 撤并 --yes，"
            "协办的逐件改派；再 apply --retire · give its open cases to others, then apply again"
        )
    if each.bindings:
        return "没有在办的了：intake departments apply --retire 解绑 · nothing is open: apply again to unbind"
    if messages:
        return (
            f"队列里还有 {messages} 条：intake consume {each.code} 取走存档，再 --remove-empty · take them, then remove"
        )
    return (
        "队列已空：intake departments apply --retire --remove-empty · empty: remove it"
        if each.queues
        else "已退役 · gone"
    )


async def _open_cases(db: Any, codes: set[str]) -> dict[str, list[str]]:  # noqa: ANN401 - motor ships no types
    """Name the open cases of each, by when they were opened."""
    unfinished = [work.value for work in Work if work is not Work.CLOSED]
    # The types are those of the two small indexes: without them the whole collection would be read.
    either = [{"due": {"$type": "date"}}, {"handling.work": {"$in": unfinished, "$type": "string"}}]
    query = {"$or": either, "goal": State.DELIVERED.value, "dispatches.department": {"$in": sorted(codes)}}
    found: dict[str, list[str]] = {code: [] for code in codes}
    async for document in db.cases.find(query).sort("opened_at", 1):
        case = from_document(document)
        for code in holders(case).keys() & codes:
            found[code].append(case.id)
    return found
