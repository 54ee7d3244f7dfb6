"""Where a bench runs: a database and a virtual host for every run, and a process for each side."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import HTTPBasicAuthHandler, HTTPPasswordMgrWithDefaultRealm, Request, build_opener
from uuid import uuid4

import msgspec
import pymongo

from bench.row import Sample, Tell
from intake.servers import Servers

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 600.0  #: seconds that one run of one side may take


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a side is told: where, how much, which texts."""

    mongo_url: str
    database: str
    amqp_url: str
    management_url: str
    vhost: str
    records: int
    page: int = 500
    seed: int = 12345
    source: str = "bench-hotline"  #: the same letters from two sources are two appeals each
    keys: str | None = None  #: a folder, where several workers share a database
    gate: str | None = None  #: a folder: begin when the file `go` is in it, and say there that you are ready
    made: str | None = None  #: the database of a street that has run, whose documents are written again
    one_desk: bool = False  #: each record is one message to one queue, as with a bare transport
    data: str | None = None


class Ground(NamedTuple):
    """The servers of the whole run, and what was asked for."""

    servers: Servers
    records: int
    runs: int
    data: Path | None
    tell: Tell

    def run(self, side: str, records: int | None = None, *, one_desk: bool = False) -> Sample:
        """Run one side in a process of its own, on fresh ground."""
        with self.fresh(records, one_desk=one_desk) as task:
            return in_a_process(side, task)

    @contextmanager
    def fresh(self, records: int | None = None, *, one_desk: bool = False) -> Iterator[Task]:
        """Give a task on ground of its own."""
        with _fresh(self.servers) as (database, vhost):
            yield Task(
                mongo_url=self.servers.mongo_url,
                database=database,
                amqp_url=on_vhost(self.servers.amqp_url, vhost),
                management_url=self.servers.management_url,
                vhost=vhost,
                records=records or self.records,
                one_desk=one_desk,
                data=None if self.data is None else str(self.data),
            )


def in_a_process(side: str, task: Task) -> Sample:
    """Start the side, hand it its task, and read the sample that it prints last."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.side", side],
        input=msgspec.json.encode(task),
        capture_output=True,
        cwd=ROOT,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"bench side {side} failed:\n{done.stderr.decode(errors='replace')[-4000:]}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Sample)


@contextmanager
def _fresh(servers: Servers) -> Iterator[tuple[str, str]]:
    name = f"bench-{uuid4().hex[:12]}"
    ask = _Management(servers.management_url)
    user = urlsplit(servers.amqp_url).username or "guest"
    ask("PUT", f"vhosts/{name}", {})
    ask("PUT", f"permissions/{name}/{quote(user)}", {"configure": ".*", "write": ".*", "read": ".*"})
    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(servers.mongo_url)
    try:
        yield name, name
    finally:
        client.drop_database(name)
        client.close()
        ask("DELETE", f"vhosts/{name}")


async def states_in(db: Any) -> dict[str, int]:
    """Count the cases by where they stand."""
    return {each["_id"]: each["n"] async for each in db.cases.aggregate(_BY_STATE)}


_BY_STATE = [{"$group": {"_id": "$state", "n": {"$sum": 1}}}]


def on_vhost(amqp_url: str, vhost: str) -> str:
    """Point an address at a virtual host."""
    return urlunsplit(urlsplit(amqp_url)._replace(path=f"/{quote(vhost, safe='')}"))


class _Management:
    """The few calls of RabbitMQ's management API that make and drop a virtual host."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        self._base = f"{parts.scheme}://{host}/api"
        passwords = HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, self._base, parts.username or "guest", parts.password or "guest")
        self._open = build_opener(HTTPBasicAuthHandler(passwords)).open

    def __call__(self, method: str, path: str, body: object = None) -> None:
        data = None if body is None else msgspec.json.encode(body)
        request = Request(f"{self._base}/{path}", data, {"Content-Type": "application/json"}, method=method)
        with self._open(request, timeout=30):
            pass
