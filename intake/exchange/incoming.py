"""In from a department (导入): its bundles in order, its receipt, and its feedback as if it had come by the queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from intake.exchange.bundle import BadBundle, Bundle, Receipt, Way, folders, read
from intake.exchange.settings import Exchange
from intake.exchange.store import ExchangeStore
from router.listening import Ear, take_all


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one bundle brought."""

    bundle: str
    new: bool  #: False: it had been read in before, and nothing happened
    feedback: int = 0
    received: int = 0  #: bundles of ours that its receipt ended


class Said(NamedTuple):
    """A feedback, as the ear reads one: the signature has proved what the broker's login proves otherwise."""

    body: bytes
    routing_key: str
    user_id: str
    message_id: str | None = None
    headers: Mapping[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """What importing needs."""

    store: ExchangeStore
    ear: Ear
    at: datetime
    results: list[Result] = field(default_factory=list)


async def import_all(folder: Path, exchange: Exchange, incoming: Incoming) -> list[Result]:
    """Read in every bundle of this department in a folder, by number. Raises BadBundle; those before it stand."""
    found = folders(folder, Way.IN, exchange.department)
    bundles = [read(each, Way.IN, exchange.key, exchange.department) for each in found]
    for bundle in sorted(bundles, key=lambda each: each.manifest.number):
        incoming.results.append(await _import(bundle, incoming))
    return incoming.results


async def _import(bundle: Bundle, incoming: Incoming) -> Result:
    if await _is_known(bundle, incoming.store):
        return Result(bundle=bundle.name, new=False)
    department = bundle.manifest.department
    received = await _receipt(bundle, incoming)
    letters = [Said(line, department, f"dept.{department}.a") for line in bundle.lines]
    for failed in await take_all(letters, incoming.ear):
        if failed is not None:
            raise failed  # what was taken in is dropped when the bundle is read again
    # Last: who is killed before reads it in again, and repeats change nothing.
    await incoming.store.taken_in(bundle, incoming.at, feedback=len(letters))
    return Result(bundle=bundle.name, new=True, feedback=len(letters), received=received)


async def _is_known(bundle: Bundle, store: ExchangeStore) -> bool:
    """Say whether it was read in before; BadBundle where it is not the next one."""
    manifest = bundle.manifest
    digest = await store.digest(manifest.department, Way.IN, manifest.number)
    if digest == bundle.digest:
        return True
    if digest is not None:
        raise BadBundle(
            f"{bundle.name}：已读入过另一个第 {manifest.number} 号包，签名虽对而内容不同；请单位查明为何重号 · "
            "another bundle of this number was read in before: ask why the number was used twice"
        )
    last = await store.last(manifest.department, Way.IN)
    due, previous = (1, None) if last is None else (last.number + 1, last.sha256)
    if manifest.number != due:
        raise BadBundle(
            f"{bundle.name}：应先导入第 {due} 号包，中间的盘没到；找到后一起导入 · "
            f"number {due} is due first: a disc is missing"
        )
    if manifest.previous != previous:
        raise BadBundle(
            f"{bundle.name}：它接的不是我们读入的第 {due - 1} 号包；请单位查明 · "
            "does not follow the one that was read in"
        )
    return False


async def _receipt(bundle: Bundle, incoming: Incoming) -> int:
    """End what the department has received."""
    taken: Receipt | None = bundle.manifest.taken
    if taken is None:
        return 0
    ours = await incoming.store.digest(bundle.manifest.department, Way.OUT, taken.number)
    if ours != taken.sha256:
        raise BadBundle(
            f"{bundle.name}：回执说收到第 {taken.number} 号包，与我们发出的不是同一个；请单位重新验盘 · "
            "its receipt names a bundle that is not the one we made: ask them to verify theirs"
        )
    return await incoming.store.received(bundle.manifest.department, taken.number, incoming.at)
