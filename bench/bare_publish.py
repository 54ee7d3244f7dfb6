"""A bare loop of aio_pika publish with confirms, window 500: no source, no store, no decision, one quorum queue.

The bodies are those that the street sends for the same letters, made before the watch is started.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import aio_pika
import uvloop
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractExchange

from bench.city import REF_KEY, files, orders_of, raw_of, read
from bench.ground import Task
from bench.row import Sample
from bench.stopwatch import Stopwatch
from bench.texts import native_id
from normalizer.flow import normalize
from router.cases.case import dispatch_of, facts_of
from router.cases.deciding import open_case
from router.dispatch import Context
from router.dispatching.decide import decide
from router.dispatching.message import message

WINDOW = 500
QUEUE = "bench.publish"


class Body(NamedTuple):
    """One message as a department gets it."""

    id: str
    body: bytes


def run(task: Task) -> Sample:
    return uvloop.run(_run(task))


async def _run(task: Task) -> Sample:
    bodies = list(messages_of(task))
    connection = await aio_pika.connect(task.amqp_url)
    async with connection:
        channel = await connection.channel(publisher_confirms=True)
        await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        watch = Stopwatch(task)
        await publish_all(channel.default_exchange, bodies)
        seconds, facts = watch.stop(len(bodies))
    return Sample(len(bodies) / seconds, facts)


async def publish_all(exchange: AbstractExchange, bodies: Sequence[Body]) -> None:
    """Publish a window and wait for its confirms: measured faster than a window that slides message by message."""
    for start in range(0, len(bodies), WINDOW):
        await asyncio.gather(*(_publish(exchange, each) for each in bodies[start : start + WINDOW]))


async def _publish(exchange: AbstractExchange, each: Body) -> None:
    message_ = Message(
        each.body,
        content_type="application/cloudevents+json",
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=each.id,
    )
    await exchange.publish(message_, routing_key=QUEUE, mandatory=True)


def messages_of(task: Task) -> Iterator[Body]:
    """Make what the street sends for these letters."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        known = read(files(Path(folder), one_desk=task.one_desk))
    at, context = datetime.now(UTC), Context()
    for number, order in enumerate(orders_of(task), 1):
        appeal = normalize(raw_of(order, native_id(number)), known.normalizer, REF_KEY).appeal
        if not appeal.quality.is_appeal:
            continue
        case = open_case(appeal, context.mode, decide(appeal, context, known.router), context, at)
        for row in case.dispatches:
            yield Body(row.id, message(facts_of(case, row), dispatch_of(case, row), appeal, known.router))
