"""The result for people: a table; and for programs: JSON with the same names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.row import Row


def show(rows: Sequence[Row], machine: dict[str, Any], console: Console) -> None:
    """Print one line a row, ours before the baseline, and below what was compared."""
    table = Table(title="make bench", caption=_caption(machine))
    table.add_column("row", no_wrap=True)
    for name in ("ours", "baseline", "unit", "ratio", "goal", "met"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.name,
            f"{row.ours:,.0f}",
            f"{row.baseline:,.0f}",
            row.unit,
            f"{row.ratio:.2f}",
            row.goal or "–",
            "–" if row.goal is None else "[green]yes[/]" if row.met else "[red]no[/]",
        )
    console.print(table)
    for row in rows:
        console.print(f"{row.name}: {row.what}", highlight=False)


def as_json(rows: Sequence[Row], machine: dict[str, Any], *, quick: bool) -> dict[str, Any]:
    """Put the rows and the machine into one document."""
    return {"quick": quick, "machine": machine, "rows": list(rows)}


def _caption(machine: dict[str, Any]) -> str:
    load = " ".join(f"{each:g}" for each in machine["load_before"])
    return f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, load before {load}"
