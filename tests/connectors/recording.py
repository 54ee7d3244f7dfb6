"""Plays a recording: the contract suite's stand-in for a source."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from connectors.base import Connector, Page, Request, Response
from connectors.errors import SourceDown
from connectors.registry import REGISTRY
from connectors.source import Source

FOLDER = Path(__file__).parent / "recordings"
FETCHED = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
#: More requests than any recording needs: a reading that asks more never ends.
ENOUGH = 200

Alter = Callable[[bytes], bytes]


class Recording:
    """A source that answers from files, and remembers what it was asked."""

    def __init__(
        self, folder: Path, alter: Alter = bytes, only: int | None = None, *, dies_at: int | None = None
    ) -> None:
        self.folder = folder
        self.told = tomllib.loads(next(folder.glob("*.toml")).read_text())
        self.kind = REGISTRY[self.told["source"]["kind"]]
        self.settings: Source = msgspec.convert(self.told["source"], self.kind.settings)
        self.asked: list[Request] = []
        self._alter = alter
        self._only = only
        self._dies_at = dies_at

    @property
    def ids(self) -> set[str]:
        return set(self.told["ids"])

    def connect(self, file: Path | None = None) -> Connector:
        if self.kind.open_file is not None:
            return self.kind.open_file(self.settings, file or self.folder / self.told["file"])
        assert self.kind.open is not None
        return self.kind.open(self.settings, self.fetch, self.told.get("environment", {}))

    async def fetch(self, request: Request) -> Response:
        assert len(self.asked) < ENOUGH, "the reading does not end"
        self.asked.append(request)
        if len(self.asked) - 1 == self._dies_at:
            raise SourceDown("the line is dead")
        for answer in self.told["answer"]:
            if self._fits(answer, request):
                body = (self.folder / answer["file"]).read_bytes()
                if self._only in {None, len(self.asked) - 1}:
                    body = self._alter(body)
                headers = {"content-type": answer.get("content_type", "application/json")}
                headers |= answer.get("headers", {})
                return Response(status=answer.get("status", 200), headers=headers, body=body, fetched_at=FETCHED)
        raise SourceDown(f"nothing recorded for {request.url} {dict(request.query)}")

    def _fits(self, answer: dict[str, Any], request: Request) -> bool:
        url = answer.get("url", self.told["source"]["url"])
        fits = request.url == url and answer.get("query", {}).items() <= dict(request.query).items()
        return bool(fits and answer.get("body", {}).items() <= _body_of(request).items())


def _body_of(request: Request) -> dict[str, Any]:
    """A body of JSON, or of a form."""
    if not request.body:
        return {}
    if request.body.startswith(b"{"):
        return dict(msgspec.json.decode(request.body))
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def recordings() -> list[Path]:
    return sorted(path.parent for path in FOLDER.rglob("recording.toml"))


async def read(connector: Connector, cursor: str | None = None) -> list[Page]:
    return [page async for page in connector.pages(cursor)]


async def until_killed(pages: AsyncIterator[Page], count: int) -> list[Page]:
    """Take so many pages, then die."""
    taken: list[Page] = []
    async for page in pages:
        if len(taken) == count:
            break
        taken.append(page)
    return taken


async def until_broken(connector: Connector) -> list[Page]:
    """Take what comes until the source is down."""
    taken: list[Page] = []
    try:
        async for page in connector.pages(None):
            taken.append(page)  # noqa: PERF401  what came before the break counts
    except SourceDown:
        return taken
    raise AssertionError("the line did not break")


def position(pages: list[Page]) -> str | None:
    """Where the source is read on once these pages are stored."""
    return next((page.cursor for page in reversed(pages) if page.cursor is not None), None)


def ids_of(pages: list[Page]) -> set[str]:
    return {native_id for page in pages for native_id in page.offered}
