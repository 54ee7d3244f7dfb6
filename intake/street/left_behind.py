"""What a worker of this machine that was killed still holds: let go of it at once instead of waiting for its leases.

Only a name is compared and only a process is asked for; whoever is wrong about that loses nothing, since every write
is conditional on the fence of its claim.
"""

from __future__ import annotations

import os
import socket
from secrets import token_hex
from typing import Any

import structlog

Database = Any  # motor ships no types
log = structlog.get_logger()


def worker_name() -> str:
    """Name this worker for people: where it runs, and which one it is there."""
    return f"{socket.gethostname()}/{os.getpid()}/{token_hex(2)}"


def is_dead(owner: str) -> bool:
    """Say whether this is the name of a worker of this machine whose process is gone."""
    host, _, number = owner.rpartition("/")[0].rpartition("/")
    if host != socket.gethostname() or not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


async def let_go_of_the_dead(db: Database) -> None:
    """Free pages and sources of workers that were killed here."""
    unfinished = {"stage": {"$in": ["offered", "stored", "normalized"]}}
    owners = {*await db.sources.distinct("owner"), *await db.pages.distinct("owner", unfinished)}
    dead = [owner for owner in owners if owner and is_dead(owner)]
    if not dead:
        return
    free = {"$set": {"owner": None, "until": None}}
    sources = await db.sources.update_many({"owner": {"$in": dead}}, free)
    pages = await db.pages.update_many(unfinished | {"owner": {"$in": dead}}, free)
    log.info(
        "freed what a killed worker held",
        action="left_behind",
        sources=sources.modified_count,
        pages=pages.modified_count,
    )
