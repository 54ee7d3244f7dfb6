"""A person's number in what belongs to no item: pages that the sentinel kept, messages of no case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from connectors.base import Request, Response
from connectors.keeping.watches import WatchStore
from connectors.watching.reading import Exchange
from intake.rights.accesses import Seen
from intake.rights.persons import by_author, by_phone, erase, in_copies
from router.dispatching import strays
from router.store import CaseStore
from tests.intake.rights.conftest import KEY, PHONE, SOURCE, Desk

ASKED: dict[str, Any] = {"actor": "李工", "reason": "本人申请"}


@dataclass
class Letter:
    body: bytes
    message_id: str | None = "m1"
    routing_key: str | None = "feedback"
    headers: dict[str, Any] = field(default_factory=dict)


async def keep_page(desk: Desk, name: str, body: bytes) -> None:
    watches = WatchStore(desk.db.watches, desk.db.kept, desk.db.sources, desk.sealer)
    answer = Response(status=200, headers={}, body=body, fetched_at=desk.now())
    exchange = Exchange(Request(url="https://source/list"), answer)
    assert await watches.keep(SOURCE.name, name, None, [exchange], at=desk.now(), sure=True)


async def filled(desk: Desk) -> str:
    await keep_page(desk, "with", '{"rows":[{"电话":"138 0013 8000"},{"电话":"13911112222"}]}'.encode())
    await keep_page(desk, "gbk", f"来电人王某，手机{PHONE}".encode("gbk"))
    await keep_page(desk, "without", b'{"rows":[]}')
    store = CaseStore(desk.db)
    for at, words in enumerate((f"已联系{PHONE}", "没有号码")):
        letter = Letter(words.encode(), message_id=f"m{at}")
        stray = await strays.keep(letter, "feedback", "no case", desk.now(), store, desk.sealer)
        if at == 0:
            wanted = stray
    return wanted


async def test_a_number_is_found_and_destroyed_with_the_page_or_message_it_stands_in(desk: Desk) -> None:
    stray = await filled(desk)
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None

    beside = await in_copies(wanted, desk.custody, Seen.PERSON, **ASKED)
    assert {(one.where, one.id) for one in beside.found} == {
        ("kept", "hotline/with"),
        ("kept", "hotline/gbk"),
        ("strays", stray),
    }
    assert beside.unsearched == 0
    assert await desk.db.accesses.count_documents({"what": Seen.PERSON.value, "item": {"$in": ["hotline/with", stray]}})

    proof = await erase(wanted, desk.custody, **ASKED)
    assert len(proof.copies) == 3
    assert [row["_id"] async for row in desk.db.kept.find()] == ["hotline/without"]
    gone = await desk.db.strays.find_one({"_id": stray})
    assert gone is not None
    assert (gone["body"], gone["destroyed"]["why"]) == (b"", "erased")
    again = await erase(wanted, desk.custody, **ASKED)
    assert (again.copies, again.unsearched) == ([], 0)


async def test_where_nobody_can_look_is_said_by_count(desk: Desk) -> None:
    stray = await filled(desk)
    by_name = await in_copies(by_author(SOURCE.name, "u1", KEY), desk.custody, Seen.PERSON, **ASKED)
    assert (by_name.found, by_name.unsearched) == ([], 5)

    await desk.db.strays.update_one({"_id": stray}, {"$set": {"body": b"\x01altered"}})
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None
    beside = await in_copies(wanted, desk.custody, Seen.PERSON, **ASKED)
    assert (len(beside.found), beside.unsearched) == (2, 1)


async def test_what_ended_with_its_months_key_holds_nothing_any_more(desk: Desk) -> None:
    await filled(desk)
    for label in await desk.db.data_keys.distinct("_id"):
        await desk.sealer.destroy(label)
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None
    beside = await in_copies(wanted, desk.custody, Seen.PERSON, **ASKED)
    assert (beside.found, beside.unsearched) == ([], 0)
    assert msgspec.json.encode(beside) == b'{"found":[],"unsearched":0}'
