"""A store full of random cases, written there as the street would have left them."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from normalizer.appeal import instant
from normalizer.document import document_of
from router.cases.case import Case, to_document
from router.cases.standing import standing
from tests.router.cases.histories import history
from tests.router.cases.ledgers import varied, worked_through
from tests.router.city import AT

NAME, NUMBER = "欧阳女士", "13912345678"


def moved(value: Any, by: timedelta) -> Any:
    """The same document at another time."""
    match value:
        case datetime():
            return value + by
        case dict():
            return {name: moved(each, by) for name, each in value.items()}
        case list():
            return [moved(each, by) for each in value]
        case _:
            return value


def filled(size: int, now: datetime) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Cases and their appeals, all of them begun within the last seventy days."""
    chance = random.Random(11)
    cases, appeals = [], []
    for seed in range(size):
        id_ = f"c{seed:06}"
        case: Case = history(seed)[0] if seed % 3 else worked_through(chance)
        by = now - AT - timedelta(days=chance.choice([0.01, 0.5, 3, 9, 40, 70]))
        earlier = [f"c{chance.randrange(seed):06}"] if seed and chance.random() < 0.2 else []
        of = replace(varied(seed, earlier), id=id_, native_id=f"n{seed}", text=f"路灯不亮，电话{NUMBER}")
        of = replace(of, citizen=replace(of.citizen, display=NAME), received_at=instant(AT + by))
        channel = of.channel
        case = replace(case, id=id_, case_no=f"20261122-XX-{id_.upper()}", channel=channel, revision=1)
        case.handling = standing(case)
        cases.append(moved(to_document(case), by))
        appeals.append(document_of(replace(of, posted_at=of.posted_at and instant(AT + by)), withdrawn=False))
    return cases, appeals
