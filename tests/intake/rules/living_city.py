"""A small city that lives: letters come, are revised and taken back, departments sign, people reassign, queues fill."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from dataclasses import replace as with_fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aio_pika
import msgspec

from connectors.flow import Batch
from connectors.raw_appeal import RawAppeal, appeal_id
from connectors.registry import REGISTRY
from intake import settings
from intake.house import House
from intake.rules.prediction import Expected
from intake.rules.rehearsal import Rehearsed, Watch, candidate, read, rehearse
from intake.rules.releases import Release, newest
from intake.rules.releasing import Reassigned, Said, put_in_force, reassign_open
from intake.street.rooms import Rooms, open_rooms
from intake.topology import ensure_topology
from normalizer.appeal import Handed
from router.cases.case import Case
from router.cases.centre import Visit
from router.cases.moves import Sent, State
from router.centre import reassign, visit
from router.dispatching.directory import Directory
from router.dispatching.publish_page import Message, Receipt
from router.errors import BrokerAway
from router.feedback import Feedback
from router.flow import deliver_forgotten, route_page
from router.listening import take_said
from router.store_indexes import ensure_indexes

CITY = Path(__file__).parents[3] / "demo" / "city"
SOURCE = "letters"
CODES = ("CGJ", "CGJ_WANGHU", "JDB_LIUYIN", "JDB_TINGTAO", "QXZF_WANGHU", "ZJJ", "GAJ", "SCJ", "GSGS", "HJJ")
NAMES = {"CGJ": "城管局", "ZJJ": "住建局", "GAJ": "公安局", "SCJ": "市场监管局", "GSGS": "自来水公司", "HJJ": "环保局"}
ROLES = ("CGJ", "ZJJ", "GAJ", "SCJ", "GSGS", "HJJ", "JDB", "QXZF")
PLACES = ("望湖区柳荫街道", "望湖区听涛街道", "望湖区", "青枫区枫林街道", "")
MATTERS = (
    "的垃圾桶满了好几天没人清运，臭得很，请尽快处理",
    "路边流动摊贩占道经营，天天堵路，请管一管",
    "小区物业乱收物业费，保洁也不打扫，请查处",
    "家里自来水停水三天了，没有通知，请恢复供水",
    "夜里工地施工噪音吵得睡不着，请制止",
    "路灯坏了很久没人修，晚上漆黑一片，请修好",
    "广场舞音响扰民到半夜，请处理",
    "小超市卖过期食品，请查一查",
)
CATEGORIES = ("0203", "0201", "0104", "0301", "0402", "0205", "0403", "0906", "02", "04")


def unit(code: str) -> str:
    role, _, place = code.partition("_")
    area = {"": "", "WANGHU": "望湖区", "LIUYIN": "望湖区/柳荫街道", "TINGTAO": "望湖区/听涛街道"}[place]
    name = f"{area.replace('/', '') or '云泽市'}{NAMES.get(role, role)}"
    return f'[[unit]]\ncode = "{code}"\nname = "{name}"\nshort = "{name}"\nrole = "{role}"\narea = "{area}"\n'


def directory(codes: Sequence[str] = CODES) -> str:
    return 'version = "d"\ncity = "云泽市"\n' + "".join(unit(code) for code in codes)


class Away:
    """A publisher whose broker is not there."""

    async def publish(self, page: Sequence[Message]) -> list[Receipt]:
        raise BrokerAway("away")


@dataclass(kw_only=True)
class Living:
    """The city, its centre, and what an outsider sees of the queues."""

    house: House
    rooms: Rooms
    rng: random.Random
    folder: Path
    letters: dict[str, int] = field(default_factory=dict)  #: native id -> revision
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)  #: native id -> what was written last
    count: int = 0

    # ------------------------------------------------------------ what happens in the city

    def write(self, *, again: str | None = None, like: str | None = None, withdrawn: bool = False) -> RawAppeal:
        """A letter, or the next revision of one; `like` another: of the same person, about the same."""
        if again is None:
            self.count += 1
            native_id = f"L{self.count}"
        else:
            native_id = again
        revision = self.letters[native_id] = self.letters.get(native_id, 0) + 1
        text = f"{self.rng.choice(PLACES)}{self.rng.choice(MATTERS)}"
        row: dict[str, Any] = {"text": text, "posted_at": datetime.now(UTC).isoformat()}
        if self.rng.random() < 0.5:
            row |= {"author": "周一平", "phone": f"1390000{self.rng.randrange(8):04d}"}
        if like is not None:
            row |= self.rows[like] | {"text": self.rows[like]["text"] + self.rng.choice(("！", "，谢谢", "，辛苦了"))}
        self.rows[native_id] = row
        return RawAppeal(
            id=appeal_id(SOURCE, native_id),
            source=SOURCE,
            kind="line",
            channel="board",
            native_id=native_id,
            revision=revision,
            payload=json.dumps(row).encode(),
            received_at=datetime.now(UTC),
            withdrawn=withdrawn,
        )

    async def store(self, raws: Sequence[RawAppeal]) -> list[Handed]:
        """Normalize and store, and route nothing."""
        return list(await self.rooms.normalize(Batch(claim=_NO_CLAIM, raws=tuple(raws))))

    async def live(self) -> list[Handed]:
        """Let something of everything happen; give what is stored and was not routed yet."""
        rng = self.rng
        await self.rooms.route(await self.store([self.write() for _ in range(rng.randint(4, 8))]))
        for case in await self.some(3):
            await self.sign(case)
        for case in await self.some(2):
            await reassign(case, rng.choice(("ZJJ", "GAJ", "SCJ")), "张三", "试", self.rooms.router)
        away = with_fields(self.rooms.router, publisher=Away())
        await route_page(await self.store([self.write() for _ in range(rng.randint(1, 3))]), away)
        known = rng.sample(sorted(self.letters), min(4, len(self.letters)))
        late = [self.write(again=name, withdrawn=rng.random() < 0.2) for name in known]
        # The same person again: some are carried by an order, and what is carried says something new.
        spoken = [name for name, row in self.rows.items() if "author" in row and name not in known]
        late += [self.write(like=name) for name in rng.sample(spoken, min(2, len(spoken)))]
        linked = [case.native_id async for case in self.rooms.cases.lists.all() if case.goal is State.LINKED]
        for name in rng.sample(linked, min(2, len(linked))):
            if name not in known:
                late.append(self.write(again=name, like=name))
        return await self.store([*late, *(self.write() for _ in range(rng.randint(1, 3)))])

    async def some(self, most: int) -> list[Case]:
        held = [case async for case in self.rooms.cases.lists.all() if case.holder is not None and not case.unsent]
        return self.rng.sample(held, min(most, len(held)))

    async def sign(self, case: Case) -> None:
        """The lead's program takes it in, and perhaps signs."""
        await self.say(case, *("received", "accepted")[: self.rng.randint(1, 2)])

    async def end(self, case: Case) -> None:
        """The lead says that it is done, and so does the citizen."""
        await self.say(case, "resolved")
        await visit(case.id, Visit(reached=True, solved="yes"), "李四", self.rooms.router)

    async def say(self, case: Case, *kinds: str) -> None:
        order = next(row for row in reversed(case.dispatches) if row.department == case.holder)
        for kind in kinds:
            said = {"kind": kind, "id": f"{case.id}-{kind}-{order.sequence}", "handler": "李四"}
            said |= {"resolution": "solved"} if kind == "resolved" else {}
            whole = {"case": case.id, "dispatch": order.id, "at": datetime.now(UTC).isoformat()}
            feedback: Feedback = msgspec.convert(whole | said, Feedback)
            await take_said(feedback, order.department, self.rooms.ear)

    # ------------------------------------------------------------ what the centre changes

    def change(self) -> tuple[Path, Path | None]:
        """Write other rules at random, and now and then another directory."""
        rng, lines = self.rng, [f'version = "r{self.rng.randrange(10**6)}"']
        if rng.random() < 0.15:
            lines.append(f"[thresholds]\nconfidence = {rng.choice((0.3, 0.6, 0.95))}")
        lines.append("[categories]")
        for code in rng.sample([code for code in CATEGORIES if len(code) == 4], rng.randint(0, 4)):
            assist = rng.sample(ROLES, rng.randint(0, 2))
            lines.append(f"{code} = {{ lead = {json.dumps(rng.choice(ROLES))}, assist = {json.dumps(assist)} }}")
        taken: set[tuple[str, str]] = set()
        for _ in range(rng.randint(0, 3)):
            place, code = rng.choice(("望湖区", "望湖区/柳荫街道", "望湖区/听涛街道")), rng.choice(CATEGORIES)
            if (place, code) in taken:
                continue
            taken.add((place, code))
            lead, assist = rng.choice(("JDB", "CGJ", "QXZF", "GAJ")), rng.sample(("CGJ", "SCJ"), rng.randint(0, 1))
            lines.append(f'[[matrix]]\nplace = ["{place}"]\ncategory = ["{code}"]\nlead = "{lead}"')
            lines.append(f'assist = {json.dumps(assist)}\nwhy = "吹哨报到"')
        if rng.random() < 0.5:
            word, lead = rng.choice(("请", "小区", "路", "三天")), rng.choice(ROLES)
            lines.append(f'[[rule]]\nid = "own"\ncategory = ["{rng.choice(CATEGORIES[:7])}"]\nany = ["{word}"]')
            lines.append(f'lead = "{lead}"\nwhy = "试"')
        rules = self.folder / "new-rules.toml"
        rules.write_text("\n".join(lines), "utf-8")
        if rng.random() < 0.7:
            return rules, None
        gone = {rng.choice(("CGJ_WANGHU", "JDB_LIUYIN", "HJJ"))} if rng.random() < 0.7 else set()
        units = self.folder / "new-directory.toml"
        units.write_text(directory([code for code in CODES if code not in gone]), "utf-8")
        return rules, units

    async def rehearse(self, rules: Path, units: Path | None) -> tuple[Rehearsed, list[Expected], Any]:
        found: list[Expected] = []
        now = self.rooms.tables._replace(router=self.rooms.router.tables)
        wanted = candidate(rules, units, now, self.house.settings)
        new = await read(wanted, now, self.house.settings)
        watch = Watch(hand_on=lambda each: found.append(each) if isinstance(each, Expected) else None)
        done = await rehearse(
            self.rooms.router, self.house.db, self.house.settings, wanted, (now, new), 30, watch, reassign=True
        )
        return done, found, (now, new)

    async def release(self, done: Rehearsed, tables: Any) -> tuple[Release, Reassigned]:
        """Release, let the worker take it, and move the open orders."""

        async def prepare(units: Directory) -> None:
            await ensure_topology(self.house, units.units.values())

        said = Said(by="张三", reason="试", forced=True)
        settings_, db, room = self.house.settings, self.house.db, self.rooms.router
        made = await put_in_force(db, settings_, await newest(db), tables, done, said, room.moment(), prepare)
        assert made is not None
        await self.rooms.take_release()
        assert room.tables.versions == tables[1].router.versions
        return made, await reassign_open(db, room, done.since, made.n, "张三")

    # ------------------------------------------------------------ what an outsider sees

    async def on_their_way(self) -> set[tuple[str, str, int, str]]:
        """What was written down before the release and never left."""
        return {
            (row.id, row.department, row.sequence, row.type.value)
            async for case in self.rooms.cases.lists.all()
            for row in case.dispatches
            if row.state is Sent.PENDING
        }

    async def deliver_all(self) -> None:
        await self.house.db.cases.update_many({"unsent": {"$gt": 0}}, {"$set": {"until": datetime(2000, 1, 1)}})  # noqa: DTZ001
        while await self.rooms.unsent():
            page = await deliver_forgotten(self.rooms.router)
            if not page.sent:
                await self.house.db.cases.update_many({"unsent": {"$gt": 0}}, {"$set": {"until": datetime(2000, 1, 1)}})  # noqa: DTZ001

    async def consume(self) -> list[tuple[str, str, int, str]]:
        """Empty every department's queue: message id, department, sequence, type."""
        taken = []
        connection = await aio_pika.connect(self.house.broker_url)
        async with connection:
            channel = await connection.channel()
            for code in CODES:
                queue = await channel.get_queue(f"dept.{code}", ensure=False)
                while (message := await queue.get(fail=False)) is not None:
                    await message.ack()
                    body = json.loads(message.body)
                    kind = body["type"].split(".")[1]
                    taken.append((str(message.message_id), code, int(body["data"]["sequence"]), kind))
        return taken


