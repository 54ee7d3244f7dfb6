"""The only place that knows HTTP's errors: a polite `Fetch` for one source.

Strategy: one budget a source; what a source answers is data, a wish for patience, or a reason to stop (errors.py).
Short troubles are waited out here, by error group; longer ones end the reading, and the source waits (flow.py).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential_jitter
from yarl import URL

from connectors.asking.addresses import GuardedResolver, PrivateAddressError
from connectors.asking.budget import SHORT_WAIT, Budget, LocalBudget, Verdict
from connectors.asking.robots import PRODUCT, Robots, read_robots
from connectors.base import Fetch, Request, Response
from connectors.errors import AccessDenied, FormatChanged, RateLimited, Resting, SourceDown, TryLater
from connectors.source import Source

LARGEST = 20 * 1024 * 1024  #: bytes of one answer
LONGEST = 60.0  #: seconds of one request, to its last byte; the slowest boards we know take 25
TRIES = 4
NO_RETRY_AFTER = 30.0  #: seconds, where a 429 does not say how long
LONGEST_REST = 86400.0  #: seconds; who asks for more is asked again after a day
REDIRECTS = 5
ROBOTS_KEPT = 86400.0  #: seconds, as RFC 9309 has it
REMEMBERED = 32  #: answers kept for conditional requests, the least recently used go first
LARGEST_REMEMBERED = 512 * 1024

_REDIRECTS = {301, 302, 303, 307, 308}
_AS_GET = {301, 302}  #: after a POST, as every browser does
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def user_agent(contact: str) -> str:
    """Say honestly who asks and whom to call."""
    return f"{PRODUCT}/1 (citizens' appeals; contact: {contact})"


def open_session(sources: Iterable[Source]) -> aiohttp.ClientSession:
    """Open the session of these sources: no name leads it inside our network, but those that `hosts` name as ours.

    An address that stands in the settings as a number is connected to as it stands, and so is `localhost`.
    """
    read = list(sources)
    own = {urlsplit(f"//{host}").hostname or "" for source in read for host in source.hosts}
    named = {urlsplit(address).hostname for source in read for address in addresses_of(source)}
    resolver = GuardedResolver(own | ({"localhost"} & named))
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=resolver), cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )


def addresses_of(source: Source) -> list[str]:
    """Give every address that a source's settings name: it is led to no other host."""
    return [text for _, text in _texts(msgspec.to_builtins(source)) if text.startswith(("http://", "https://"))]


def has_key(source: Source) -> bool:
    """Say whether its operator gave us a key (`…_env` names its variable): we are let in by name, robots.txt or not."""
    return any(name.endswith("_env") for name, _ in _texts(msgspec.to_builtins(source)))


