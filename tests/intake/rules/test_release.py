"""What is released is taken by who is at work, refused where something speaks against it, and can be gone back from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from intake.rules.rehearsal import Rehearsed, Watch, candidate, candidate_back, read, rehearse
from intake.rules.releases import Release, Superseded, history, in_force, newest
from intake.rules.releasing import Refused, Said, put_in_force
from intake.rules.reproduce import Workshop
from router.centre import reassign
from router.redeciding import redecide_page
from tests.intake.rules.living_city import Living, living

LINES = (
    'version = "{0}"\n[categories]\n0301 = {{ lead = "{1}" }}\n0203 = {{ lead = "{1}" }}\n0205 = {{ lead = "{1}" }}\n'
)
SAID = Said(by="张三", reason="试")


def rules(city: Living, version: str, lead: str) -> Path:
    path = city.folder / f"{version}.toml"
    path.write_text(LINES.format(version, lead), "utf-8")
    return path


async def rehearsed(city: Living, path: Path | None, found: Release | None = None) -> tuple[Rehearsed, Any]:
    settings, db = city.house.settings, city.house.db
    now = city.rooms.tables._replace(router=city.rooms.router.tables)
    if path is not None:
        wanted = candidate(path, None, now, settings)
    else:
        assert found is not None
        wanted = await candidate_back(db, found, now, settings)
    new = await read(wanted, now, settings)
    done = await rehearse(city.rooms.router, db, settings, wanted, (now, new), 30, Watch(), reassign=False)
    return done, (now, new)


async def released(city: Living, done: Rehearsed, tables: Any, said: Said) -> Release | None:
    db, at = city.house.db, city.rooms.router.moment()
    return await put_in_force(db, city.house.settings, await newest(db), tables, done, said, at, _nobody)


async def _nobody(_: object) -> None:
    return


async def test_a_rule_goes_into_force_and_back_without_a_restart(mongo: Any, amqp: Any, tmp_path: Path) -> None:
    async with living(mongo, amqp, tmp_path, seed=3) as city:
        room = city.rooms.router
        first = room.tables.versions.rules
        late = await rehearsed(city, rules(city, "late", "SCJ"))
        done, tables = await rehearsed(city, rules(city, "new", "GAJ"))
        one = await released(city, done, tables, SAID)
        assert one is not None
        assert (one.n, one.by, one.before, one.forced) == (1, "张三", {"rules": first}, [])
        assert room.tables.versions.rules == first
        await city.rooms.take_release()
        assert room.tables.rules.categories["0301"].lead == "GAJ"
        assert (await in_force(city.house.db, city.house.settings)).router.versions == room.tables.versions
        assert await released(city, *(await rehearsed(city, rules(city, "new", "GAJ"))), SAID) is None

        with pytest.raises(Superseded):  # rehearsed when nothing was released yet
            await put_in_force(
                city.house.db, city.house.settings, None, late[1], late[0], SAID, city.rooms.router.moment(), _nobody
            )

        back = await rehearsed(city, None, one)
        two = await released(city, *back, replace(SAID, back=True))
        assert two is not None
        await city.rooms.take_release()
        assert room.tables.versions.rules == first
        assert room.tables.rules.categories["0301"].lead == "GSGS"
        assert [each.n for each in await history(city.house.db)] == [2, 1]


async def test_what_speaks_against_it_refuses_it_unless_it_is_forced(mongo: Any, amqp: Any, tmp_path: Path) -> None:
    async with living(mongo, amqp, tmp_path, seed=4) as city:
        for _ in range(3):
            await city.rooms.route(await city.store([city.write() for _ in range(10)]))
        path = rules(city, "new", "HJJ")
        path.with_name("new.tests.toml").write_text(
            '[[test]]\nwhy = "水归水"\ntext = "停水三天"\ncategory = "0301"\nlead = "GSGS"\n', "utf-8"
        )
        done, tables = await rehearsed(city, path)
        (broken,) = done.tests.broken
        assert (broken.expected, broken.why) == ("主办 GSGS", "水归水")
        assert broken.came.startswith("主办 HJJ")
        assert done.broken_before == 0
        assert (done.appeals, done.moved) == (30, sum(group.count for group in done.groups))
        assert {group.after for group in done.groups} == {"HJJ"}
        load = {each.department: (each.before, each.after) for each in done.load}
        assert load["HJJ"][1] - load["HJJ"][0] == done.moved
        with pytest.raises(Refused) as refused:
            await released(city, done, tables, SAID)
        assert refused.value.why[0].startswith("1 条测试不通过")
        assert any(why.startswith("改派占") for why in refused.value.why)
        assert await newest(city.house.db) is None

        forced = await released(city, done, tables, replace(SAID, forced=True))
        assert forced is not None
        assert forced.forced == refused.value.why


async def test_only_what_nobody_has_touched_moves(mongo: Any, amqp: Any, tmp_path: Path) -> None:
    async with living(mongo, amqp, tmp_path, seed=6) as city:
        await city.rooms.route(await city.store([city.write() for _ in range(24)]))
        # A finer rule names the lead of some of 0301 and 0205 itself; of 0203 none does.
        cases = [case for case in await _all(city) if case.category == "0203" and case.holder is not None]
        signed, person, *_ = cases
        await city.sign(signed)
        await reassign(person, "ZJJ", "张三", "试", city.rooms.router)
        done, tables = await rehearsed(city, rules(city, "new", "SCJ"))
        assert done.orders["person"] + done.orders["heard"] == 2
        city.rooms.router.tables = tables[1].router

        every = [case async for case in city.rooms.cases.lists.all()]
        moved = await redecide_page(every, city.rooms.router, 1, "张三")
        after = await city.rooms.cases.load([case.id for case in cases])
        assert after[signed.id].holder == signed.holder
        assert after[person.id].holder == "ZJJ"
        assert {case.id for case in moved} <= {case.id for case in every} - {signed.id, person.id}
        assert len(moved) == done.orders["moves"] >= len(cases) - 2
        assert await redecide_page(await _all(city), city.rooms.router, 1, "张三") == [], "a second time says nothing"


async def _all(city: Living) -> Any:
    return [case async for case in city.rooms.cases.lists.all()]


@pytest.mark.live
async def test_every_decision_comes_out_the_same_with_the_versions_of_its_day(
    mongo: Any, amqp: Any, tmp_path: Path
) -> None:
    async with living(mongo, amqp, tmp_path, seed=8) as city:
        for turn in range(3):
            await city.rooms.route(await city.live())
            path, units = city.change()
            done, _, tables = await city.rehearse(path, units)
            await city.release(done, tables)
            assert turn == (await newest(city.house.db)).n - 1  # type: ignore[union-attr]
        workshop = Workshop(city.house.db, city.house.settings, city.rooms.router)
        again = [each for case in await _all(city) for each in await workshop.again(case)]
        assert {each.verdict for each in again} == {"same", "by_person"}
        assert len({each.versions for each in again}) > 2
        assert len(again) > 30

        await city.house.db.table_texts.update_many({}, [{"$set": {"text": {"$concat": ["$text", "\n"]}}}])
        await city.house.db.table_versions.delete_many({"_id": {"$regex": "^rules/"}})
        fresh = Workshop(city.house.db, city.house.settings, city.rooms.router)
        lost = [each for case in (await _all(city))[:3] for each in await fresh.again(case)]
        assert {each.verdict for each in lost} <= {"not_kept", "by_person"}
