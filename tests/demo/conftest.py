"""A demonstration city of one test, served without faults unless the test asks for them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import pytest

from demo.city import City, build
from demo.server import serve


class Served(NamedTuple):
    city: City
    url: str
    session: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        async with self.session.get(self.url + path, headers=headers) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, await answer.read()

    async def json(self, path: str, **headers: str) -> Any:
        async with self.session.get(self.url + path, headers=headers) as answer:
            return await answer.json(content_type=None)

    async def post(self, path: str) -> Any:
        async with self.session.post(self.url + path) as answer:
            return await answer.json()

    async def offered(self, source: str) -> dict[str, dict[str, Any]]:
        listing = await self.json("/demo/offered")
        rows: dict[str, dict[str, Any]] = listing["offered"].get(source, {})
        return rows


Serving = Callable[[City], AbstractAsyncContextManager[Served]]


@pytest.fixture
def serving() -> Serving:
    @asynccontextmanager
    async def run(city: City) -> AsyncIterator[Served]:
        async with serve(city) as url, aiohttp.ClientSession() as session:
            yield Served(city, url, session)

    return run


@pytest.fixture
async def served(serving: Serving) -> AsyncIterator[Served]:
    async with serving(build(1, faults=False)) as served:
        yield served
