"""What is kept of a message with several requests is one thing: its parts are found, shown and end together."""

from __future__ import annotations

from typing import Any

from intake.rights import persons, retention
from intake.rights.custody import open_part
from intake.settings import Retention
from normalizer.vault import Part
from router.cases.case import Case
from router.cases.ledger import draft_of, record
from router.cases.moves import Kind
from router.cases.track import Handling
from tests.intake.rights.conftest import KEY, PHONE, Desk

OTHER = "13911112222"
LIGHTS, SMOKE = f"一、湖滨小区的路灯坏了半个月没人修，报修电话{OTHER}。", "二、旁边烧烤店深夜油烟扰民，请查处。"
ROW = {"native_id": 1, "text": LIGHTS + SMOKE, "author": "陈建国", "phone": PHONE}
TERMS = Retention(contact_days=90, categories={}, chatter_days=7, raw_months=12)


async def taken(desk: Desk, row: dict[str, Any] = ROW) -> tuple[str, str]:
    (first,) = await desk.take(row)
    second = f"{first}-2"
    await desk.open_case(first, "ZJJ")
    await desk.open_case(second, "CGJ")
    return first, second


async def close(desk: Desk, id_: str) -> None:
    def closed(case: Case) -> Case:
        draft = draft_of(case)
        draft.handling = Handling()
        record(draft, Kind.CLOSED, desk.now(), actor="李班长")
        return draft

    case = await desk.custody.cases.get(id_)
    assert case is not None
    await desk.custody.cases.change(case, closed, [Kind.CLOSED])


async def test_each_part_opens_its_own_originals_and_the_callers_contact(desk: Desk) -> None:
    first, second = await taken(desk)
    one = await open_part(desk.custody, first, Part.CONTACT)
    two = await open_part(desk.custody, second, Part.CONTACT)
    assert one is not None
    assert two is not None
    assert one.contact == two.contact
    assert PHONE in one.contact.values()
    assert (set(one.originals.values()), two.originals) == ({OTHER}, {})


async def test_a_person_is_shown_one_item_with_all_departments_and_erased_from_every_part(desk: Desk) -> None:
    first, second = await taken(desk)
    wanted = persons.by_phone(PHONE, KEY)
    assert wanted is not None

    (held,) = await persons.held(wanted, desk.custody)
    assert (held.id, held.relation, held.departments) == (first, "own", ["CGJ", "ZJJ"])
    proof = await persons.erase(wanted, desk.custody, actor="李班长", reason="本人要求")

    assert (proof.erased, proof.left) == ([first], [])
    assert {told.department for told in proof.departments} == {"CGJ", "ZJJ"}
    assert await desk.db.vault.count_documents({}) == 0
    assert await desk.keys_left(first) == 0
    for id_ in (first, second):
        assert await open_part(desk.custody, id_, Part.CONTACT) is None
        assert (await desk.appeal(id_)).citizen.ref is None
        case = await desk.custody.cases.get(id_)
        assert case is not None
        assert case.events[-1].kind is Kind.DESTROYED


async def test_a_number_that_one_part_mentions_is_taken_out_and_the_other_part_still_opens(desk: Desk) -> None:
    first, second = await taken(desk)
    wanted = persons.by_phone(OTHER, KEY)
    assert wanted is not None

    proof = await persons.erase(wanted, desk.custody, actor="李班长", reason="本人要求")

    assert (proof.mentioned, proof.left) == ([first], [])
    for id_ in (first, second):
        left = await open_part(desk.custody, id_, Part.CONTACT)
        assert left is not None
        assert PHONE in left.contact.values()
        assert not left.originals


async def test_nothing_ends_before_the_last_part_is_closed_long_enough_and_then_all_of_it(desk: Desk) -> None:
    first, second = await taken(desk)
    await close(desk, first)
    desk.pass_by(days=80)
    await close(desk, second)
    desk.pass_by(days=20)
    assert (await retention.run(TERMS, desk.custody, "w")).closed == 0
    assert await open_part(desk.custody, first, Part.CONTACT)

    desk.pass_by(days=71)
    assert (await retention.run(TERMS, desk.custody, "w")).closed == 1
    assert await desk.db.vault.count_documents({}) == 0
    assert await desk.custody.raw.payload(first) == b""
    assert (await retention.run(TERMS, desk.custody, "w")).closed == 0
