"""Reckon the figures again from `intake export ledger`, without this system: python figures.py FILE SINCE UNTIL [UNIT].

Days as 2026-11-01, the last is not in it. Prints a line a figure: count | numerator denominator | n and hours | score.
"""

# ruff: noqa: D103, E731, FURB162, INP001 - a script that stands alone, also on Python 3.10
import json
import sys
from datetime import datetime, timedelta, timezone
from math import ceil
from pathlib import Path
from statistics import fmean, median
from types import SimpleNamespace as Fact
from typing import Any

QUALITY = {"complete": 40, "placed": 15, "grounded": 15, "dated": 10, "fresh": 10, "readable": 10}
COMPOSITE = {"response": 0.2, "solved": 0.4, "satisfied": 0.4}  # as `[figures]` of the settings has them
URGENCIES = {"": "critical urgent normal", "_critical": "critical", "_urgent": "urgent", "_normal": "normal"}
TIMES = ("_at", "_due", "as_of")  # how the names of moments end


def read(file: str) -> list[Fact]:
    value = lambda name, it: datetime.fromisoformat(it.replace("Z", "+00:00")) if it and name.endswith(TIMES) else it
    fact = lambda said: Fact(again=[], **{name: value(name, it) for name, it in said.items()})
    facts = [json.loads(line, object_hook=fact) for line in Path(file).read_text(encoding="utf-8").splitlines()]
    by_case = {f.case: f for f in facts}
    for f in facts:
        earlier = [by_case[case] for case in f.repeats if case in by_case]
        f.repeat = bool(earlier) and f.said_at - max(one.said_at for one in earlier) > timedelta(hours=24)
        for one in earlier:
            one.again.append(f.said_at)
    return facts


def spread(facts: list[Fact]) -> list[Any]:
    hours = sorted(f.worked_seconds / 3600 for f in facts if f.worked_seconds is not None)
    at = [hours[ceil(share * len(hours)) - 1] for share in (0.75, 0.9) if hours]
    return [len(hours), *(round(each, 2) for each in (median(hours), *at, fmean(hours)))] if hours else [0]


