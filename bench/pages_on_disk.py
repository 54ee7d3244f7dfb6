"""The source of the street's bench: a hotline's pages, served without a network.

The connector is the real one and parses each page; only HTTP is left out. The pages lie in a file, not in memory, so
that the memory of a worker is its own however long the backlog is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import msgspec

from connectors.base import Request, Response

_BODY = b'{"success":true,"code":10000,"message":"","data":{"rows":[%s],"next":%s}}'


class PagesOnDisk:
    """Writes a source's pages down, then answers for it."""

    def __init__(self, folder: Path, orders: Iterable[bytes], *, page: int) -> None:
        self._file = folder / "rows"
        self._ends = [0]
        with self._file.open("wb") as file:
            for rows in _in_pages(orders, page):
                file.write(b",".join(rows))
                self._ends.append(file.tell())

    async def fetch(self, request: Request) -> Response:
        """Answer like the order table; `after` is the number of a page here."""
        number = int(request.query["after"] or 0)
        start, end = self._ends[number : number + 2]
        with self._file.open("rb") as file:
            file.seek(start)
            rows = file.read(end - start)
        last = number + 2 == len(self._ends)
        body = _BODY % (rows, b"null" if last else msgspec.json.encode(str(number + 1)))
        headers = {"content-type": "application/json"}
        return Response(status=200, headers=headers, body=body, fetched_at=datetime.now(UTC))


def _in_pages(orders: Iterable[bytes], page: int) -> Iterator[list[bytes]]:
    rest = iter(orders)
    while rows := list(islice(rest, page)):
        yield rows
