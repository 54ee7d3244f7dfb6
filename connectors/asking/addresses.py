"""Where a name may lead: never into a private network by the word of a page or of a foreign DNS (SSRF)."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver


class PrivateAddressError(OSError):
    """A public name leads to an address that only our own network knows."""


def is_private(address: str) -> bool:
    """Say whether this is no address of the public internet: loopback, private, link-local, reserved, multicast."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is not None:
            return is_private(str(inner))
        if found in ipaddress.ip_network("64:ff9b::/96"):  # NAT64 carries an IPv4 address at its end
            return is_private(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    return not found.is_global or found.is_multicast


class GuardedResolver(AbstractResolver):
    """Resolves, and refuses what leads inside, unless the settings name that very host as one of the own network.

    The addresses that are handed back are those that are connected to: no second look-up can tell otherwise.
    """

    def __init__(self, own: Iterable[str], inner: AbstractResolver | None = None) -> None:
        self._own = {name.lower() for name in own}
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if host.lower() not in self._own and any(is_private(each["host"]) for each in found):
            raise PrivateAddressError(f"{host} leads to a private address")
        return found

    async def close(self) -> None:
        await self._inner.close()
