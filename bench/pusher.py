"""Who pushes and who reads the department's queue, in one process with one clock: `python -m bench.pusher`."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import sys
import time

import aio_pika
import aiohttp
import msgspec
import uvloop

from connectors.raw_appeal import appeal_id

APP_KEY, SECRET = "bench", "bench-secret"
WARM = 1.0  #: seconds at the beginning that are not counted: connections, keys, first pages
QUIET = 3.0  #: seconds without a message after which nothing more is on its way


class Orders(msgspec.Struct, frozen=True):
    """What is pushed, and where to."""

    url: str
    source: str
    amqp_url: str
    queue: str
    rate: int
    orders: list[str]


class Seen(msgspec.Struct):
    """Moments by the one clock, by case."""

    due: dict[str, float] = {}
    answered: dict[str, float] = {}
    arrived: dict[str, float] = {}
    refused: int = 0


async def push_all(told: Orders) -> dict[str, float]:
    """Push at the pace that was asked for, and watch the queue until it is quiet."""
    seen = Seen()
    connection = await aio_pika.connect(told.amqp_url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.get_queue(told.queue, ensure=False)

        async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            seen.arrived.setdefault(msgspec.json.decode(message.body)["subject"], time.perf_counter())

        await queue.consume(take, no_ack=True)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await _push(told, session, seen)
        while time.perf_counter() - max([*seen.arrived.values(), *seen.answered.values()]) < QUIET:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    if seen.refused:
        raise RuntimeError(f"{seen.refused} pushes were refused")
    return _figures(seen)


async def _push(told: Orders, session: aiohttp.ClientSession, seen: Seen) -> None:
    began = time.perf_counter() + 0.2
    sending = []
    for number, order in enumerate(told.orders):
        due = began + number / told.rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        sending.append(asyncio.create_task(_one(told, session, seen, order, due)))
    await asyncio.gather(*sending)


async def _one(told: Orders, session: aiohttp.ClientSession, seen: Seen, order: str, due: float) -> None:
    body = b'{"event": "create", "data": %s}' % order.encode()
    moment = str(int(time.time()))
    sign = hmac.new(SECRET.encode(), f"{APP_KEY}\n{moment}\nn\n".encode() + body, hashlib.sha256).hexdigest()
    headers = {"X-App-Key": APP_KEY, "X-Timestamp": moment, "X-Nonce": "n", "X-Sign": sign}
    case = appeal_id(told.source, msgspec.json.decode(order)["orderId"])
    seen.due.setdefault(case, due)
    async with session.post(told.url, data=body, headers=headers) as answer:
        await answer.read()
        seen.refused += answer.status != 200
    seen.answered.setdefault(case, time.perf_counter())


def _figures(seen: Seen) -> dict[str, float]:
    first = min(seen.due.values()) + WARM
    counted = [case for case, due in seen.due.items() if due >= first] or list(seen.due)
    ways = sorted((seen.arrived[case] - seen.due[case]) * 1000 for case in counted if case in seen.arrived)
    answers = sorted((seen.answered[case] - seen.due[case]) * 1000 for case in counted)
    return {
        "messages": len(seen.arrived),
        "p50_ms": ways[len(ways) // 2],
        "p99_ms": ways[int(len(ways) * 0.99)],
        "most_ms": ways[-1],
        "answer_p50_ms": answers[len(answers) // 2],
        "answer_p99_ms": answers[int(len(answers) * 0.99)],
    }


if __name__ == "__main__":
    sys.stdout.buffer.write(
        msgspec.json.encode(uvloop.run(push_all(msgspec.json.decode(sys.stdin.buffer.read(), type=Orders))))
    )
