"""Interfaces that one logs in to (登录): the calls that open a session, and what they hand out, cookies and tokens.

A session is opened when it is needed and once more when the source refuses us, by whatever it says that with; refused
again at once, the account itself is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from connectors.base import Fetch, Request, Response
from connectors.channels.http_json.answers import body_of
from connectors.channels.http_json.plan import Login, Plan
from connectors.channels.http_json.requests import address, request_of
from connectors.channels.http_json.rows import value_of
from connectors.channels.http_json.settings import HttpJsonSettings
from connectors.channels.http_json.templates import written
from connectors.errors import AccessDenied

T = TypeVar("T")
GONE = (404, 410)


class Session:
    """The way to one interface. `taken` is what a log-in handed out, for the templates."""

    def __init__(self, settings: HttpJsonSettings, plan: Plan, fetch: Fetch, values: Mapping[str, Any]) -> None:
        self.taken: dict[str, Any] = {}
        self._settings = settings
        self._plan = plan
        self._ask = fetch
        self._values = values
        self._cookies: dict[str, str] = {}
        self._is_open = not plan.login

    async def fetch(self, request: Request) -> Response:
        """Ask with the session's cookies, which are for its own host alone."""
        if self._cookies and urlsplit(request.url)[:2] == urlsplit(self._settings.url)[:2]:
            cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
            request = msgspec.structs.replace(request, headers={"Cookie": cookie, **request.headers})
        response = await self._ask(request)
        if self._plan.login:
            self._cookies |= cookies_in(response)
        return response

    async def within(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask and read the answer; the request is made anew after a log-in, with what that handed out."""
        if self._is_open:
            try:
                return await ask()
            except AccessDenied:
                if not self._plan.login:
                    raise
        await self._log_in()
        return await ask()

    async def _log_in(self) -> None:
        self._is_open = False
        self._cookies, self.taken = {}, {}
        for call in self._plan.login:
            await self._step(call)
        self._is_open = True

    async def _step(self, call: Login) -> None:
        values = {**self._values, **self.taken}
        where = f"source {self._settings.name}: {address(call, self._settings, values).partition('?')[0]}"
        response = await self.fetch(request_of(call, self._plan, self._settings, values))
        if response.status in GONE:
            raise AccessDenied(f"{where} answered {response.status}: check the `path` of `login`")
        if not call.take:
            return
        body = body_of(response, self._plan, call, where)
        for name, spec in call.take.items():
            value = value_of(spec, body, {}, self._settings)
            if not written(value):
                raise AccessDenied(
                    f"{where} handed out no {name}; check user_env and password_env, and what `login` takes"
                )
            self.taken[name] = value


def cookies_in(response: Response) -> dict[str, str]:
    """The cookies of one answer, of the requests that led to it first: what they open stays open."""
    found: dict[str, str] = {}
    for line in response.headers.get("set-cookie", "").split("\n"):
        # By hand: the library drops the whole cookie where it does not know one of its terms (Partitioned).
        name, _, value = line.partition(";")[0].partition("=")
        if name.strip() and value.strip():
            found.setdefault(name.strip(), value.strip())
    return found
