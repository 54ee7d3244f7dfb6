"""The kinds of source, in plain sight. A new channel joins by a line here and a folder of recordings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from connectors.base import Connector, Fetch
from connectors.hotline_12345 import Hotline12345, HotlineSettings
from connectors.source import Source

#: settings, the way to the network, the environment (for keys) -> the connector
Open = Callable[[Any, Fetch, Mapping[str, str]], Connector]


class Kind(NamedTuple):
    """One kind of source (来源种类)."""

    settings: type[Source]
    open: Open


REGISTRY: dict[str, Kind] = {
    "hotline_12345": Kind(HotlineSettings, Hotline12345),
}
