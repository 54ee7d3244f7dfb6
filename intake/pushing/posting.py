"""One signed request to a department's address, and the only place here that knows HTTP's errors."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, urlsplit
from uuid import uuid4

import aiohttp
import msgspec

from connectors.asking.addresses import GuardedResolver, PrivateAddressError
from intake.pushing.judging import Next, Verdict, judge
from intake.pushing.settings import Push
from intake.pushing.signing import signature
from normalizer.appeal import Instant, instant
from router.dispatching.message import SOURCE

PING = "department.ping.v1"
WITHIN = 30.0  #: seconds for one message, from the first byte to the answer
CONNECT_WITHIN = 10.0
#: Stand in a header as they are; all else is written in percent, as CloudEvents has it: an answer to feedback repeats
#: what its department called the case, whatever that is.
_PLAIN = "".join(chr(each) for each in range(0x21, 0x7F) if chr(each) not in '"%')


class Event(NamedTuple):
    """What is posted: one of the department's messages as it lies in its queue, or a ping."""

    id: str
    type: str
    subject: str
    body: bytes


class Ping(msgspec.Struct, frozen=True, kw_only=True):
    """`department.ping.v1` (探测): are you there? Answered with 2xx; nothing is stored."""

    specversion: str = "1.0"
    id: str
    source: str = SOURCE
    type: str = PING
    subject: str  #: the department's code
    time: Instant
    datacontenttype: str = "application/json"
    data: dict[str, str]


def ping(department: str, at: datetime) -> Event:
    """Make a ping."""
    name = f"ping-{uuid4().hex}"
    made = Ping(id=name, subject=department, time=instant(at), data={"department": department})
    return Event(name, PING, department, msgspec.json.encode(made))


class Poster:
    """The way to one department."""

    def __init__(
        self, push: Push, keys: tuple[bytes, ...], session: aiohttp.ClientSession, now: Callable[[], datetime]
    ) -> None:
        self.push = push
        self._keys = keys
        self._session = session
        self._now = now

    async def post(self, event: Event) -> Verdict:
        """Post it once; whatever comes of it is a verdict."""
        try:
            async with self._session.post(
                self.push.url, data=event.body, headers=self._headers(event), allow_redirects=False
            ) as answer:
                return judge(answer.status, answer.headers, self._now())
        except PrivateAddressError:
            return Verdict(Next.WRONG, "the name leads into a private network")
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as error:
            return Verdict(Next.WRONG, type(error).__name__)
        except aiohttp.InvalidURL:
            return Verdict(Next.WRONG, "InvalidURL")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if isinstance(error.__cause__, PrivateAddressError):
                return Verdict(Next.WRONG, "the name leads into a private network")
            return Verdict(Next.FAILED, type(error).__name__)

    def _headers(self, event: Event) -> dict[str, str]:
        seconds = int(self._now().timestamp())
        return {
            "Content-Type": "application/cloudevents+json; charset=UTF-8",
            "webhook-id": event.id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": signature(self._keys, event.id, seconds, event.body),
            "ce-id": quote(event.id, safe=_PLAIN),
            "ce-type": quote(event.type, safe=_PLAIN),
            "ce-subject": quote(event.subject, safe=_PLAIN),
            "User-Agent": "intake-push/1",
        }


@asynccontextmanager
async def open_poster(push: Push, keys: tuple[bytes, ...], now: Callable[[], datetime]) -> AsyncIterator[Poster]:
    """Open the way: its certificate is checked, and its name leads into no private network that is not said to be."""
    own = {urlsplit(push.url).hostname or ""} if push.private else set()
    tls = ssl.create_default_context(cafile=None if push.ca is None else str(push.ca))
    connector = aiohttp.TCPConnector(resolver=GuardedResolver(own), ssl=tls)
    limits = aiohttp.ClientTimeout(total=WITHIN, sock_connect=CONNECT_WITHIN)
    async with aiohttp.ClientSession(
        connector=connector, timeout=limits, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    ) as session:
        yield Poster(push, keys, session, now)
