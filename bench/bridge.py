"""A Rust transport that does as little as can be called the same: `mq-bridge`, file -> MongoDB and a quorum queue.

Its Python handler calls our `normalize`; MongoDB is written with majority and journal, the queue with confirms
(`delayed_ack` is off by default). It stores once, decides nothing, marks nothing and could not say after a crash what
was sent. Batches of 500 and concurrency 4 were its fastest settings.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aio_pika
import msgspec
import pymongo
import uvloop
from mq_bridge import Message, Route

from bench.city import REF_KEY, orders_of, raw_of, tables
from bench.ground import Task
from bench.row import Sample
from bench.stopwatch import Stopwatch
from normalizer.flow import normalize

QUEUE = "bench.bridge"
COLLECTION = "appeals"
BATCH, CONCURRENCY = 500, 4


class _Order(msgspec.Struct):
    orderId: str  # noqa: N815  the source's own name


def run(task: Task) -> Sample:
    uvloop.run(_declare(task.amqp_url))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "orders.jsonl"
        file.write_bytes(b"\n".join(orders_of(task)) + b"\n")
        route = Route.from_config(_config(task, file), "bench").with_handler(_handler())
        watch = Stopwatch(task)
        route.start()
        route.join()  # ends when the file is read and everything in it is stored and confirmed
        seconds, facts = watch.stop(task.records)
    _check(task, uvloop.run(_count(task.amqp_url)))
    return Sample(task.records / seconds, facts)


def _handler() -> Callable[[Message], Message]:
    known, encode = tables().normalizer, msgspec.json.Encoder().encode
    native_id_of = msgspec.json.Decoder(_Order).decode

    def handle(message: Message) -> Message:
        order = message.payload
        raw = raw_of(order, native_id_of(order).orderId)
        return message.with_payload(encode(normalize(raw, known, REF_KEY).appeal))

    return handle


def _config(task: Task, file: Path) -> dict[str, Any]:
    parted = "&" if "?" in task.mongo_url else "?"
    store = {
        "url": f"{task.mongo_url}{parted}w=majority&journal=true",
        "database": task.database,
        "collection": COLLECTION,
        "format": "json",
    }
    queue = {"url": task.amqp_url, "queue": QUEUE, "no_declare_queue": True}
    return {
        "input": {"file": {"path": str(file), "format": "raw"}},
        "output": {"fanout": [{"mongodb": store}, {"amqp": queue}]},
        "batch_size": BATCH,
        "concurrency": CONCURRENCY,
        "empty_batch_delay_ms": 1,
        "exit_on_empty": True,
    }


async def _declare(url: str) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})


async def _count(url: str) -> int:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(QUEUE, passive=True)
        return queue.declaration_result.message_count or 0


def _check(task: Task, queued: int) -> None:
    """A baseline that loses something is none."""
    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(task.mongo_url)
    stored = client[task.database][COLLECTION].count_documents({})
    client.close()
    if (stored, queued) != (task.records, task.records):
        raise RuntimeError(f"mq-bridge took {task.records} orders, stored {stored} and queued {queued}")