_NO_CLAIM: Any = None


@asynccontextmanager
async def living(mongo: Any, amqp: Any, folder: Path, seed: int) -> AsyncIterator[Living]:
    """Open the city on real servers."""
    await ensure_indexes(mongo)
    (folder / "directory.toml").write_text(directory(), "utf-8")
    (folder / "intake.toml").write_text(_SETTINGS.format(places=CITY / "places.toml", keys=folder / "keys"), "utf-8")
    kinds: Any = {name: kind.settings for name, kind in REGISTRY.items()}
    read_settings = settings.load(folder / "intake.toml", {}, kinds)
    house = House(
        settings=read_settings,
        db=mongo,
        mongo_url="",
        broker_url=amqp.url,
        management_url=amqp.management,
        own_servers=False,
    )
    async with open_rooms(house, "worker") as rooms:
        await ensure_topology(house, rooms.tables.router.directory.units.values())
        yield Living(house=house, rooms=rooms, rng=random.Random(seed), folder=folder)


_SETTINGS = """
city = "云泽市"
[keys]
folder = "{keys}"
[tables]
places = "{places}"
directory = "directory.toml"
[[source]]
name = "letters"
kind = "table"
channel = "board"
mode = "route"
zone = "Asia/Shanghai"
[source.columns]
native_id = "编号"
text = "内容"
"""
