"""What the settings say of every source, whatever its kind; the rest stands beside its connector."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from connectors.answering.table import AnswerTable, AnswerTerms
from connectors.asking.quiet import hours_of
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
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=16)] = 1  #: requests at one time, all workers together
    quiet_hours: tuple[str, ...] = ()  #: "23:00-06:30" in the source's zone: nothing is asked then
    #: why robots.txt is not asked for: who allowed it, and when
    robots_exempt: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    #: further hosts that this source may redirect or link to; a name stands here too if it leads into a private network
    hosts: tuple[str, ...] = ()
    transport: Literal["pull", "push", "import"] = "pull"
    write_back: AnswerTable | None = None  #: how an item is answered where it came from (回写); None: it is not

    def answers(self) -> AnswerTable | None:
        """Say how an item of this source is answered; some kinds know it without being told."""
        return self.write_back

    def answer_terms(self) -> AnswerTerms | None:
        """Say under which terms it is answered; None: it is not."""
        table = self.answers()
        return None if table is None else AnswerTerms(public=table.public, within_hours=table.within_hours)

    def problems(self) -> list[str]:
        problems = [
            f'quiet_hours "{written}" are not understood; write "23:00-06:30"'
            for written in self.quiet_hours
            if hours_of(written) is None
        ]
        problems += [] if self.write_back is None else self.write_back.problems()
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            problems.append(f'zone = "{self.zone}" is not a time zone; most Chinese sources want "Asia/Shanghai"')
        return problems
