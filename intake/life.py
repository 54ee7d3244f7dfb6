"""One appeal's whole life, put together from every room's store: for `intake show` and, later, the console."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from connectors.raw_appeal import appeal_id
from intake.house import Database
from intake.life_words import KINDS, WHATS
from intake.reasons import in_chinese
from intake.rounds import newest_rows, rows
from intake.screen import cell
from normalizer.appeal import appeal_of, message_of

_MESSAGE = re.compile(r"[0-9a-f]{32}")


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline."""

    at: datetime
    room: str
    what: str  #: Chinese, for people
    who: str | None = None
    detail: str | None = None


class PartOf(msgspec.Struct, frozen=True, kw_only=True):
    """Another request of the same message: where it is, and by which words it begins."""

    id: str
    title: str
    category: str
    state: str | None
    case_no: str | None
    department: str | None
    cue: str
    why: str


class RoundOf(msgspec.Struct, frozen=True, kw_only=True):
    """One of the cases of an appeal whose author spoke again after the end (再次反映)."""

    id: str
    case_no: str
    state: str
    work: str | None
    department: str | None
    opened_at: datetime


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of one item; nothing sealed is opened."""

    id: str
    source: str
    native_id: str
    state: str | None = None
    case_no: str | None = None
    raw: dict[str, Any] | None = None
    appeal: dict[str, Any] | None = None
    case: dict[str, Any] | None = None
    unmapped: dict[str, Any] | None = None
    parts: list[PartOf] = []  #: the other requests of the same message (一条多诉)
    rounds: list[RoundOf] = []  #: all its cases, where there are more than one: the newest is the last
    source_changed: str | None = None  #: what the sentinel says of its source at the moment
    timeline: list[Moment] = []


async def find_ids(db: Database, name: str) -> list[str]:
    """Find the items that a person may mean: a case id, case number, native id, or dispatch or message id."""
    # A native id gives its item's id, in each source that there is; an index would cost every item one more write.
    derived = [appeal_id(source["_id"], name) async for source in db.sources.find({}, {"_id": 1})]
    ids = {"_id": {"$in": [name, *derived]}}
    wanted: list[tuple[Any, dict[str, Any]]] = [
        (db.raw, ids),
        (db.cases, ids),
        (db.cases, {"case_no": name.upper()}),
    ]
    found: dict[str, None] = {}
    for collection, query in wanted:
        async for row in collection.find(query, {"_id": 1}).limit(20):
            found[row["_id"]] = None
    # Who names an item by its source's id means the case that stands; a case's own id or number means that one.
    newest = await newest_rows(db, [id_ for id_ in derived if id_ in found], {"_id": 1})
    stands = dict.fromkeys(newest[id_]["_id"] if id_ in newest else id_ for id_ in found)
    return list(stands) or await _of_message(db, name)


async def _of_message(db: Database, name: str) -> list[str]:
    """Look through the cases for a message, the newest first: nobody asks often, and nothing is kept for it."""
    if _MESSAGE.fullmatch(name) is None:
        return []
    found = db.cases.find({"dispatches.id": name}, {"_id": 1}, sort=[("$natural", -1)], limit=1)
    return [row["_id"] async for row in found]


async def life_of(db: Database, id_: str) -> Life | None:
    """Put one life together; None if no room knows the id."""
    message, asked = message_of(id_), appeal_of(id_)
    raw = await db.raw.find_one({"_id": message}, {"payload": 0, "content": 0, "digest": 0, "mended.digest": 0})
    cases = [_unstamped(row) for row in (await rows(db, [asked], {})).get(asked, [])]
    case = next((row for row in cases if row["_id"] == id_), None)
    appeal = await db.appeals.find_one({"_id": asked})
    unmapped = await db.unmapped.find_one({"_id": asked})
    known = raw or case or appeal
    if known is None:
        return None
    pages = await db.pages.find({"ids": message}, {"ids": 1, "revisions": 1, "whats": 1, "at": 1, "stage": 1}).to_list(
        200
    )
    items = [asked, *(row["_id"] for row in cases)]
    accesses = await db.accesses.find({"item": {"$in": items}}).to_list(200)
    moments = [
        *(_page_moment(page, message) for page in pages),
        *_normalized(appeal, unmapped),
        *_given_up((raw or {}).get("parked"), "connectors"),
        *_given_up(unmapped, "normalizer"),
        *(moment for row in cases for moment in _of_case(row, several=len(cases) > 1)),
        *(_access_moment(access) for access in accesses),
    ]
    return Life(
        id=id_,
        source=known["source"],
        native_id=known["native_id"],
        state=_state(raw, unmapped, appeal, case),
        case_no=None if case is None else case.get("case_no"),
        raw=raw,
        appeal=appeal,
        case=case,
        unmapped=unmapped,
        parts=await _parts(db, (appeal or {}).get("links", {}).get("same_message", [])),
        rounds=[_round_of(row) for row in cases] if len(cases) > 1 else [],
        source_changed=await _source_changed(db, known["source"]),
        timeline=sorted(moments, key=lambda moment: moment.at),
    )


async def _parts(db: Database, ids: list[str]) -> list[PartOf]:
    if not ids:
        return []
    appeals = {row["_id"]: row async for row in db.appeals.find({"_id": {"$in": ids}})}
    cases = await newest_rows(db, ids, {"state": 1, "case_no": 1, "holder": 1})
    return [_part_of(appeals[id_], cases.get(id_) or {}) for id_ in ids if id_ in appeals]


def _part_of(appeal: Mapping[str, Any], case: Mapping[str, Any]) -> PartOf:
    piece = appeal["signals"].get("piece") or {}
    return PartOf(
        id=appeal["_id"],
        title=appeal["title"],
        category=f"{appeal['category']['code']} {appeal['category']['name']}",
        state=case.get("state"),
        case_no=case.get("case_no"),
        department=case.get("holder"),
        cue=piece.get("cue", ""),
        why=piece.get("why", ""),
    )


async def _source_changed(db: Database, source: str) -> str | None:
    flag = ((await db.sources.find_one({"_id": source}, {"drift": 1})) or {}).get("drift")
    return None if flag is None else "; ".join(cause["says"] for cause in flag["causes"])


def _state(
    raw: Mapping[str, Any] | None,
    unmapped: Mapping[str, Any] | None,
    appeal: Mapping[str, Any] | None,
    case: Mapping[str, Any] | None,
) -> str | None:
    if (raw and raw.get("parked")) or unmapped:
        return "parked"
    if case is not None:
        return str(case["state"])
    if appeal is not None and not appeal["quality"]["is_appeal"]:
        return "not_an_appeal"
    return "withdrawn" if raw and raw.get("withdrawn") else None


def _page_moment(page: Mapping[str, Any], id_: str) -> Moment:
    at = page["ids"].index(id_)
    what = page["whats"][at]
    detail = f"第 {page['revisions'][at]} 版，页 {page['_id']}（{page['stage']}）"
    return Moment(at=page["at"], room="connectors", what=WHATS.get(what, what), detail=detail)


def _normalized(appeal: Mapping[str, Any] | None, unmapped: Mapping[str, Any] | None) -> Iterable[Moment]:
    if unmapped is not None:
        yield Moment(at=unmapped["at"], room="normalizer", what="不能规整，挂起", detail=in_chinese(unmapped["reason"]))
    if appeal is not None and appeal.get("received_at"):
        category = appeal["category"]
        detail = f"{category['code']} {category['name']}，{appeal['urgency']}，{_place(appeal['place'])}"
        yield Moment(
            at=appeal["received_at"], room="normalizer", what=f"规整为第 {appeal['revision']} 版", detail=detail
        )


def _given_up(parked: Mapping[str, Any] | None, room: str) -> Iterable[Moment]:
    given_up = (parked or {}).get("discarded")
    if given_up:
        yield Moment(at=given_up["at"], room=room, what="放弃挂起件", who=given_up["actor"], detail=given_up["reason"])


def _place(place: Mapping[str, Any]) -> str:
    parts = [place.get(name) for name in ("district", "street", "community", "poi")]
    return " ".join(part for part in parts if part) or "地点不明"


def _unstamped(case: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in case.items() if name != "stamps"}


def _round_of(case: Mapping[str, Any]) -> RoundOf:
    return RoundOf(
        id=case["_id"],
        case_no=case["case_no"],
        state=case["state"],
        work=(case.get("handling") or {}).get("work"),
        department=case.get("holder"),
        opened_at=case["opened_at"],
    )


def _of_case(case: Mapping[str, Any], *, several: bool) -> Iterable[Moment]:
    """Give what happened to one case; where there are several, with the number of the one that it was."""
    for moment in (*_case_moments(case), *_sent(case)):
        said = [case["case_no"], moment.detail] if several else [moment.detail]
        yield msgspec.structs.replace(moment, detail=" ".join(filter(None, said)) or None)


def _case_moments(case: Mapping[str, Any]) -> Iterable[Moment]:
    for event in case["events"]:
        words = [event.get("department"), event.get("note"), _plain(event.get("data") or {})]
        yield Moment(
            at=event["at"],
            room="router",
            what=KINDS.get(event["kind"], event["kind"]),
            who=event["actor"],
            detail=" ".join(word for word in words if word) or None,
        )


def _sent(case: Mapping[str, Any]) -> Iterable[Moment]:
    for row in case["dispatches"]:
        yield Moment(
            at=row.get("sent_at") or row["at"],
            room="broker",
            what=f"消息 {row['type']} → {row['department']}（{row['state']}）",
            detail=f"序号 {row['sequence']}，消息编号 {row['id']}",
        )


def _access_moment(access: Mapping[str, Any]) -> Moment:
    return Moment(
        at=access["at"], room="intake", what=f"查看{access['what']}", who=access["actor"], detail=access["reason"]
    )


def _plain(data: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={_word(value)}" for name, value in data.items())


def _word(value: object) -> str:
    if isinstance(value, list):
        return "、".join(map(_word, value))
    if isinstance(value, Mapping):
        return f"（{_plain(value)}）"
    return cell(value) if isinstance(value, datetime) else str(value)
