"""`intake balance`: does what was offered add up, and what is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from rich.console import Console

from intake.balance import Balance, entries
from intake.cli import App, command, fail, print_json, run
from intake.end_states import Entry
from intake.house import Database, open_house
from intake.screen import STATES, age, console, table

SHOWN = 20


@click.command("balance", help="平账：收到的是否都有去处 · does everything offered have its end state")
@click.option("--day", metavar="YYYY-MM-DD", help="只看这一天首次出现的 · only what was first offered on this day")
@click.option("--items", is_flag=True, help="列出每一条（配合 --json）· list every item (with --json)")
@command
def balance_command(app: App, day: str | None, items: bool) -> None:
    """Exit 1 on any difference."""
    total, every = run(_balance(app, _day(day), with_items=items))
    if app.as_json:
        print_json(as_json(total) | ({"items": every} if items else {}))
    else:
        show(total, console())
    if not total.adds_up:
        fail(f"账不平：{total.difference_count} 处差异 · does not add up: {total.difference_count} differences")


async def _balance(app: App, day: str | None, *, with_items: bool) -> tuple[Balance, list[dict[str, Any]]]:
    async with open_house(app.settings(), broker=False) as house:
        return await compute(house.db, day, with_items=with_items)


async def compute(
    db: Database, day: str | None = None, *, with_items: bool = False
) -> tuple[Balance, list[dict[str, Any]]]:
    """Sum up; with every item by name where that is asked for."""
    total, every = Balance(day=day), []
    now = datetime.now(UTC)
    async for entry in entries(db, day=day):
        total.add(entry, now)
        if with_items:
            every.append(_item(entry))
    return total, every


def as_json(total: Balance) -> dict[str, Any]:
    """Give the balance as the JSON that outside checks read."""
    plain: dict[str, Any] = msgspec.to_builtins(total)
    return {"adds_up": total.adds_up, "states": total.totals()} | plain


def show(total: Balance, out: Console) -> None:
    """Print the balance for people."""
    columns = [state for state in STATES if state in total.totals()]
    rows = [
        [name, *(states.get(state, 0) for state in columns), sum(states.values())]
        for name, states in sorted(total.sources.items())
    ]
    rows.append(["合计", *(total.totals()[state] for state in columns), total.offered])
    title = f"平账 {total.day or ''}"
    out.print(table(title, ["来源", *(STATES[state] for state in columns), "收到"], rows))
    if total.parted:
        out.print(
            f"其中一条多诉 {total.parted} 条，分为 {total.parts} 件，按最慢的一件计 · {total.parted} hold several"
        )
    _show_open(total, out)
    if total.adds_up:
        out.print(f"账平：收到 {total.offered} 条，条条有去处 · adds up: {total.offered} offered")
    else:
        rows = [
            [each.source, each.native_id, each.id, _MISSING.get(each.missing, each.missing)]
            for each in total.differences
        ]
        out.print(table(f"差异 {total.difference_count}", ["来源", "原编号", "编号", "缺什么"], rows))


def _show_open(total: Balance, out: Console) -> None:
    oldest = sorted(total.open, key=lambda each: -(each.age_seconds or 0))[:SHOWN]
    if oldest:
        rows = [[each.source, each.native_id, each.id, STATES[each.state], age(each.age_seconds)] for each in oldest]
        out.print(
            table(f"未了 {total.open_count}（最久的 {len(rows)} 条）", ["来源", "原编号", "编号", "状态", "已等"], rows)
        )


_MISSING: Mapping[str, str] = {
    "raw missing": "原始记录不见了 · raw missing",
    "appeal missing": "诉求不见了 · appeal missing",
    "case missing": "工单不见了 · case missing",
    "case of a part missing": "一条多诉中一项的工单不见了 · case of a part missing",
    "case of a later round missing": "再次反映后另立的工单不见了 · case of a later round missing",
}


def _item(entry: Entry) -> dict[str, Any]:
    return {
        "source": entry.source,
        "native_id": entry.native_id,
        "id": entry.id,
        "day": entry.day,
        "state": entry.state or "difference",
        "department": entry.department,
        "departments": list(entry.departments),
        "reason": entry.reason,
    } | ({"missing": entry.missing} if entry.state is None else {})


def _day(day: str | None) -> str | None:
    if day is None:
        return None
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).strftime("%Y-%m-%d")
    except ValueError as error:
        raise click.BadParameter(
            f"要写成 2026-11-22 · write it like 2026-11-22, not {day}", param_hint="--day"
        ) from error
