"""The only place that knows HTTP's errors: a polite `Fetch` for one source.

Strategy: one budget a source; what a source answers is data, a wish for patience, or a reason to stop (errors.py).
Short troubles are waited out here, by error group; longer ones end the reading, and the source waits (flow.py).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential_jitter
from yarl import URL

from connectors.asking.addresses import PrivateAddressError
from connectors.asking.budget import SHORT_WAIT, Budget, LocalBudget, Verdict
from connectors.asking.judging import REDIRECTS, Asked, PutOff, Remembered, judged, verdict_of
from connectors.asking.robots import PRODUCT, Robots, read_robots
from connectors.asking.session import has_key
from connectors.asking.token import Token
from connectors.base import Fetch, Request, Response
from connectors.errors import AccessDenied, FormatChanged, LeadsAway, RateLimited, Resting, SourceDown, TryLater
from connectors.source import Source

LARGEST = 20 * 1024 * 1024  #: bytes of one answer
LONGEST = 60.0  #: seconds of one request, to its last byte; the slowest boards we know take 25
TRIES = 4
MOST_REDIRECTS = 5
ROBOTS_KEPT = 86400.0  #: seconds, as RFC 9309 has it
_AS_GET = {301, 302}  #: after a POST, as every browser does


def user_agent(contact: str) -> str:
    """Say honestly who asks and whom to call."""
    return f"{PRODUCT}/1 (citizens' appeals; contact: {contact})"


def fetch_for(
    source: Source,
    addresses: Iterable[str],
    session: aiohttp.ClientSession,
    *,
    contact: str,
    now: Callable[[], datetime],
    budget: Budget | None = None,
) -> Fetch:
    """Make the way to the network of one source; it leads to the hosts of these addresses and of `hosts` alone."""
    hosts = {_host(address) for address in addresses} | set(source.hosts)
    spending = budget or LocalBudget(source.requests_per_minute)
    agent = user_agent(contact)
    exempt = source.robots_exempt is not None or has_key(source)
    return _Way(
        name=source.name,
        hosts=frozenset(hosts),
        session=session,
        budget=spending,
        agent=agent,
        now=now,
        obeys_robots=not exempt,
    ).fetch


@dataclass(kw_only=True)
class _Way:
    """The state behind one `Fetch`."""

    name: str
    hosts: frozenset[str]
    session: aiohttp.ClientSession
    budget: Budget
    agent: str
    now: Callable[[], datetime]
    obeys_robots: bool
    _remembered: Remembered = field(default_factory=Remembered)
    _robots: dict[str, tuple[float, Robots]] = field(default_factory=dict)  #: of a site, and until when believed
    _put_off: PutOff = field(default_factory=PutOff)
    _reading_robots: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def fetch(self, request: Request) -> Response:
        """Ask, and ask again where that may help soon."""
        retrying = AsyncRetrying(
            retry=retry_if_exception(_helps_soon),
            wait=_wait,
            stop=stop_after_attempt(1 if request.once else TRIES),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                response = await self._follow(request)
        return response

    async def _follow(self, request: Request) -> Response:
        """Follow redirects inside the source's own hosts."""
        asked = Asked(request.method, self._address(request), request.body)
        method, url, body = self._put_off.taken_up(asked)
        cookies: list[str] = []
        for _ in range(MOST_REDIRECTS + 1):
            self._must_be_ours(url)
            await self._must_be_welcome(url)
            if _host(str(url)) != _host(str(asked.url)):
                request = msgspec.structs.replace(request, headers={})  # a key is for its own host, or nobody
            status, headers, content = await self._ask(method, url, request, body)
            if "set-cookie" in headers and _host(str(url)) == _host(str(asked.url)):
                cookies.append(headers["set-cookie"])  # a log-in sets them and leads on
            if cookies:
                headers["set-cookie"] = "\n".join(cookies)
            if status not in REDIRECTS or "location" not in headers:
                return self._judge(status, headers, content, method, url)
            url = self._led(url, headers["location"])
            if status == HTTPStatus.SEE_OTHER or (method == "POST" and status in _AS_GET):
                method, body = "GET", None
            self._must_not_wait_long(asked, Asked(method, url, body), headers)
        raise FormatChanged(f"source {self.name}: more than {MOST_REDIRECTS} redirects at {_shown(url)}; check `url`")

    def _address(self, request: Request) -> URL:
        """Where a request leads; a source may have written the address."""
        try:
            url = URL(request.url).update_query(request.query) if request.query else URL(request.url)
            _host(str(url))
        except ValueError as error:
            raise FormatChanged(f"source {self.name} leads to what is no address; check `url`") from error
        return url

    def _led(self, url: URL, location: str) -> URL:
        """Where a redirect leads; never from an encrypted line to an open one, where anybody may read and answer."""
        try:
            led = url.join(URL(location))
            _host(str(led))
        except ValueError as error:
            raise FormatChanged(
                f"source {self.name}: {_shown(url)} redirects to what is no address; check `url`"
            ) from error
        if url.scheme == "https" and led.scheme == "http":
            raise FormatChanged(
                f"source {self.name}: {_shown(url)} redirects to {_shown(led)}, which is not encrypted; "
                "ask its operator, or write the address that is meant into `url`"
            )
        return led

    def _must_not_wait_long(self, asked: Asked, led: Asked, headers: dict[str, str]) -> None:
        """Follow no redirect before its Retry-After: the budget waits a short one, a long one is told."""
        seconds = self._put_off.seconds(asked, led, headers, self.now())
        if seconds > SHORT_WAIT:
            raise RateLimited(f"source {self.name}: {_shown(asked.url)} asks for {seconds:.0f} s of patience", seconds)

    def _is_ours(self, url: URL) -> bool:
        return url.scheme in {"http", "https"} and url.host is not None and _host(str(url)) in self.hosts

    def _must_be_ours(self, url: URL) -> None:
        if not self._is_ours(url):
            raise LeadsAway(
                f"source {self.name} leads to {_shown(url)}, which is none of its hosts; "
                "if that is right, name the host in `hosts`"
            )

    async def _must_be_welcome(self, url: URL) -> None:
        """Obey robots.txt; a source that let us in by a key, or agreed otherwise, is not asked for it."""
        if not self.obeys_robots:
            return
        robots = await self._robots_of(url.origin())
        if not robots.allows(url.raw_path_qs):
            raise AccessDenied(
                f"source {self.name}: {_shown(url)} is closed to us by the robots.txt of {url.host}; "
                "ask its operator, and write down who agreed in `robots_exempt`"
            )

    async def _robots_of(self, site: URL) -> Robots:
        async with self._reading_robots:
            until, robots = self._robots.get(str(site), (0.0, Robots()))
            if time.monotonic() >= until:
                robots = await self._read_robots(site)
                self._robots[str(site)] = time.monotonic() + ROBOTS_KEPT, robots
                if robots.delay:
                    self.budget.slow_down(robots.delay)
            return robots

    async def _read_robots(self, site: URL) -> Robots:
        """Read it as RFC 9309 says: no file allows everything, a broken server nothing until it answers."""
        asked = Asked("GET", site / "robots.txt")
        url = self._put_off.taken_up(asked).url
        for _ in range(MOST_REDIRECTS + 1):
            status, headers, content = await self._ask("GET", url, Request(url=str(url)), None)
            if status in REDIRECTS and "location" in headers:
                try:
                    url = self._led(url, headers["location"])
                except FormatChanged:
                    return Robots()
                self._must_not_wait_long(asked, Asked("GET", url), headers)
                if not self._is_ours(url):
                    return Robots()
                continue
            if status == HTTPStatus.OK:
                return read_robots(content)
            if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                self._judge(status, headers, content, "GET", url)  # raises: it is asked again
            return Robots()
        return Robots()

    async def _ask(
        self, method: str, url: URL, request: Request, body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        known = self._remembered.validators(method, url)
        headers = {"User-Agent": self.agent, "Accept": "*/*"} | known | dict(request.headers)
        token = Token(self.budget)
        await token.spend()
        try:
            async with self.session.request(
                method,
                url,
                headers=headers,
                data=body,
                allow_redirects=False,
                middlewares=(token,),
                timeout=aiohttp.ClientTimeout(total=LONGEST),
            ) as answer:
                told = _told(answer)
                token.verdict, token.rest = verdict_of(answer.status, told, self.now())
                content = await self._content(answer, url)
                return answer.status, told, content
        except aiohttp.ClientConnectorDNSError as error:
            if isinstance(error.os_error, PrivateAddressError):
                raise FormatChanged(
                    f"source {self.name}: {url.host} leads to a private address; nothing was asked. "
                    "If that is a host of your own network, name it in `hosts`"
                ) from error
            token.verdict = Verdict.DOWN
            raise SourceDown(f"source {self.name}: no address for {url.host}; it is asked again") from error
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            token.verdict = Verdict.DOWN
            raise SourceDown(
                f"source {self.name}: no safe connection to {url.host} ({type(error).__name__}); check its certificate"
            ) from error
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            token.verdict = Verdict.DOWN
            raise SourceDown(
                f"source {self.name}: no whole answer from {_shown(url)} ({type(error).__name__}); it is asked again"
            ) from error
        finally:
            await token.end()

    def _judge(self, status: int, headers: dict[str, str], content: bytes, method: str, url: URL) -> Response:
        if status == HTTPStatus.NOT_MODIFIED and (known := self._remembered.again(url, self.now())) is not None:
            return known
        response = judged(status, headers, content, f"source {self.name}: {_shown(url)}", self.now())
        self._remembered.keep(method, url, response)
        return response

    async def _content(self, answer: aiohttp.ClientResponse, url: URL) -> bytes:
        parts = bytearray()
        async for part in answer.content.iter_chunked(256 * 1024):
            parts += part
            if len(parts) > LARGEST:
                raise FormatChanged(
                    f"source {self.name}: the answer of {_shown(url)} is larger than {LARGEST >> 20} MB; "
                    "ask for smaller pages"
                )
        return bytes(parts)


def _told(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """Headers by name in small letters; those that come in several: links as one list, cookies a line each."""
    told = {name.lower(): value for name, value in answer.headers.items()}
    several = {"link": ", ".join(answer.headers.getall("Link", []))}
    several["set-cookie"] = "\n".join(answer.headers.getall("Set-Cookie", []))
    return told | {name: value for name, value in several.items() if value}


def _helps_soon(error: BaseException) -> bool:
    if isinstance(error, Resting):
        return error.seconds <= SHORT_WAIT
    return isinstance(error, TryLater)


_backing_off = wait_exponential_jitter(multiplier=0.5, max=SHORT_WAIT, jitter=0.5)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.seconds if isinstance(error, Resting) else _backing_off(state)


def _host(address: str) -> str:
    """Host and port as they stand in the settings: another port is another server."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = (parts.hostname or "").lower()
    return host if port in {80, 443} else f"{host}:{port}"


def _shown(url: URL) -> str:
    """An address for people: without its query, which may hold a key."""
    return f"{url.scheme}://{url.host or ''}{'' if url.explicit_port is None else f':{url.port}'}{url.path}"
