"""What stands is normalized again, and only the difference is told: nothing changes, nothing is unmasked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from connectors.raw_appeal import RawAppeal
from intake.rehearsal import Rehearsed, Which, differing, files_of, rehearse
from intake.settings import TableFiles
from normalizer.table_files import PACKAGED
from normalizer.tables import Tables, load_tables
from tests.intake.rights.conftest import PHONE, SOURCE, Desk

ROWS = (
    {"native_id": 1, "text": f"小区门口的路灯坏了三天没人修，请打{PHONE}", "author": "陈建国", "phone": PHONE},
    {"native_id": 2, "text": "楼下烧烤店油烟直排，熏得睡不着觉"},
    {"native_id": 3, "text": "公交车等了四十分钟还不来，请增加班次"},
)
ALL = Which()


async def rehearsed(desk: Desk, which: Which = ALL, tables: Tables | None = None, most: int = 100) -> Rehearsed:
    return await rehearse(which, tables or desk.mapping.tables, desk.custody, most)


async def test_the_same_tables_and_code_make_no_difference_and_change_nothing(desk: Desk) -> None:
    await desk.take(*ROWS)
    await desk.take(ROWS[0] | {"text": f"路灯还是没修好，电话{PHONE}"})  # a second revision
    before = await desk.dump()

    done = await rehearsed(desk)

    assert (done.items, done.same, done.changed, done.fields, done.differences) == (3, 3, 0, {}, [])
    assert await desk.dump() == before


async def test_new_tables_show_which_fields_of_which_items_would_change(desk: Desk, tmp_path: Path) -> None:
    first, *_ = await desk.take(*ROWS)
    code = (await desk.appeal(first)).category.code
    words = (PACKAGED / "taxonomy.toml").read_text("utf-8")
    (tmp_path / "taxonomy.toml").write_text(words.replace("路灯", "陆登"), encoding="utf-8")
    files = files_of(tmp_path, TableFiles(words=Path("standing.toml")))
    assert (files.taxonomy, files.words) == (tmp_path / "taxonomy.toml", Path("standing.toml"))
    before = await desk.dump()

    done = await rehearsed(desk, tables=load_tables(taxonomy=files.taxonomy))

    assert done.versions["taxonomy"] != desk.mapping.tables.versions["taxonomy"]
    assert [one.id for one in done.differences] == [first]
    assert done.differences[0].fields["category.code"][0] == code
    assert done.differences[0].fields["category.code"][1] != code
    assert (done.same, done.changed, done.fields["category.code"]) == (2, 1, 1)
    assert await desk.dump() == before


async def test_what_an_older_version_had_made_is_shown_masked_on_both_sides(desk: Desk) -> None:
    (first, *_) = await desk.take(*ROWS)
    await desk.db.appeals.update_one({"_id": first}, {"$set": {"text": "旧版的正文"}})

    done = await rehearsed(desk)

    (one,) = done.differences
    assert one.fields == {"text": ("旧版的正文", "小区门口的路灯坏了三天没人修，请打〔手机1〕")}
    assert PHONE not in repr(done)


async def test_a_message_that_would_be_parted_otherwise_says_so_and_its_parts_are_compared(desk: Desk) -> None:
    two = "一、人民路的路灯坏了半个月没人修。二、旁边烧烤店每天深夜油烟扰民。"
    (first,) = await desk.take({"native_id": 7, "text": two})
    assert (await rehearsed(desk)).changed == 0

    await desk.db.appeals.update_one({"_id": f"{first}-2"}, {"$set": {"title": "旧版的标题"}})
    (one,) = (await rehearsed(desk)).differences
    assert one.fields == {"2.title": ("旧版的标题", "旁边烧烤店每天深夜油烟扰民")}

    await desk.db.appeals.update_one({"_id": first}, {"$set": {"links.same_message": []}})
    (one,) = (await rehearsed(desk)).differences
    assert one.fields == {"parts": (1, 2)}


async def test_what_a_later_revision_keeps_of_an_older_one_is_no_difference(desk: Desk) -> None:
    (first, *_) = await desk.take(*ROWS)
    kept = {"signals.handled_before": ["城管局"], "citizen.confidential": True, "citizen.display": None}
    await desk.db.appeals.update_one({"_id": first}, {"$set": kept})
    assert (await rehearsed(desk)).changed == 0


async def test_what_differs_is_handed_to_whoever_applies_it_and_nothing_else(desk: Desk) -> None:
    first, *_ = await desk.take(*ROWS)
    await desk.db.appeals.update_one({"_id": first}, {"$set": {"text": "旧版的正文"}})
    applied: list[str] = []

    async def apply(raws: Sequence[RawAppeal]) -> int:
        applied.extend(raw.id for raw in raws)
        return len(raws)

    done = await rehearse(ALL, desk.mapping.tables, desk.custody, 10, apply)
    assert (applied, done.applied) == ([first], 1)


async def test_a_source_or_days_may_be_named(desk: Desk) -> None:
    await desk.take(ROWS[0])
    desk.pass_by(days=2)
    await desk.take(ROWS[1], source=msgspec.structs.replace(SOURCE, name="board"))

    assert (await rehearsed(desk)).items == 2
    assert (await rehearsed(desk, Which(source="board"))).items == 1
    assert (await rehearsed(desk, Which(since="2026-11-24"))).items == 1
    assert (await rehearsed(desk, Which(until="2026-11-23"))).items == 1
    assert (await rehearsed(desk, Which(since="2026-11-22", until="2026-11-24"))).items == 2
    assert (await rehearsed(desk, Which(since="2026-11-25"))).items == 0


async def test_what_was_destroyed_is_counted_and_left_alone(desk: Desk) -> None:
    first, *_ = await desk.take(*ROWS)
    await desk.sealer.destroy_items([first])
    await desk.db.raw.update_one({"_id": first}, {"$set": {"destroyed": {"why": "expired"}, "payload": b""}})

    done = await rehearsed(desk)

    assert (done.items, done.not_kept) == (2, 1)


async def test_at_most_so_many_are_told_and_all_are_counted(desk: Desk) -> None:
    await desk.take(*ROWS)
    await desk.db.appeals.update_many({}, {"$set": {"title": "旧标题"}})

    done = await rehearsed(desk, most=1)

    assert (len(done.differences), done.changed, done.fields) == (1, 3, {"title": 3})


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"text": "另一个"}, ["text"]),
        ({"revision": 7, "received_at": None}, []),
        ({"urgency": "urgent", "title": "x"}, ["title", "urgency"]),
    ],
)
async def test_only_what_comes_of_the_text_is_compared(desk: Desk, fields: dict[str, object], named: list[str]) -> None:
    (id_,) = await desk.take(ROWS[2])
    appeal = await desk.appeal(id_)

    assert [name for name, _ in differing(appeal, msgspec.structs.replace(appeal, **fields))] == named
