"""`intake check`: does everything answer, and what would become of one page of each source. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import aiohttp
import msgspec
from pymongo.errors import PyMongoError

from connectors.base import Item
from connectors.errors import ConnectorError
from connectors.raw_appeal import Mode
from connectors.source import Source
from intake import migrations
from intake.house import House
from intake.probing import Finding, Probe, first_page, of_answers, of_texts, of_times, questions, why
from intake.street.clock import Clock
from intake.street.patience import fault
from intake.tables import Tables
from intake.topology import alarms, management
from intake.unstored import unstored
from normalizer.appeal import Appeal, Secrets
from normalizer.errors import Unmappable
from normalizer.flow import normalize
from normalizer.steps.mask import Masker
from router.dispatch import Context
from router.dispatching.broker import Management
from router.dispatching.decide import decide
from router.dispatching.topology import plan, read_state
from router.errors import ManagementRefuses, RouterError

_CONTEXT = Context(mode=Mode.ROUTE)
SHOWN = 3  #: items of a page that are shown
_REF_KEY = b"intake check: nothing made with this key is kept"


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    what: str
    well: bool
    says: str  #: one sentence, Chinese first


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """One item: what came, masked, beside what it becomes."""

    native_id: str
    raw: str
    appeal: dict[str, Any] | None
    department: str | None
    sentence: str


class CheckedSource(msgspec.Struct, frozen=True, kw_only=True):
    """One source: its first page."""

    name: str
    well: bool
    says: str
    offered: int = 0
    unreadable: int = 0
    items: list[Mapped] = []


async def check_servers(house: House, tables: Tables) -> list[Checked]:
    """Ask both servers."""
    return [await _database(house), await _broker(house, tables)]


async def _database(house: House) -> Checked:
    try:
        await migrations.check(house.db)
        await Clock.of(house.db)
    except migrations.SchemaRefused as refused:
        fresh = await migrations.version(house.db) == 0
        return Checked(
            what="MongoDB", well=fresh, says="空库，run 会建立 · empty, `run` sets it up" if fresh else str(refused)
        )
    except PyMongoError as error:
        return Checked(what="MongoDB", well=False, says=f"连不上 · not reached: {type(error).__name__}")
    return Checked(what="MongoDB", well=True, says="正常 · answers")


async def _broker(house: House, tables: Tables) -> Checked:
    try:
        async with aiohttp.ClientSession() as session:
            broker = management(house, session)
            wanted = plan(tables.router.directory.units.values(), await read_state(broker))
            wrong = [*wanted.wrong, *await _alarms(broker)]
    except RouterError as error:
        return Checked(what="RabbitMQ", well=False, says=f"管理接口连不上 · {error}")
    if wrong:
        return Checked(what="RabbitMQ", well=False, says="; ".join(wrong))
    if wanted.steps:
        return Checked(
            what="RabbitMQ",
            well=True,
            says=f"正常，有 {len(wanted.steps)} 处待建，run 或 departments apply 会建立 · answers; queues to be made",
        )
    return Checked(what="RabbitMQ", well=True, says="正常，队列齐全 · answers, all queues are there")


async def _alarms(broker: Management) -> list[str]:
    """Where our user may not ask (it lacks the tag `monitoring`), the street finds out by itself."""
    try:
        return await alarms(broker)
    except ManagementRefuses:
        return []


async def check_source(probe: Probe, tables: Tables, now: datetime) -> CheckedSource:
    """Read one page, map it, and ask what it does not tell; nothing is stored and no position moves."""
    name = probe.source.name
    try:
        page = await first_page(probe.connect())
    except ConnectorError as error:
        return CheckedSource(name=name, well=False, says=why(error))
    except Exception as error:  # noqa: BLE001 - whatever a source does, the others are checked too
        return CheckedSource(name=name, well=False, says=f"程序出错 · fault {fault(error)}")
    items = [] if page is None else [_mapped(item, probe.source, tables) for item in page.items[:SHOWN]]
    found = [*of_answers(page), *_of_appeals(probe, items, now)]
    if page is not None:
        found += await questions(probe, page)
    return CheckedSource(
        name=name,
        well=not any(finding.wrong for finding in found),
        says="\n".join(finding.says for finding in found) or "正常 · answers",
        offered=0 if page is None else len(page.offered),
        unreadable=0 if page is None else len(page.bad),
        items=items,
    )


def _of_appeals(probe: Probe, items: list[Mapped], now: datetime) -> list[Finding]:
    appeals = [item.appeal for item in items if item.appeal is not None]
    moments = [datetime.fromisoformat(appeal["posted_at"]) for appeal in appeals if appeal["posted_at"]]
    texts = [item.raw for item in items]
    return [*of_texts(probe, texts), *of_times(probe.source, moments, now)]


def _mapped(item: Item, source: Source, tables: Tables) -> Mapped:
    raw = unstored(item, source)
    try:
        made = normalize(raw, tables.normalizer, _REF_KEY)
    except Unmappable as error:
        shown = masked(item.payload, Secrets())
        return Mapped(native_id=item.native_id, raw=shown, appeal=None, department=None, sentence=str(error))
    appeal = msgspec.structs.replace(made.appeal, citizen=msgspec.structs.replace(made.appeal.citizen, ref=None))
    lead, sentence = _decided(appeal, tables)
    return Mapped(
        native_id=item.native_id,
        raw=masked(item.payload, made.secrets),
        appeal=msgspec.to_builtins(appeal),
        department=lead,
        sentence=sentence,
    )


def _decided(appeal: Appeal, tables: Tables) -> tuple[str | None, str]:
    if not appeal.quality.is_appeal:
        return None, "非诉求 · not an appeal"
    decision = decide(appeal, _CONTEXT, tables.router)
    return decision.routing.lead, decision.sentence


def masked(payload: bytes, secrets: Secrets) -> str:
    """Show a payload without what the vault would keep: what was masked, and the caller's contact."""
    try:
        text = msgspec.json.encode(msgspec.json.decode(payload)).decode()  # one spelling: no escapes to hide behind
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = payload.decode("utf-8", "replace")
    originals: Mapping[str, str] = {**secrets.contact, **secrets.originals}
    for name, original in sorted(originals.items(), key=lambda each: -len(each[1])):
        if original:
            text = text.replace(original, f"〔{name.rpartition(':')[2]}〕")
    return Masker().mask("raw", text)
