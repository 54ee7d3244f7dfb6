"""The province's 12345 platform (省平台): it asks nobody and pushes its orders, signed, to the door of the street.

POST <door>/push/demo-exchange   {"event": "create" | "status" | "withdraw", "time": …, "data": {the wide order table}}

Every third order is handled on after a while, every seventh taken back. What is not answered with 200 is pushed again,
in its turn, so that nothing overtakes it; what was answered counts as offered.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import time
from collections import deque
from datetime import datetime
from zoneinfo import ZoneInfo

import aiohttp
import msgspec
from msgspec.structs import replace

from demo.city import City
from demo.deal import EXCHANGE
from demo.hotline import order_id, row_of, text_of
from demo.story import Post, Story

APP_KEY, SECRET = "yunze-province", "yunze-demo-exchange-secret"
PACE = 6.0  #: seconds between two pushes
ZONE = ZoneInfo("Asia/Shanghai")


class Told(msgspec.Struct, frozen=True):
    """One push that is to be sent."""

    event: str
    post: Post
    order: object

    def body(self, at: datetime) -> bytes:
        return msgspec.json.encode({"event": self.event, "time": text_of(at), "data": self.order})


class Exchange:
    """Pushes one order after another."""

    def __init__(self, city: City, door: str) -> None:
        self._city = city
        self._url = f"{door}/push/{EXCHANGE}"
        self._waiting: deque[Told] = deque()
        self._nonces = itertools.count()
        self._story = city.stories[EXCHANGE] = Story(EXCHANGE, (), ())

    async def run(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            while True:
                if not self._waiting:
                    self._waiting += self.happens(datetime.now(ZONE).replace(tzinfo=None, microsecond=0))
                while self._waiting and await self._push(session, self._waiting[0]):
                    self._took(self._waiting.popleft())
                await asyncio.sleep(PACE)

    def happens(self, now: datetime) -> list[Told]:
        """A new order, and what became of an older one."""
        post = replace(self._city.submit(EXCHANGE, now), at=now)
        self._story.posts[post.number] = post
        told = [Told("create", post, row_of(post).order)]
        older = self._story.posts.get(post.number - 3)
        if older is not None and older.number % 7 == 0:
            gone = replace(older, withdrawn=True)
            told.append(Told("withdraw", gone, {"orderId": order_id(older), "updateTime": text_of(now)}))
        elif older is not None and older.number % 3 == 0:
            news = {"orderId": order_id(older), "orderState": "办理中", "updateTime": text_of(now)}
            told.append(Told("status", older, news))
        return told

    async def _push(self, session: aiohttp.ClientSession, told: Told) -> bool:
        body = told.body(datetime.now(ZONE))
        try:
            async with session.post(self._url, data=body, headers=self.signed(body)) as answer:
                return answer.ok
        except (aiohttp.ClientError, TimeoutError):
            return False  # the door is not open, or not any more

    def _took(self, told: Told) -> None:
        self._story.posts[told.post.number] = told.post
        self._city.offered.sent(EXCHANGE, order_id(told.post), withdrawn=told.post.withdrawn)

    def signed(self, body: bytes) -> dict[str, str]:
        """HMAC over key, moment, word and body, as docs/settings.md says by default."""
        moment, nonce = str(int(time.time())), str(next(self._nonces))
        text = f"{APP_KEY}\n{moment}\n{nonce}\n".encode() + body
        made = hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json", "X-App-Key": APP_KEY, "X-Timestamp": moment, "X-Nonce": nonce,
            "X-Sign": made,
        }  # fmt: skip
