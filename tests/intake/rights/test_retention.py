"""Personal data ends when its time is over, and not before its case is closed."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import cast

import msgspec
import pytest

import normalizer.flow
from connectors.flow import Batch
from intake import retrying
from intake.commands.exchange import signing_key
from intake.exchange.bundle import make
from intake.exchange.store import ExchangeStore
from intake.rights import endings, retention
from intake.rights.custody import open_part
from intake.settings import Retention
from intake.street.rooms import Rooms
from normalizer.appeal import Handed
from normalizer.vault import Part
from router.cases.carrying import put_under
from router.cases.case import Case
from router.cases.delivery import confirm
from router.cases.ledger import draft_of, record
from router.cases.moves import Kind
from router.cases.track import Handling
from tests.intake.rights.conftest import PHONE, SOURCE, Desk

ROW = {"native_id": 1, "text": "楼道灯坏了三天没人修，请尽快处理", "author": "陈建国", "phone": PHONE}
CHATTER = {"native_id": 9, "text": "哈哈哈哈沙发", "phone": PHONE}
NEWS = msgspec.structs.replace(SOURCE, name="news", channel="news_comment")
TERMS = Retention(contact_days=90, categories={"01": 30}, chatter_days=7, raw_months=12)


async def close(desk: Desk, id_: str, category: str = "0104") -> None:
    """As the centre does, by a line of the ledger."""

    def closed(case: Case) -> Case:
        draft = draft_of(case)
        draft.handling, draft.category = Handling(), category
        record(draft, Kind.CLOSED, desk.now(), actor="李班长")
        return draft

    case = await desk.custody.cases.get(id_)
    assert case is not None
    await desk.custody.cases.change(case, closed, [Kind.CLOSED])


async def is_kept(desk: Desk, id_: str) -> bool:
    return bool(await open_part(desk.custody, id_, Part.CONTACT)) and bool(await desk.custody.raw.payload(id_))


async def test_nothing_of_an_open_case_is_destroyed(desk: Desk) -> None:
    (id_,) = await desk.take(ROW)
    await desk.open_case(id_)
    desk.pass_by(days=5000)

    ran = await retention.run(TERMS, desk.custody, "w")

    assert (ran.closed, ran.chatter, ran.months) == (0, 0, [])
    assert (await retention.plan(TERMS, desk.custody)).held == ["raw/hotline/2026-11"]
    assert await is_kept(desk, id_)


async def test_the_contact_ends_so_many_days_after_closing_and_the_masked_appeal_stays(desk: Desk) -> None:
    (id_,) = await desk.take(ROW)
    await desk.open_case(id_)
    await close(desk, id_, category="0203")
    before = await desk.appeal(id_)

    desk.pass_by(days=89)
    assert (await retention.run(TERMS, desk.custody, "w")).closed == 0
    assert await is_kept(desk, id_)
    desk.pass_by(days=1)
    assert (await retention.run(TERMS, desk.custody, "w")).closed == 1

    assert await open_part(desk.custody, id_, Part.CONTACT) is None
    assert await desk.custody.raw.payload(id_) == b""
    assert await desk.keys_left(id_) == 0
    assert await desk.appeal(id_) == before
    case = await desk.db.cases.find_one({"_id": id_})
    assert case is not None
    event = case["events"][-1]
    assert (event["kind"], event["actor"], event["data"]) == (Kind.DESTROYED.value, "w", {"why": "expired"})
    assert (await retention.run(TERMS, desk.custody, "w")).closed == 0
    assert await desk.db.retention_runs.count_documents({}) == 1


@pytest.mark.parametrize(("category", "days"), [("0104", 30), ("0203", 90), ("01", 30), ("1309", 90)])
def test_the_nearest_word_on_a_class_counts(category: str, days: int) -> None:
    assert endings.days_of(category, TERMS) == days
    nearer = Retention(contact_days=90, categories={"01": 30, category: 5})
    assert endings.days_of(category, nearer) == 5


async def test_as_long_as_one_part_of_a_split_message_is_open_all_of_it_stays(desk: Desk) -> None:
    (id_,) = await desk.take(ROW)
    await desk.open_case(id_)
    await close(desk, id_)
    part = await desk.db.cases.find_one({"_id": id_})
    assert part is not None
    await desk.db.cases.insert_one(part | {"_id": f"{id_}-2", "handling": None})
    desk.pass_by(days=400)

    assert (await retention.plan(TERMS, desk.custody)).closed == []
    await close(desk, f"{id_}-2")
    desk.pass_by(days=400)
    assert (await retention.plan(TERMS, desk.custody)).closed == [id_]


async def test_a_carried_case_ends_with_the_order_that_carries_it(desk: Desk) -> None:
    order, member, further = await desk.take(ROW, ROW | {"native_id": 2}, ROW | {"native_id": 3})
    for id_ in (order, member, further):
        await desk.open_case(id_)
    for id_, carrier in ((member, order), (further, member)):  # an order that was itself put under another one
        case = await desk.custody.cases.get(id_)
        assert case is not None
        await desk.custody.cases.change(case, partial(_under, order=carrier, desk=desk))
    desk.pass_by(days=500)
    assert (await retention.run(TERMS, desk.custody, "w")).closed == 0
    await close(desk, order, category="0203")
    desk.pass_by(days=400)
    assert sorted((await retention.plan(TERMS, desk.custody)).closed) == sorted([order, member, further])
    assert (await retention.run(TERMS, desk.custody, "w")).closed == 3
    assert not await is_kept(desk, further)
    ran = await retention.run(TERMS, desk.custody, "w")
    assert (ran.closed, ran.months) == (0, ["raw/hotline/2026-11"])


def _under(case: Case, order: str, desk: Desk) -> Case:
    after = put_under(case, order, "李班长", "同一事件", desk.now())
    return confirm(after, [row.id for row in after.dispatches], desk.now())


async def test_what_ended_at_the_desk_is_closed_too(desk: Desk) -> None:
    (id_,) = await desk.take(ROW)
    await desk.open_case(id_, to="informed")
    desk.pass_by(days=91)

    assert (await retention.run(TERMS, desk.custody, "w")).closed == 1


async def test_chatters_raw_text_ends_after_a_week_and_that_of_appeals_does_not(desk: Desk) -> None:
    (appeal,), (chatter,) = await desk.take(ROW), await desk.take(CHATTER, source=NEWS)
    assert not (await desk.appeal(chatter)).quality.is_appeal

    desk.pass_by(days=7)
    assert (await retention.run(TERMS, desk.custody, "w")).chatter == 0
    desk.pass_by(days=2)
    assert (await retention.run(TERMS, desk.custody, "w")).chatter == 1

    assert await desk.custody.raw.payload(chatter) == b""
    assert await desk.db.vault.find_one({"_id": chatter}) is None
    assert await is_kept(desk, appeal)
    assert (await retention.run(TERMS, desk.custody, "w")).chatter == 0


async def test_chatter_that_got_new_words_is_kept_for_a_week_from_then(desk: Desk) -> None:
    (chatter,) = await desk.take(CHATTER, source=NEWS)
    desk.pass_by(days=5)
    await desk.take(CHATTER | {"text": "哈哈哈哈板凳"}, source=NEWS)
    desk.pass_by(days=5)

    assert (await retention.run(TERMS, desk.custody, "w")).chatter == 0
    assert await desk.custody.raw.payload(chatter)
    desk.pass_by(days=4)
    assert (await retention.run(TERMS, desk.custody, "w")).chatter == 1


async def test_whole_months_of_raw_texts_end_with_their_key_when_nothing_of_them_is_needed(desk: Desk) -> None:
    (id_,) = await desk.take(ROW)
    await desk.open_case(id_)
    desk.pass_by(days=365 + 40)
    await close(desk, id_, category="0203")  # its contact has its own time
    assert (await retention.run(TERMS, desk.custody, "w")).months == []
    assert await is_kept(desk, id_)

    desk.pass_by(days=90)
    assert (await retention.run(TERMS, desk.custody, "w")).closed == 1
    ran = await retention.run(TERMS, desk.custody, "w")

    assert ran.months == ["raw/hotline/2026-11"]
    key = await desk.db.data_keys.find_one({"_id": "raw/hotline/2026-11"})
    assert key is not None
    assert "wrapped" not in key


async def test_a_month_without_cases_ends_whole(desk: Desk) -> None:
    (id_,) = await desk.take({"native_id": 1, "text": "楼道灯坏了三天没人修"})
    desk.pass_by(days=30 * 12)
    assert (await retention.run(TERMS, desk.custody, "w")).months == []
    desk.pass_by(days=40)

    assert (await retention.run(TERMS, desk.custody, "w")).months == ["raw/hotline/2026-11"]

    raw = await desk.db.raw.find_one({"_id": id_})
    assert raw is not None
    assert (raw["payload"], raw["destroyed"]["why"]) == (b"", "expired")
    assert await desk.custody.raw.payload(id_) == b""


async def test_one_worker_a_day_does_it(desk: Desk) -> None:
    (id_,) = await desk.take(ROW)
    await desk.open_case(id_)
    await close(desk, id_)
    desk.pass_by(days=100)

    await retention.once_a_day(TERMS, desk.custody, "a")
    await desk.db.cases.update_one({"_id": id_}, {"$pull": {"events": {"kind": "destroyed"}}})
    await retention.once_a_day(TERMS, desk.custody, "b")
    assert [run["actor"] async for run in desk.db.retention_runs.find()] == ["a"]
    desk.moment += timedelta(days=1)
    await retention.once_a_day(TERMS, desk.custody, "b")
    assert [run["actor"] async for run in desk.db.retention_runs.find()] == ["a", "b"]


async def test_new_likes_do_not_bring_back_what_was_destroyed(desk: Desk) -> None:
    (chatter,) = await desk.take(CHATTER, source=NEWS)
    desk.pass_by(days=10)
    await retention.run(TERMS, desk.custody, "w")

    await desk.take(CHATTER | {"likes": 5}, source=NEWS)

    assert await desk.custody.raw.payload(chatter) == b""


async def test_chatter_that_could_be_read_late_ends_a_week_later_too(desk: Desk) -> None:
    """It is tried again when the days of its first offer have been looked through for good."""
    (chatter,) = await desk.take(CHATTER, source=NEWS)
    await desk.db.appeals.delete_one({"_id": chatter})
    await desk.db.vault.delete_one({"_id": chatter})
    await desk.db.unmapped.insert_one({"_id": chatter, "source": NEWS.name, "revision": 1, "reason": "no text"})
    desk.pass_by(days=9)
    assert (await retention.run(TERMS, desk.custody, "w")).chatter == 0

    await retrying._retry_normalize(desk.db, cast("Rooms", Again(desk)), [chatter])

    assert not (await desk.appeal(chatter)).quality.is_appeal
    desk.pass_by(days=9)
    assert (await retention.run(TERMS, desk.custody, "w")).chatter == 1
    assert await desk.custody.raw.payload(chatter) == b""


class Again:
    """What trying again asks of the rooms."""

    def __init__(self, desk: Desk) -> None:
        self.connectors = desk.reading
        self.clock = desk
        self._mapping = desk.mapping

    async def normalize(self, batch: Batch) -> list[Handed]:
        return await normalizer.flow.normalize_page(batch.raws, self._mapping)

    async def route(self, handed: list[Handed]) -> None:
        """Chatter goes nowhere."""
        assert not any(one.appeal.quality.is_appeal for one in handed)


async def test_what_waits_for_a_departments_receipt_is_not_destroyed(desk: Desk) -> None:
    """It has left the queue and lies there alone."""
    store = ExchangeStore(desk.db, desk.sealer)
    line = b'{"id": "m1"}'
    await store.keep(make("ZJJ", 1, None, [line], None, desk.now(), signing_key(b"r" * 32)), desk.now())
    desk.pass_by(days=5000)

    assert (await retention.run(TERMS, desk.custody, "w")).months == []
    assert (await retention.plan(TERMS, desk.custody)).held == ["strays/2026-11"]
    assert [bundle.lines for bundle in await store.out("ZJJ")] == [[line]]
    await store.received("ZJJ", 1, desk.now())
    assert (await retention.run(TERMS, desk.custody, "w")).months == ["strays/2026-11"]