def _texts(value: object, name: str = "") -> Iterable[tuple[str, str]]:
    """Every text of the settings with the name of its setting."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(each, str(key))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each, name)


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


class _Way:
    """The state behind one `Fetch`."""

    def __init__(
        self,
        *,
        name: str,
        hosts: frozenset[str],
        session: aiohttp.ClientSession,
        budget: Budget,
        agent: str,
        now: Callable[[], datetime],
        obeys_robots: bool,
    ) -> None:
        self._name = name
        self._hosts = hosts
        self._session = session
        self._budget = budget
        self._agent = agent
        self._now = now
        self._remembered: OrderedDict[str, Response] = OrderedDict()
        self._obeys_robots = obeys_robots
        self._robots: dict[str, tuple[float, Robots]] = {}  #: a site's file, and how long it is believed
        self._reading_robots = asyncio.Lock()

    async def fetch(self, request: Request) -> Response:
        """Ask, and ask again where that may help soon."""
        retrying = AsyncRetrying(
            retry=retry_if_exception(_helps_soon),
            wait=_wait,
            stop=stop_after_attempt(TRIES),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                response = await self._follow(request)
        return response

    async def _follow(self, request: Request) -> Response:
        """Follow redirects inside the source's own hosts."""
        url = URL(request.url).update_query(request.query) if request.query else URL(request.url)
        method, body, home = request.method, request.body, url
        cookies: list[str] = []
        for _ in range(REDIRECTS + 1):
            self._must_be_ours(url)
            await self._must_be_welcome(url)
            if _host(str(url)) != _host(str(home)):
                request = msgspec.structs.replace(request, headers={})  # a key is for its own host, or nobody
            status, headers, content = await self._ask(method, url, request, body)
            if "set-cookie" in headers and _host(str(url)) == _host(str(home)):
                cookies.append(headers["set-cookie"])  # a log-in sets them and leads on
            if cookies:
                headers["set-cookie"] = "\n".join(cookies)
            if status not in _REDIRECTS or "location" not in headers:
                return self._judge(status, headers, content, method, url)
            url = self._led(url, headers["location"])
            if status == HTTPStatus.SEE_OTHER or (method == "POST" and status in _AS_GET):
                method, body = "GET", None
        raise FormatChanged(f"source {self._name}: more than {REDIRECTS} redirects at {_shown(url)}; check `url`")

    def _led(self, url: URL, location: str) -> URL:
        """Where a redirect leads; never from an encrypted line to an open one, where anybody may read and answer."""
        try:
            led = url.join(URL(location))
            _host(str(led))
        except ValueError as error:
            raise FormatChanged(
                f"source {self._name}: {_shown(url)} redirects to what is no address; check `url`"
            ) from error
        if url.scheme == "https" and led.scheme == "http":
            raise FormatChanged(
                f"source {self._name}: {_shown(url)} redirects to {_shown(led)}, which is not encrypted; "
                "ask its operator, or write the address that is meant into `url`"
            )
        return led

    def _is_ours(self, url: URL) -> bool:
        return url.scheme in {"http", "https"} and url.host is not None and _host(str(url)) in self._hosts

    def _must_be_ours(self, url: URL) -> None:
        if not self._is_ours(url):
            raise FormatChanged(
                f"source {self._name} leads to {_shown(url)}, which is none of its hosts; "
                "if that is right, name the host in `hosts`"
            )

    async def _must_be_welcome(self, url: URL) -> None:
        """Obey robots.txt; a source that let us in by a key, or agreed otherwise, is not asked for it."""
        if not self._obeys_robots:
            return
        robots = await self._robots_of(url.origin())
        if not robots.allows(url.raw_path_qs):
            raise AccessDenied(
                f"source {self._name}: {_shown(url)} is closed to us by the robots.txt of {url.host}; "
                "ask its operator, and write down who agreed in `robots_exempt`"
            )

    async def _robots_of(self, site: URL) -> Robots:
        async with self._reading_robots:
            until, robots = self._robots.get(str(site), (0.0, Robots()))
            if time.monotonic() >= until:
                robots = await self._read_robots(site)
                self._robots[str(site)] = time.monotonic() + ROBOTS_KEPT, robots
                if robots.delay:
                    self._budget.slow_down(robots.delay)
            return robots

    async def _read_robots(self, site: URL) -> Robots:
        """Read it as RFC 9309 says: no file allows everything, a broken server nothing until it answers."""
        url = site / "robots.txt"
        for _ in range(REDIRECTS + 1):
            status, headers, content = await self._ask("GET", url, Request(url=str(url)), None)
            if status in _REDIRECTS and "location" in headers:
                try:
                    url = self._led(url, headers["location"])
                except FormatChanged:
                    return Robots()
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
        headers = {"User-Agent": self._agent, "Accept": "*/*"} | self._validators(method, url) | dict(request.headers)
        token = _Token(self._budget)
        await token.spend()
        try:
            async with self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                allow_redirects=False,
                middlewares=(token,),
                timeout=aiohttp.ClientTimeout(total=LONGEST),
            ) as answer:
                told = _told(answer)
                token.verdict, token.rest = self._verdict(answer.status, told)
                content = await self._content(answer, url)
                return answer.status, told, content
        except aiohttp.ClientConnectorDNSError as error:
            if isinstance(error.os_error, PrivateAddressError):
                raise FormatChanged(
                    f"source {self._name}: {url.host} leads to a private address; nothing was asked. "
                    "If that is a host of your own network, name it in `hosts`"
                ) from error
            token.verdict = Verdict.DOWN
            raise SourceDown(f"source {self._name}: no address for {url.host}; it is asked again") from error
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            token.verdict = Verdict.DOWN
            raise SourceDown(
                f"source {self._name}: no safe connection to {url.host} ({type(error).__name__}); check its certificate"
            ) from error
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            token.verdict = Verdict.DOWN
            raise SourceDown(
                f"source {self._name}: no whole answer from {_shown(url)} ({type(error).__name__}); it is asked again"
            ) from error
        finally:
            await token.end()

    def _verdict(self, status: int, headers: Mapping[str, str]) -> tuple[Verdict, float]:
        """What this answer means for all who share the budget."""
        if _asks_for_patience(status, headers):
            return Verdict.UNKNOWN, self._retry_after(headers)
        broken = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT
        return Verdict.DOWN if broken else Verdict.WELL, 0.0

    async def _content(self, answer: aiohttp.ClientResponse, url: URL) -> bytes:
        parts = bytearray()
        async for part in answer.content.iter_chunked(256 * 1024):
            parts += part
            if len(parts) > LARGEST:
                raise FormatChanged(
                    f"source {self._name}: the answer of {_shown(url)} is larger than {LARGEST >> 20} MB; "
                    "ask for smaller pages"
                )
        return bytes(parts)

    def _validators(self, method: str, url: URL) -> dict[str, str]:
        known = self._remembered.get(str(url)) if method == "GET" else None
        if known is None:
            return {}
        wanted = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
        return {ask: known.headers[told] for ask, told in wanted.items() if told in known.headers}

    def _judge(self, status: int, headers: dict[str, str], content: bytes, method: str, url: URL) -> Response:
        where = f"source {self._name}: {_shown(url)}"
        if status == HTTPStatus.NOT_MODIFIED and (known := self._remembered.get(str(url))) is not None:
            self._remembered.move_to_end(str(url))
            return Response(status=200, headers=known.headers, body=known.body, fetched_at=self._now())
        if status // 100 == 2 or status in _GONE:  # noqa: PLR2004  the class of success
            response = Response(status=status, headers=headers, body=content, fetched_at=self._now())
            self._remember(method, url, response)
            return response
        if status in _REFUSED:
            raise AccessDenied(f"{where} answered {status}; renew its key or permission, then resume the source")
        if _asks_for_patience(status, headers):
            seconds = self._retry_after(headers)
            raise RateLimited(f"{where} answered {status} and asks for {seconds:.0f} s of patience", seconds)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
            raise SourceDown(f"{where} answered {status}; it is asked again")
        raise FormatChanged(f"{where} answered {status}; check `url` and the other settings of this source")

    def _remember(self, method: str, url: URL, response: Response) -> None:
        validated = "etag" in response.headers or "last-modified" in response.headers
        if method != "GET" or response.status != HTTPStatus.OK or not validated:
            return
        if len(response.body) > LARGEST_REMEMBERED:
            return
        self._remembered[str(url)] = response
        self._remembered.move_to_end(str(url))
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    def _retry_after(self, headers: Mapping[str, str]) -> float:
        """Both forms: seconds, and a date, which is meant by the source's own clock where it tells that."""
        written = headers.get("retry-after", "")
        if written.strip().isdecimal():
            return min(float(written), LONGEST_REST)
        moment = _date(written)
        if moment is None:
            return NO_RETRY_AFTER
        now = _date(headers.get("date", "")) or self._now()
        return min(max(0.0, (moment - now).total_seconds()), LONGEST_REST)


class _Token:
    """One request's token.

    aiohttp asks a second time by itself when a kept connection turns out to be closed: that costs another one.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._place: str | None = None
        self._asked = False
        self.verdict = Verdict.UNKNOWN
        self.rest = 0.0

    async def spend(self) -> None:
        self._place = await self._budget.spend()

    async def end(self) -> None:
        place, self._place = self._place, None
        if place is not None:
            await self._budget.ended(place, self.verdict, self.rest)

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if self._asked:
            await self.end()
            await self.spend()
        self._asked = True
        return await handler(request)


def _asks_for_patience(status: int, headers: Mapping[str, str]) -> bool:
    return status == HTTPStatus.TOO_MANY_REQUESTS or (
        status == HTTPStatus.SERVICE_UNAVAILABLE and "retry-after" in headers
    )


def _told(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """Headers by name in small letters; cookies, which come in several, a line each."""
    told = {name.lower(): value for name, value in answer.headers.items()}
    cookies = answer.headers.getall("Set-Cookie", [])
    return told | ({"set-cookie": "\n".join(cookies)} if cookies else {})


def _date(written: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(written)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


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
