"""What people see: tables with Chinese headings, on standard output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone

from rich.console import Console
from rich.markup import escape
from rich.table import Table

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")

#: End states and open states as people call them, in the order of the balance.
STATES: Mapping[str, str] = {
    "delivered": "已入队列",
    "linked": "已并单",
    "informed": "告知",
    "handed_over": "移交",
    "not_an_appeal": "非诉求",
    "withdrawn": "已撤回",
    "observed": "观察",
    "parked": "挂起",
    "triage": "待研判",
    "in_flight": "在途",
    "difference": "差异",
}

URGENCIES = {"critical": "特急", "urgent": "紧急", "normal": "一般"}


def console() -> Console:
    """Open standard output; wide enough for ids when a program reads."""
    out = Console(highlight=False)
    return out if out.is_terminal else Console(highlight=False, width=200)


def table(title: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Make a table; numbers stand to the right, whatever comes from outside is shown as it is."""
    made = Table(title=title, title_justify="left", header_style="bold")
    body = [list(row) for row in rows]
    for at, heading in enumerate(headings):
        numbers = bool(body) and all(isinstance(row[at], int | float) for row in body)
        made.add_column(heading, justify="right" if numbers else "left", overflow="fold")
    for row in body:
        made.add_row(*(escape(cell(value)) for value in row))
    return made


def cell(value: object) -> str:
    """Write one value for people."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return f"{value.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        return f"{value:.1f}"
    return printable(str(value))


def printable(text: str) -> str:
    """Leave out control characters: what a source sent may not move the cursor of a terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text)


def age(seconds: int | None) -> str:
    """Write how long something waits."""
    if seconds is None:
        return "-"
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days}天{hours}时"
    return f"{hours}时{minutes}分" if hours else f"{minutes}分{left}秒"
