"""The only place that knows HTTP's errors: a polite `Fetch` for one source.

Strategy: one budget a source; what a source answers is data, a wish for patience, or a reason to stop (errors.py).
Short troubles are waited out here, by error group; longer ones end the reading, and the source waits (flow.py).
"""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential_jitter
from yarl import URL

from connectors.base import Fetch, Request, Response
from connectors.budget import Budget, LocalBudget
from connectors.errors import AccessDenied, FormatChanged, RateLimited, SourceDown, TryLater
from connectors.source import Source

LARGEST = 20 * 1024 * 1024  #: bytes of one answer
LONGEST = 60.0  #: seconds of one request, to its last byte; the slowest boards we know take 25
TRIES = 4
SHORT_WAIT = 8.0  #: seconds that are waited here; a source that asks for more is left alone by the flow
NO_RETRY_AFTER = 30.0  #: seconds, where a 429 does not say how long
LONGEST_REST = 86400.0  #: seconds; who asks for more is asked again after a day
REDIRECTS = 5
REMEMBERED = 32  #: answers kept for conditional requests, the least recently used go first
LARGEST_REMEMBERED = 512 * 1024

_REDIRECTS = {301, 302, 303, 307, 308}
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


def user_agent(contact: str) -> str:
    """Say honestly who asks and whom to call."""
    return f"intake/1 (citizens' appeals; contact: {contact})"


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
    return _Way(name=source.name, hosts=frozenset(hosts), session=session, budget=spending, agent=agent, now=now).fetch


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
    ) -> None:
        self._name = name
        self._hosts = hosts
        self._session = session
        self._budget = budget
        self._agent = agent
        self._now = now
        self._remembered: OrderedDict[str, Response] = OrderedDict()

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
        method, body = request.method, request.body
        for _ in range(REDIRECTS + 1):
            self._must_be_ours(url)
            status, headers, content = await self._ask(method, url, request, body)
            if status not in _REDIRECTS or "location" not in headers:
                return self._judge(status, headers, content, method, url)
            url = url.join(URL(headers["location"]))
            if status == HTTPStatus.SEE_OTHER:
                method, body = "GET", None
        raise FormatChanged(f"source {self._name}: more than {REDIRECTS} redirects at {_shown(url)}; check `url`")

    def _must_be_ours(self, url: URL) -> None:
        if url.scheme not in {"http", "https"} or url.host is None or _host(str(url)) not in self._hosts:
            raise FormatChanged(
                f"source {self._name} leads to {_shown(url)}, which is none of its hosts; "
                "if that is right, name the host in `hosts`"
            )

    async def _ask(
        self, method: str, url: URL, request: Request, body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        headers = {"User-Agent": self._agent, "Accept": "*/*"} | self._validators(method, url) | dict(request.headers)
        await self._budget.spend()
        try:
            async with self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                allow_redirects=False,
                middlewares=(_SpendAgain(self._budget),),
                timeout=aiohttp.ClientTimeout(total=LONGEST),
            ) as answer:
                content = await self._content(answer, url)
                return answer.status, {name.lower(): value for name, value in answer.headers.items()}, content
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            raise SourceDown(
                f"source {self._name}: no safe connection to {url.host} ({type(error).__name__}); check its certificate"
            ) from error
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            raise SourceDown(
                f"source {self._name}: no whole answer from {_shown(url)} ({type(error).__name__}); it is asked again"
            ) from error

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
        if status in _BUSY and (status == HTTPStatus.TOO_MANY_REQUESTS or "retry-after" in headers):
            seconds = self._retry_after(headers.get("retry-after"))
            self._budget.rest(seconds)
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

    def _retry_after(self, written: str | None) -> float:
        """Both forms: seconds, and a date."""
        if written is None:
            return NO_RETRY_AFTER
        if written.strip().isdecimal():
            return min(float(written), LONGEST_REST)
        try:
            moment = parsedate_to_datetime(written)
        except (ValueError, TypeError):
            return NO_RETRY_AFTER
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max(0.0, (moment - self._now()).total_seconds()), LONGEST_REST)


class _SpendAgain:
    """aiohttp asks a second time by itself when a kept connection turns out to be closed: that costs a token too."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._asked = False

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if self._asked:
            await self._budget.spend()
        self._asked = True
        return await handler(request)


def _helps_soon(error: BaseException) -> bool:
    if isinstance(error, RateLimited):
        return error.seconds <= SHORT_WAIT
    return isinstance(error, TryLater)


_backing_off = wait_exponential_jitter(multiplier=0.5, max=SHORT_WAIT, jitter=0.5)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.seconds if isinstance(error, RateLimited) else _backing_off(state)


def _host(address: str) -> str:
    """Host and port as they stand in the settings: another port is another server."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = (parts.hostname or "").lower()
    return host if port in {80, 443} else f"{host}:{port}"


def _shown(url: URL) -> str:
    """An address for people: without its query, which may hold a key."""
    return f"{url.scheme}://{url.host or ''}{'' if url.explicit_port is None else f':{url.port}'}{url.path}"
