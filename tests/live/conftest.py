"""The real servers, each with a fresh database of its own; `make live-servers` installs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from intake.servers import Servers
from tests.live.sites.isso import Isso, isso
from tests.live.sites.misago import Misago, misago
from tests.live.sites.roundup import Roundup, roundup
from tests.live.sites.site import Site
from tests.live.sites.waline import Waline, waline

SITES: dict[str, Callable[[Path], AbstractContextManager[Site]]] = {"isso": isso, "misago": misago, "roundup": roundup}


@pytest.fixture(params=[*SITES, "waline"])
def site(request: pytest.FixtureRequest, tmp_path: Path, mongo_server: Servers) -> Iterator[Site]:
    starts = SITES | {"waline": partial(waline, mongo_url=mongo_server.mongo_url)}
    with starts[request.param](tmp_path / "site") as opened:
        yield opened


@pytest.fixture
def an_isso(tmp_path: Path) -> Iterator[Isso]:
    with isso(tmp_path / "site") as opened:
        yield opened


@pytest.fixture
def a_misago(tmp_path: Path) -> Iterator[Misago]:
    with misago(tmp_path / "site") as opened:
        yield opened


@pytest.fixture
def a_roundup(tmp_path: Path) -> Iterator[Roundup]:
    with roundup(tmp_path / "site") as opened:
        yield opened


@pytest.fixture
def a_waline(tmp_path: Path, mongo_server: Servers) -> Iterator[Waline]:
    with waline(tmp_path / "site", mongo_server.mongo_url) as opened:
        yield opened
