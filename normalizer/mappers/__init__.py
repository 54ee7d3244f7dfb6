"""What each channel's fields mean: one file a kind of connector, one line each here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from connectors.raw_appeal import RawAppeal
from normalizer.draft import Draft
from normalizer.mappers import (
    app_intake,
    discuz,
    feed,
    hotline_12345,
    http_json,
    line,
    mailbox,
    open311,
    open311_server,
    push_12345,
    table,
    waline,
)

Mapper = Callable[[RawAppeal], Draft]

MAPPERS: Mapping[str, Mapper] = MappingProxyType(
    {
        "hotline_12345": hotline_12345.read,
        "feed": feed.read,
        "discuz": discuz.read,
        "waline": waline.read,
        "http_json": http_json.read,
        "netease": http_json.read,
        "mailbox": mailbox.read,
        "open311": open311.read,
        "push_12345": push_12345.read,
        "open311_server": open311_server.read,
        "app_intake": app_intake.read,
        "table": table.read,
        "line": line.read,
    }
)