def figures(facts: list[Fact], since: datetime, until: datetime, unit: str | None = None) -> dict[str, list[Any]]:
    happened = lambda name, fs: [f for f in fs if (at := getattr(f, name)) and since <= at < until]
    due = lambda name, done, fs: [f for f in happened(name, fs) if getattr(f, done) or getattr(f, name) <= f.as_of]
    by = lambda done, due: lambda f: None not in {at := getattr(f, done), to := getattr(f, due)} and at <= to
    hands = lambda name: sum(getattr(hand, name) for f in orders for hand in f.hands if unit in {None, hand.unit})
    settled = lambda f: f.resolved_at + timedelta(days=90 if f.channel == "petition" else 60)
    mean = lambda weights, shares: sum(weights[name] * shares[name] for name in weights) / sum(weights.values())
    score = lambda weights, shares: [None if None in shares.values() else round(100 * mean(weights, shares), 1)]
    back = lambda f: any(f.resolved_at < at <= settled(f) for at in f.again)
    own = [f for f in facts if unit in {None, f.unit}]
    rated, going = [f for f in own if not f.excluded], [f for f in own if f.way in {"dispatched", "waiting"}]
    offered, orders = happened("opened_at", own), [f for f in happened("dispatched_at", facts) if not f.excluded]
    accepted, seen = [f for f in offered if f.way], [f for f in offered if f.way or f.excluded == "unreadable"]
    closed, sent, met = (happened(name, rated) for name in ("resolved_at", "dispatched_at", "visited_at"))
    to_send = due("dispatch_due", "dispatched_at", [f for f in going if f.way == "waiting" or not f.excluded])
    to_close, called = due("close_due", "resolved_at", rated), due("contact_due", "contacted_at", rated)
    ripe, marked = [f for f in closed if settled(f) <= f.as_of], [f for f in met if f.satisfied]
    given = [f for f in happened("dispatched_at", own) if f.excluded in {None, "exempt"}]
    rates = {
        "dispatch_on_time": (to_send, by("dispatched_at", "dispatch_due")),
        "sign_on_time": (due("sign_due", "signed_at", rated), by("signed_at", "sign_due")),
        "response": (called, by("contacted_at", "contact_due")),
        "contacted_first": (closed, by("contacted_at", "resolved_at")),
        "on_time_close": (to_close, by("resolved_at", "close_due")),
        "overdue_rate": (to_close, lambda f: not f.resolved_at or f.resolved_at > f.close_due),
        "close_rate": (to_close, lambda f: f.resolved_at),
        "first_route": (sent, lambda f: not any(hand.upheld for hand in f.hands)),
        "automatic": (sent, lambda f: f.automatic),
        "automatic_moved": ([f for f in sent if f.automatic], lambda f: f.moved),
        "recognized": (given, lambda f: not f.excluded),
        "reopen_rate": (closed, lambda f: f.reopened),
        "first_time_resolved": (ripe, lambda f: not (f.reopened or f.moved or back(f))),
        "repeat_rate": ([f for f in offered if f.way or (f.excluded == "linked" and f.repeats)], lambda f: f.repeat),
        "relapse_rate": (closed, lambda f: any(at >= f.resolved_at + timedelta(days=7) for at in f.again)),
        "visited": ([f for f in closed if f.visited_at or f.waits_visit or f.expired], lambda f: f.visited_at),
        "solved": ([f for f in met if not f.hung and not f.disputed], lambda f: f.solved in {"yes", "explained"}),
        "hung_closed": (happened("suspended_at", rated), lambda f: f.resolved_at),
        "satisfied": (marked, lambda f: f.satisfied in {"very", "yes"}),
        "satisfied_wide": (marked, lambda f: f.satisfied in {"very", "yes", "basically"}),
        "suggestions_adopted": ([f for f in closed if f.type == "suggest"], lambda f: f.resolution == "solved"),
    }
    found = {name: [sum(bool(test(f)) for f in fs), len(fs)] for name, (fs, test) in rates.items()}
    found |= {"return_rate": [hands("upheld"), hands("given")], "refused_returns": [hands("refused"), hands("asked")]}
    found |= {way: [sum(f.way == way for f in accepted)] for way in ("direct", "dispatched", "waiting")}
    open_then = [f for f in going if f.opened_at < since and (not f.resolved_at or f.resolved_at >= since)]
    past = [f for f in rated if f.close_due and not f.resolved_at and f.close_due < min(until, f.as_of)]
    assisting = sum(len(f.assist) if unit is None else f.assist.count(unit) for f in orders)
    found |= {"people": [len({f.person or f.case for f in accepted})]}  # who is unknown counts for one
    found |= {"accepted": [len(accepted)], "urged": [sum(f.urged for f in accepted)], "assisted": [assisting]}
    found |= {"carried_over": [len(open_then)], "overdue_open": [len(past)]}
    found |= {"proactive": [sum(f.channel == "grid" for f in accepted)], "hung": [sum(f.hung for f in met)]}
    found |= {"unreachable": [sum(f.unreachable for f in called)], "first_time_pending": [len(closed) - len(ripe)]}
    found |= {"open_hours": spread([f for f in rated if f.way and not f.resolved_at and f.opened_at < until])}
    for name, urgencies in URGENCIES.items():
        found[f"avg_handle_hours{name}"] = spread([f for f in closed if f.urgency in urgencies.split()])
    shares = {name: found[name][0] / found[name][1] if found[name][1] else None for name in COMPOSITE}
    read_ = {name: [f for f in seen if f.way or name == "readable"] for name in QUALITY}
    whole = {name: sum(name not in f.lacks for f in fs) / len(fs) if fs else None for name, fs in read_.items()}
    return found | {"composite": score(COMPOSITE, shares), "dq_score": score(QUALITY, whole)}


if __name__ == "__main__":
    since, until = (datetime.fromisoformat(day).replace(tzinfo=timezone(timedelta(hours=8))) for day in sys.argv[2:4])
    for name, told in figures(read(sys.argv[1]), since, until, *sys.argv[4:5]).items():
        sys.stdout.write(" ".join(map(str, [name, *told])) + "\n")
