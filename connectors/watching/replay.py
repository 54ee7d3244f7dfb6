"""Answers from what was kept, so that a mended connector can read a bad reading again."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.base import Request, Response
from connectors.errors import SourceDown
from connectors.watching.reading import Exchange


class Replay:
    """One kept reading. A mended mapping may ask otherwise: then the next answer of the same address is its answer."""

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        self._left = list(exchanges)
        self._played: list[Exchange] = []
        self.ended = False  #: it was asked for more than was kept

    async def fetch(self, request: Request) -> Response:
        """Answer as the source did."""
        for fits in (_is_the_same, _has_the_address):
            for exchange in self._left:
                if fits(exchange.request, request):
                    self._left.remove(exchange)
                    self._played.append(exchange)
                    return exchange.response
        for exchange in self._played:
            if _is_the_same(exchange.request, request):
                return exchange.response
        self.ended = True
        raise SourceDown("what was kept of this reading ends here")


def _is_the_same(kept: Request, asked: Request) -> bool:
    return (kept.method, kept.url, kept.query, kept.body) == (asked.method, asked.url, asked.query, asked.body)


def _has_the_address(kept: Request, asked: Request) -> bool:
    return (kept.method, kept.url) == (asked.method, asked.url)
