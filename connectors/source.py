"""What the settings say of every source, whatever its kind; the rest stands beside its connector."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from connectors.raw_appeal import Mode

#: The channels of DESIGN section 4.
Channel = Literal[
    "hotline",  # 12345 热线
    "forum",  # 论坛
    "board",  # 留言板
    "news_comment",  # 新闻评论
    "mailbox",  # 领导信箱
    "app",  # 客户端、小程序
    "visit",  # 入户走访
    "counter",  # 窗口
    "grid",  # 网格
    "petition",  # 信访
    "transfer",  # 转办
    "other",
]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[source]]` of the settings (数据源)."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    kind: str  #: a name of connectors.registry
    channel: Channel
    mode: Mode  #: stated, never assumed: what goes out is the operator's decision
    zone: str  #: stated, never assumed: most sources send local times without one
    every: Annotated[float, msgspec.Meta(gt=0)] = 60.0  #: seconds between two readings
    requests_per_minute: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    hosts: tuple[str, ...] = ()  #: further hosts that this source may redirect or link to
    transport: Literal["pull", "push", "import"] = "pull"

    def problems(self) -> list[str]:
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            return [f'zone = "{self.zone}" is not a time zone; most Chinese sources want "Asia/Shanghai"']
        return []
