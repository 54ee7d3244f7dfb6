"""The broker's management API as the front door uses it: how deep each queue is, and whether messages are taken."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

import aiohttp
import msgspec
import structlog

from intake.house import House
from router.dispatching.broker import Management
from router.dispatching.directory import Directory
from router.dispatching.topology import Credentials, Plan, Unit, bring_up
from router.errors import RouterError

log = structlog.get_logger()


class DepartmentQueue(msgspec.Struct, frozen=True):
    """One queue as the broker counts it."""

    name: str
    messages: int  #: waiting and taken without acknowledgement
    ready: int
    consumers: int


def management(house: House, session: aiohttp.ClientSession) -> Management:
    """Open the management API for the virtual host of the broker's address."""
    return Management(session, house.management_url, vhost_of(house.broker_url))


def vhost_of(broker_url: str) -> str:
    """Read the virtual host off an address; an empty path is `/`."""
    return unquote(urlsplit(broker_url).path[1:]) or "/"


async def depths(broker: Management) -> dict[str, DepartmentQueue]:
    """Count what lies in each queue."""
    return {
        each["name"]: DepartmentQueue(
            each["name"], each.get("messages", 0), each.get("messages_ready", 0), each.get("consumers", 0)
        )
        for each in await broker.listed("queues")
    }


async def alarms(broker: Management) -> list[str]:
    """Say which nodes' disk or memory is nearly full: while one is, the broker takes no messages from anybody."""
    return [
        f"消息队列的{'盘' if 'disk' in each['resource'] else '内存'}快满了，暂不收件：{each['node']}，"
        f"有了空余自己接着发，不丢件 · RabbitMQ takes no messages until it has more {each['resource']}; nothing is lost"
        for each in await broker.alarms()
    ]


async def ensure_topology(house: House, units: Iterable[Unit]) -> Plan:
    """Make queues and bindings follow the directory, before the first dispatch goes out."""
    async with aiohttp.ClientSession() as session:
        return await bring_up(units, management(house, session))


async def prepare_queues(house: House, directory: Directory) -> None:
    """Queues before the first dispatch; without the management API the queues that are there must do."""
    try:
        made = await ensure_topology(house, directory.units.values())
    except RouterError as error:
        log.warning("queues not checked", action="topology_unchecked", reason=str(error))
        return
    for name in made.kept:
        log.warning("queue kept, its department is gone", action="queue_kept", queue=name)
    for wrong in made.wrong:
        log.error("broker needs a hand", action="topology_wrong", reason=wrong)


def address_of(given: Credentials, broker_url: str) -> str:
    """Write the address out whole: some clients read a path of `/` alone as the virtual host `/`, others as no name."""
    at = urlsplit(broker_url)
    host, vhost = at.netloc.rpartition("@")[2], quote(vhost_of(broker_url), safe="")
    return f"{at.scheme}://{given.user}:{given.password}@{host}/{vhost}"
