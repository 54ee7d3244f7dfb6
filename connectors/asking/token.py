"""What one request costs of its source's budget."""

from __future__ import annotations

import aiohttp

from connectors.asking.budget import Budget, Verdict


class Token:
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
