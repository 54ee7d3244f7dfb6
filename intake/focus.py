"""The focus list (重点关注清单): events by distinct people, with the three criteria of domain/KPIS.md section 7.

Voices (件数) are appeals, people (人数) distinct citizens; public reactions are shown apart and count for neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec

from intake.house import Database
from intake.rounds import newest_rows
from router.dispatch import SHANGHAI

#: 反映强烈: so many people, or so many voices of one person in so many days.
PEOPLE, OFTEN, OFTEN_DAYS = 5, 3, 30
#: 多次转办: so many transfers and returns; 久拖不决: so many days without an end.
HOPS, DAYS = 3, 30
#: 代表性: the same class in so many districts, or in every one of twelve months, or among the first.
DISTRICTS, MONTHS, FIRST = 3, 12, 20
GROWTH_DAYS, GROWTH_LEAST = 7, 5
#: Where a case stands when nobody works at it any more.
_OVER = frozenset({"informed", "handed_over", "withdrawn", "observed", "closed"})
_HANDED_ON = frozenset({"recalled", "reassigned", "return_asked", "taken_back"})

STRONG, PASSED, TYPICAL = "strong", "passed", "typical"


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """One appeal of an event."""

    event: str
    id: str
    native_id: str
    person: str | None
    at: datetime
    title: str
    place: str
    district: str | None
    category: str
    category_name: str
    names: list[str]
    likes: int = 0
    views: int = 0
    replies: int = 0
    hops: int = 0  #: transfers and returns of its case
    open_since: datetime | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the list."""

    rank: int
    title: str
    place: str
    category: str
    voices: int
    people: int
    first: str
    last: str
    days: int
    growth: float | None  #: voices of its last seven days against the seven before; None where there are too few
    recurred: bool  #: it came back after thirty quiet days
    reactions: dict[str, int]
    criteria: list[str]
    members: list[str]
    why: str
    event: str
    titled: str  #: the appeal whose title it bears


async def voices(db: Database, since: date | None, until: date | None) -> list[Voice]:
    """Read every appeal that is in an event, posted within these days."""
    return [voice async for voice in _voices(db) if _within(voice.at, since, until)]


def _within(at: datetime, since: date | None, until: date | None) -> bool:
    day = at.astimezone(SHANGHAI).date()
    return (since is None or day >= since) and (until is None or day <= until)


async def _voices(db: Database) -> AsyncIterator[Voice]:
    homes = {one["_id"]: one async for one in db.matters.find({"event": {"$gt": ""}}, {"event": 1, "names": 1})}
    shown = {
        "native_id": 1,
        "title": 1,
        "place": 1,
        "category": 1,
        "citizen.ref": 1,
        "posted_at": 1,
        "received_at": 1,
        "engagement": 1,
    }
    kept = {"state": 1, "opened_at": 1, "decision.context": 1, "events.kind": 1}
    ids = list(homes)
    for start in range(0, len(ids), 1000):
        part = ids[start : start + 1000]
        cases = await newest_rows(db, part, kept)
        async for appeal in db.appeals.find({"_id": {"$in": part}}, shown):
            yield _voice(homes[appeal["_id"]], appeal, cases.get(appeal["_id"]))


def _voice(home: Mapping[str, Any], appeal: Mapping[str, Any], case: Mapping[str, Any] | None) -> Voice:
    place = appeal["place"]
    engagement = appeal["engagement"]
    return Voice(
        event=home["event"],
        id=appeal["_id"],
        native_id=appeal["native_id"],
        person=appeal["citizen"]["ref"],
        at=appeal["posted_at"] or appeal["received_at"],
        title=appeal["title"],
        place=" ".join(place[name] for name in ("city", "district", "street", "community", "poi") if place[name]),
        district=place["district"],
        category=appeal["category"]["code"],
        category_name=appeal["category"]["name"],
        names=home["names"],
        likes=engagement["likes"],
        views=engagement["views"],
        replies=engagement["replies"],
        hops=_hops(case),
        open_since=None if case is None or case["state"] in _OVER else case["opened_at"],
    )


def _hops(case: Mapping[str, Any] | None) -> int:
    if case is None:
        return 0
    context = (case.get("decision") or {}).get("context") or {}
    told = int(context.get("hops") or 0) + len(context.get("returns") or [])
    return max(told, sum(event["kind"] in _HANDED_ON for event in case["events"]))


def focus(found: Iterable[Voice], now: datetime, criterion: str | None = None) -> list[Row]:
    """Make the list: by distinct people, then by growth, then by how long it has lasted."""
    events: dict[str, list[Voice]] = {}
    for voice in found:
        events.setdefault(voice.event, []).append(voice)
    spread = _spread(voice for event in events.values() for voice in event)
    rows = [
        _row(event, sorted(each, key=lambda voice: (voice.at, voice.native_id)))
        for event, each in events.items()
        if len(each) > 1
    ]
    rows.sort(key=lambda row: (-row.people, -(row.growth or 0.0), -row.days, row.event))
    ranked = [
        _judged(msgspec.structs.replace(row, rank=rank), events[row.event], spread, now)
        for rank, row in enumerate(rows, 1)
    ]
    if criterion is None:
        return ranked
    chosen = [row for row in ranked if criterion in row.criteria]
    return [msgspec.structs.replace(row, rank=rank) for rank, row in enumerate(chosen, 1)]


