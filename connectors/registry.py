"""The kinds of source, in plain sight. A new channel joins by a line here and a folder of recordings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from connectors.base import Connector, Fetch
from connectors.channels.app_intake import AppIntake, AppIntakeSettings
from connectors.channels.discuz import Discuz, DiscuzSettings
from connectors.channels.feed import Feed, FeedSettings
from connectors.channels.hotline_12345 import Hotline12345, HotlineSettings
from connectors.channels.http_json.connector import HttpJson
from connectors.channels.http_json.settings import HttpJsonSettings
from connectors.channels.mailbox import Mailbox, MailboxSettings
from connectors.channels.netease import Netease, NeteaseSettings
from connectors.channels.open311 import Open311, Open311Settings
from connectors.channels.open311_server import Open311Server, Open311ServerSettings
from connectors.channels.push_12345 import Push12345, Push12345Settings
from connectors.channels.table import TableFile, TableSettings
from connectors.channels.waline import Waline, WalineSettings
from connectors.receiving.contract import Receiver
from connectors.source import Source

#: settings, the way to the network, the environment (for keys) -> the connector
Open = Callable[[Any, Fetch, Mapping[str, str]], Connector]
#: settings, the file -> the connector
OpenFile = Callable[[Any, Path], Connector]

#: settings, the environment (for keys) -> what reads its callers' pushes
OpenDoor = Callable[[Any, Mapping[str, str]], Receiver]


class Kind(NamedTuple):
    """One kind of source (来源种类): it is read from the network or a file of `intake import`, or pushed to us."""

    settings: type[Source]
    open: Open | None = None
    open_file: OpenFile | None = None
    receive: OpenDoor | None = None


REGISTRY: dict[str, Kind] = {
    "hotline_12345": Kind(HotlineSettings, open=Hotline12345),  # 12345 工单接口
    "feed": Kind(FeedSettings, open=Feed),  # RSS、Atom、JSON Feed
    "discuz": Kind(DiscuzSettings, open=Discuz),  # Discuz 论坛手机接口
    "waline": Kind(WalineSettings, open=Waline),  # 新闻评论
    "netease": Kind(NeteaseSettings, open=Netease),  # 网易跟帖
    "open311": Kind(Open311Settings, open=Open311),  # Open311 GeoReport v2 客户端
    "http_json": Kind(HttpJsonSettings, open=HttpJson),  # 声明式接口，与 connectors/channels/presets/
    "mailbox": Kind(MailboxSettings, open=Mailbox),  # 领导信箱（IMAP）
    "push_12345": Kind(Push12345Settings, receive=Push12345),  # 12345 工单推送
    "open311_server": Kind(Open311ServerSettings, receive=Open311Server),  # Open311 GeoReport v2 服务端
    "app_intake": Kind(AppIntakeSettings, receive=AppIntake),  # 小程序、客户端
    "table": Kind(TableSettings, open_file=TableFile),  # CSV、XLSX、JSON lines
}
