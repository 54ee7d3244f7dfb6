"""The session of some sources, and what their settings say of where they may be led."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

import aiohttp
import msgspec

from connectors.asking.addresses import GuardedResolver
from connectors.source import Source


def open_session(sources: Iterable[Source]) -> aiohttp.ClientSession:
    """Open the session of these sources: no name leads it inside our network, but those that `hosts` name as ours.

    An address that stands in the settings as a number is connected to as it stands, and so is `localhost`.
    """
    read = list(sources)
    own = {urlsplit(f"//{host}").hostname or "" for source in read for host in source.hosts}
    named = {urlsplit(address).hostname for source in read for address in addresses_of(source)}
    resolver = GuardedResolver(own | ({"localhost"} & named))
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=resolver), cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )


def addresses_of(source: Source) -> list[str]:
    """Give every address that a source's settings name: it is led to no other host."""
    return [text for _, text in _texts(msgspec.to_builtins(source)) if text.startswith(("http://", "https://"))]


def has_key(source: Source) -> bool:
    """Say whether its operator gave us a key (`…_env` names its variable): we are let in by name, robots.txt or not."""
    return any(name.endswith("_env") for name, _ in _texts(msgspec.to_builtins(source)))


def _texts(value: object, name: str = "") -> Iterable[tuple[str, str]]:
    """Every text of the settings with the name of its setting."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(each, str(key))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each, name)