def _row(event: str, each: Sequence[Voice]) -> Row:
    first, last = each[0].at, each[-1].at
    lead = _telling(each)
    return Row(
        rank=0,
        title=lead.title,
        place=Counter(voice.place for voice in each).most_common(1)[0][0],
        category=Counter(voice.category for voice in each).most_common(1)[0][0],
        voices=len(each),
        people=people(each),
        first=_day(first),
        last=_day(last),
        days=(last - first).days,
        growth=_growth(each),
        recurred=any(after.at - before.at > timedelta(days=OFTEN_DAYS) for before, after in pairwise(each)),
        reactions={
            "likes": sum(voice.likes for voice in each),
            "views": sum(voice.views for voice in each),
            "replies": sum(voice.replies for voice in each),
        },
        criteria=[],
        members=[voice.native_id for voice in each],
        why="",
        event=event,
        titled=lead.id,
    )


def people(each: Iterable[Voice]) -> int:
    """Count distinct citizens; whoever is unknown counts as one each."""
    known, unknown = set(), 0
    for voice in each:
        if voice.person is None:
            unknown += 1
        else:
            known.add(voice.person)
    return len(known) + unknown


def _telling(each: Sequence[Voice]) -> Voice:
    """Choose the voice that bears the most of what all bear: its title stands for the event."""
    borne = Counter(name for voice in each for name in voice.names)
    return max(
        each,
        key=lambda voice: (
            sum(borne[name] for name in set(voice.names) if name.replace("/", "")[:2] in voice.title),
            -len(voice.title),
            voice.native_id,
        ),
    )


def _growth(each: Sequence[Voice]) -> float | None:
    end = each[-1].at
    week = timedelta(days=GROWTH_DAYS)
    late = sum(end - voice.at < week for voice in each)
    before = sum(week <= end - voice.at < 2 * week for voice in each)
    return round(late / max(before, 1), 2) if late + before >= GROWTH_LEAST else None


def _spread(every: Iterable[Voice]) -> dict[str, tuple[set[str], set[str]]]:
    """Say of each class in which districts and months it was heard."""
    spread: dict[str, tuple[set[str], set[str]]] = {}
    for voice in every:
        districts, months = spread.setdefault(voice.category, (set(), set()))
        if voice.district:
            districts.add(voice.district)
        months.add(f"{voice.at.astimezone(SHANGHAI):%Y-%m}")
    return spread


def _judged(row: Row, each: Sequence[Voice], spread: Mapping[str, tuple[set[str], set[str]]], now: datetime) -> Row:
    """Apply the three criteria, and say by what."""
    reasons = {
        STRONG: _why_strong(row, each),
        PASSED: _why_passed(each, now),
        TYPICAL: _why_typical(row, spread),
    }
    met = {name: reason for name, reason in reasons.items() if reason}
    said = [f"{row.people} 人 {row.voices} 件，{row.first} 至 {row.last}", *met.values()]
    return msgspec.structs.replace(row, criteria=list(met), why="；".join(said))


def _why_strong(row: Row, each: Sequence[Voice]) -> str | None:
    if row.people >= PEOPLE:
        return f"群众反映强烈：{row.people} 名诉求人（不少于 {PEOPLE}）"
    for times in _own_times(each).values():
        for start, end in zip(times, times[OFTEN - 1 :], strict=False):
            if end - start <= timedelta(days=OFTEN_DAYS):
                return f"群众反映强烈：同一诉求人 {OFTEN_DAYS} 天内反映 {OFTEN} 次以上"
    return None


def _own_times(each: Sequence[Voice]) -> dict[str, list[datetime]]:
    times: dict[str, list[datetime]] = {}
    for voice in sorted(each, key=lambda voice: voice.at):
        if voice.person is not None:
            times.setdefault(voice.person, []).append(voice.at)
    return times


def _why_passed(each: Sequence[Voice], now: datetime) -> str | None:
    hops = max(voice.hops for voice in each)
    open_days = max(((now - voice.open_since).days for voice in each if voice.open_since is not None), default=0)
    if hops >= HOPS and open_days >= DAYS:
        return f"多次转办久拖不决：转办退单 {hops} 次，登记后 {open_days} 天未办结"
    return None


def _why_typical(row: Row, spread: Mapping[str, tuple[set[str], set[str]]]) -> str | None:
    districts, months = spread[row.category]
    if row.rank <= FIRST:
        return f"具有代表性：诉求人数居前 {FIRST} 位"
    if len(districts) >= DISTRICTS:
        return f"具有代表性：同类诉求涉及 {len(districts)} 个区县"
    if len(months) >= MONTHS:
        return f"具有代表性：同类诉求见于 {len(months)} 个月"
    return None


def _day(at: datetime) -> str:
    return at.astimezone(SHANGHAI).date().isoformat()
