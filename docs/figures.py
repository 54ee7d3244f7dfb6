"""Reckon the figures again from `intake export ledger`, without this system.

    python figures.py FILE SINCE UNTIL        days as 2026-11-01; the last is not in it

Prints one line a figure: name, numerator, denominator.
"""  # noqa: INP001 - a script that stands alone

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

SHANGHAI = timezone(timedelta(hours=8))
Fact = dict[str, Any]
Test = Callable[[Fact], bool]


def moment(text: str) -> datetime:
    """Read a time; Python before 3.11 does not know the Z."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))  # noqa: FURB162


def day(text: str) -> datetime:
    """Read a day of the city."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def within(name: str, since: datetime, until: datetime) -> Test:
    """Ask whether something happened, or was due, in the span."""
    return lambda fact: fact[name] is not None and since <= moment(fact[name]) < until


def on_time(done: str, due: str) -> Test:
    """Ask whether something was done by its deadline."""
    return lambda fact: None not in {fact[done], fact[due]} and moment(fact[done]) <= moment(fact[due])


def figures(since: datetime, until: datetime) -> dict[str, tuple[Test, Test]]:
    """Say of each figure which cases it asks about, and which of them count."""
    sign, contact, close, resolved, visited, sent = (
        within(name, since, until)
        for name in ("sign_due", "contact_due", "close_due", "resolved_at", "visited_at", "dispatched_at")
    )

    def to_visit(fact: Fact) -> bool:
        return resolved(fact) and (fact["visited_at"] is not None or fact["waits_visit"] or fact["expired"])

    def rated(fact: Fact) -> bool:
        return visited(fact) and fact["satisfied"] is not None

    return {
        "sign_on_time": (sign, on_time("signed_at", "sign_due")),
        "response": (contact, on_time("contacted_at", "contact_due")),
        "on_time_close": (close, on_time("resolved_at", "close_due")),
        "close_rate": (close, lambda fact: fact["resolved_at"] is not None),
        "reopened": (resolved, lambda fact: fact["reopened"] > 0),
        "visited": (to_visit, lambda fact: fact["visited_at"] is not None),
        "solved": (visited, lambda fact: fact["solved"] in {"yes", "explained"}),
        "satisfied": (rated, lambda fact: fact["satisfied"] in {"very", "yes"}),
        "satisfied_wide": (rated, lambda fact: fact["satisfied"] in {"very", "yes", "basically"}),
        "first_route": (sent, lambda fact: fact["returns_upheld"] == 0),
    }


def main(file: str, since: str, until: str) -> None:
    """Reckon and print."""
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    facts = [fact for fact in map(json.loads, lines) if fact["excluded"] is None]
    for name, (asked, counts) in figures(day(since), day(until)).items():
        denominator = [fact for fact in facts if asked(fact)]
        sys.stdout.write(f"{name} {sum(map(counts, denominator))} {len(denominator)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
