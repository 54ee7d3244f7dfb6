"""The floor under the street: its writes and its publish of bytes that are there already, `normalize` and `decide`.

No source is read, nothing is compared with what stands, nothing sealed, claimed, composed or stamped: what is written
was taken from a street that has run. What this reaches against mq-bridge, no code of ours can reach with the same five
writes; what the street reaches against this is what the code costs.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import aio_pika
import bson
import msgspec
import pymongo
import uvloop
from aiormq.abc import AbstractChannel
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorClient

from bench.bare_publish import messages_of
from bench.city import NAME, REF_KEY, files, orders_of, raw_of, read
from bench.ground import Ground, Task, in_a_process, states_in
from bench.row import Pair, Sample, in_turn
from bench.stopwatch import Stopwatch
from bench.texts import native_id
from connectors.raw_appeal import RawAppeal
from intake.street.beside import Beside
from intake.street.collecting import look_seldom
from intake.street.normalizing import Begin
from intake.street.turns import take_short_turns
from intake.tables import Tables
from normalizer.finished import Failed
from router.cases.moves import Sent, State
from router.cases.stamps import SIZE
from router.dispatch import Context
from router.dispatching.decide import decide
from router.dispatching.publish_page import Fate, Message, publish_page
from router.store import PENDING, confirmation, delivered

QUEUE = "bench.floor"
AT_ONCE = 3  #: pages; with four it is as fast, with six slower
ANSWER_WITHIN = 20.0
#: In the order in which a page writes them.
COLLECTIONS = ("raw", "vault", "appeals", "cases")

Documents = Mapping[str, Sequence[RawBSONDocument]]


class Floor(NamedTuple):
    """What a run works with; everything in it is prepared before the watch starts."""

    db: Any
    channel: AbstractChannel
    beside: Beside
    known: Tables
    raws: Sequence[RawAppeal]
    documents: Documents
    messages: Sequence[Message]


def compare(ground: Ground) -> list[Pair]:
    """Let the street run once, and write what it wrote, against mq-bridge."""
    with ground.fresh(one_desk=True) as made:
        in_a_process("street", made)

        def ours() -> Sample:
            with ground.fresh(one_desk=True) as task:
                return in_a_process("floor", msgspec.structs.replace(task, made=made.database))

        return in_turn(ours, lambda: ground.run("bridge", one_desk=True), ground.runs, ground.tell)


def run(task: Task) -> Sample:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return uvloop.run(_run(task, Path(folder)))


async def _run(task: Task, folder: Path) -> Sample:
    chosen = files(folder, one_desk=task.one_desk)
    known = read(chosen)
    begin = Begin(taxonomy=None, places=str(chosen.places), words=None, city=NAME, ref_key=REF_KEY)
    beside = Beside(begin, known.normalizer)
    try:
        async with await aio_pika.connect(task.amqp_url) as connection:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
            floor = Floor(
                db=AsyncIOMotorClient(task.mongo_url, w="majority", journal=True)[task.database],
                channel=await channel.get_underlay_channel(),
                beside=beside,
                known=known,
                raws=[raw_of(order, native_id(number)) for number, order in enumerate(orders_of(task), 1)],
                documents=_as_first_written(task),
                messages=[Message(each.id, "", QUEUE, each.body) for each in messages_of(task)],
            )
            return await _measure(task, floor)
    finally:
        await beside.close()


async def _measure(task: Task, floor: Floor) -> Sample:
    look_seldom()
    take_short_turns()
    await floor.beside.ready()
    turn = asyncio.Semaphore(AT_ONCE)

    async def in_its_turn(start: int) -> None:
        async with turn:
            await _page(floor, start, start + task.page)

    watch = Stopwatch(task)
    await asyncio.gather(*map(in_its_turn, range(0, task.records, task.page)))
    seconds, facts = watch.stop(task.records)
    facts |= {"states": await states_in(floor.db), "messages": len(floor.messages), "queues": 1}
    return Sample(task.records / seconds, facts)


async def _page(floor: Floor, start: int, stop: int) -> None:
    """Write what a page of the street writes, in its order, and do the two pure functions between."""

    def mine(whole: Sequence[Any]) -> Sequence[Any]:
        records = len(floor.raws)
        return whole[len(whole) * start // records : len(whole) * min(stop, records) // records]

    await _insert(floor, "raw", mine(floor.documents["raw"]))
    made = await floor.beside.finish(floor.raws[start:stop])
    await _insert(floor, "vault", mine(floor.documents["vault"]))
    await _insert(floor, "appeals", mine(floor.documents["appeals"]))
    for each in made:
        if isinstance(each, Failed):
            raise TypeError(f"a letter could not be normalized: {each}")
        if each.appeal.quality.is_appeal:
            decide(each.appeal, Context(), floor.known.router)
    cases = mine(floor.documents["cases"])
    await _insert(floor, "cases", cases)
    receipts = await publish_page(floor.channel, "", mine(floor.messages), ANSWER_WITHIN)
    if any(receipt.fate is not Fate.SENT for receipt in receipts):
        raise RuntimeError("RabbitMQ did not take every message")
    await _confirm(floor, [case["_id"] for case in cases])


async def _insert(floor: Floor, name: str, documents: Sequence[RawBSONDocument]) -> None:
    if documents:
        await floor.db[name].insert_many(documents, ordered=False)


async def _confirm(floor: Floor, ids: Sequence[str]) -> None:
    """Write what the confirmation of a page writes; the stamp is as long as a real one."""
    await floor.db.cases.update_many(
        {"_id": {"$in": ids}, "version": 1, "state": State.IN_FLIGHT.value},
        confirmation(1, State.DELIVERED, delivered(3, datetime.now(UTC)), bytes(SIZE + 2)),
        array_filters=[PENDING],
    )


# ---------------------------------------------------------------- what is written


def _as_first_written(task: Task) -> Documents:
    """Read what the street wrote, its indexes too, and take back what a confirmation did to the cases."""
    assert task.made is not None
    client: pymongo.MongoClient[RawBSONDocument] = pymongo.MongoClient(task.mongo_url, document_class=RawBSONDocument)
    with client:
        made, fresh = client[task.made], client[task.database]
        found = {}
        for name in COLLECTIONS:
            for index, told in made[name].index_information().items():
                if index != "_id_":
                    options = {key: value for key, value in told.items() if key not in {"key", "v"}}
                    fresh[name].create_index(told["key"], name=index, **options)
            # A copy each: otherwise one document would keep the whole answer that it came in.
            found[name] = [RawBSONDocument(bytes(each.raw)) for each in made[name].find()]
        found["cases"] = [_unconfirmed(bson.decode(each.raw)) for each in found["cases"]]
        return found


def _unconfirmed(case: dict[str, Any]) -> RawBSONDocument:
    if case["state"] == State.DELIVERED.value:
        case |= {"version": 1, "state": State.IN_FLIGHT.value, "unsent": len(case["dispatches"])}
        case |= {"fence": 1, "until": case["opened_at"]}
        case["dispatches"] = [row | {"state": Sent.PENDING.value, "sent_at": None} for row in case["dispatches"]]
        case["events"].pop()
        case["stamps"].pop()
    return RawBSONDocument(bson.encode(case))
