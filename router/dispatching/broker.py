"""RabbitMQ's management API, and the only place that speaks it: queues, bindings, policies, users, permissions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import aiohttp
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from router.errors import BrokerAway, ManagementRefuses, TryLater

_AT_ONCE = 16
_NOT_FOUND = 404
_REFUSED = 400
_BROKEN = 500
_UNWELL = 503


class Management:
    """One virtual host through the management API. The HTTP session is handed in and stays its owner's."""

    def __init__(self, session: aiohttp.ClientSession, base: str, vhost: str, *, patience: float = 10.0) -> None:
        """`base` is the API's address with user and password, without a path."""
        self._session = session
        self._base = base.rstrip("/")
        self.vhost = vhost
        self._here = quote(vhost, safe="")
        self._patience = patience
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def listed(self, what: str) -> list[dict[str, Any]]:
        """List exchanges, queues, bindings, policies, … of the virtual host."""
        found = await self._ask("GET", f"{what}/{self._here}")
        return found if isinstance(found, list) else []

    async def alarms(self) -> list[dict[str, Any]]:
        """List nodes and what each has too little of (disk, memory): meanwhile the broker takes nobody's messages."""
        found = await self._ask("GET", "health/checks/alarms", also_answers=_UNWELL)
        return list(found.get("alarms", ()))

    async def exchange(self, name: str, kind: str) -> None:
        """Make a durable exchange."""
        await self._ask("PUT", f"exchanges/{self._here}/{_q(name)}", {"type": kind, "durable": True})

    async def queue(self, name: str) -> None:
        """Make a quorum queue, declared with its type alone: everything else is the policy's."""
        asked = {"durable": True, "arguments": {"x-queue-type": "quorum"}}
        await self._ask("PUT", f"queues/{self._here}/{_q(name)}", asked)

    async def binding(self, exchange: str, queue: str, key: str) -> None:
        """Bind a queue; binding it again changes nothing."""
        await self._ask("POST", f"bindings/{self._here}/e/{_q(exchange)}/q/{_q(queue)}", {"routing_key": key})

    async def unbind(self, exchange: str, queue: str, key: str) -> None:
        """Take a binding away."""
        await self._ask(
            "DELETE", f"bindings/{self._here}/e/{_q(exchange)}/q/{_q(queue)}/{_q(key)}", missing_is_well=True
        )

    async def policy(self, name: str, policy: dict[str, Any]) -> None:
        """Set a policy."""
        await self._ask("PUT", f"policies/{self._here}/{_q(name)}", policy)

    async def user(self, name: str, password: str) -> None:
        """Make a user without any management tag, or give it another password."""
        await self._ask("PUT", f"users/{_q(name)}", {"password": password, "tags": ""})

    async def users(self) -> set[str]:
        """Name all users of the broker."""
        found = await self._ask("GET", "users")
        return {user["name"] for user in found or []}

    async def delete_user(self, name: str) -> None:
        """Take a user away; its connections are closed by the broker."""
        await self._ask("DELETE", f"users/{_q(name)}", missing_is_well=True)

    async def permissions(self, user: str, *, configure: str, write: str, read: str) -> None:
        """Say what a user may do in this virtual host."""
        asked = {"configure": configure, "write": write, "read": read}
        await self._ask("PUT", f"permissions/{self._here}/{_q(user)}", asked)

    async def permitted(self) -> set[str]:
        """Name the users that may do anything in this virtual host."""
        found = await self._ask("GET", f"vhosts/{self._here}/permissions")
        return {each["user"] for each in found or []}

    async def forbid(self, user: str) -> None:
        """Let a user do nothing in this virtual host any more."""
        for what in ("topic-permissions", "permissions"):
            await self._ask("DELETE", f"{what}/{self._here}/{_q(user)}", missing_is_well=True)

    async def topic_permissions(self, user: str, exchange: str, *, write: str, read: str) -> None:
        """Say with which routing keys a user may write to a topic exchange."""
        asked = {"exchange": exchange, "write": write, "read": read}
        await self._ask("PUT", f"topic-permissions/{self._here}/{_q(user)}", asked)

    async def make_vhost(self) -> None:
        """Make this virtual host; whoever makes it may do everything in it."""
        await self._ask("PUT", f"vhosts/{self._here}", {})

    async def unacknowledged(self, queue: str) -> int:
        """Count what was taken and not acknowledged, as the broker's statistics know it (seconds late)."""
        found = await self._ask("GET", f"queues/{self._here}/{_q(queue)}")
        return int(found.get("messages_unacknowledged", 0))

    async def delete_queue(self, name: str) -> None:
        """Delete a queue with whatever it holds."""
        await self._ask("DELETE", f"queues/{self._here}/{_q(name)}", missing_is_well=True)

    async def cut(self, user: str) -> None:
        """Close every connection of a user here; the statistics may learn of a new one only after seconds."""
        found = await self._ask("GET", "connections")
        mine = [each for each in found or [] if each.get("vhost", self.vhost) == self.vhost]
        theirs = [each["name"] for each in mine if each.get("user") == user]
        await all_of(self._ask("DELETE", f"connections/{_q(name)}", missing_is_well=True) for name in theirs)

    async def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        missing_is_well: bool = False,
        also_answers: int | None = None,
    ) -> Any:  # noqa: ANN401 - JSON
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(TryLater),
            stop=stop_after_delay(self._patience),
            wait=wait_exponential_jitter(multiplier=0.1, max=1.0, jitter=0.1),
            reraise=True,
        ):
            with attempt:
                async with self._at_once:
                    return await self._ask_once(
                        method, path, body, missing_is_well=missing_is_well, also_answers=also_answers
                    )
        raise AssertionError  # AsyncRetrying either returns or raises

    async def _ask_once(
        self, method: str, path: str, body: dict[str, Any] | None, *, missing_is_well: bool, also_answers: int | None
    ) -> Any:  # noqa: ANN401 - JSON
        try:
            async with self._session.request(
                method, f"{self._base}/api/{path}", json=body, timeout=aiohttp.ClientTimeout(total=60)
            ) as answer:
                if answer.status == _NOT_FOUND and missing_is_well:
                    return None
                if answer.status == also_answers:
                    return await answer.json()
                if answer.status >= _BROKEN:
                    raise BrokerAway(f"RabbitMQ's management API answered {answer.status} to {method} {path}")
                if answer.status >= _REFUSED:
                    said = (await answer.text())[:300]
                    raise ManagementRefuses(
                        f"RabbitMQ's management API refused {method} {path}: {answer.status} {said}"
                    )
                return await answer.json() if answer.content_type == "application/json" else None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BrokerAway(f"RabbitMQ's management API is away: {type(error).__name__} at {method} {path}") from error


async def all_of(calls: Iterable[Any]) -> None:
    """Do calls side by side; the first that fails is told when all are done."""
    failed = [done for done in await asyncio.gather(*calls, return_exceptions=True) if isinstance(done, BaseException)]
    if failed:
        raise failed[0]


def _q(name: str) -> str:
    return quote(name, safe="")
