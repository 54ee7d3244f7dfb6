"""The indexes of this room's collections: what its queries need, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING

from router.cases.moves import State

Database = AsyncIOMotorDatabase[dict[str, Any]]

#: Most are small, as they hold only cases with something to be done.
#: None for native ids and message ids: each cost every case a third of its insert, and a native id gives its case's id
#: (intake/life.py), a dead letter names its case.
INDEXES: Mapping[str, tuple[tuple[list[tuple[str, int]], dict[str, Any]], ...]] = {
    "cases": (
        ([("until", ASCENDING)], {"name": "unsent", "partialFilterExpression": {"unsent": {"$gt": 0}}}),
        (
            [("parked", ASCENDING), ("opened_at", ASCENDING)],
            {"name": "parked", "partialFilterExpression": {"parked": {"$gt": 0}}},
        ),
        (
            [("goal", ASCENDING), ("urgency", ASCENDING), ("since", ASCENDING)],
            {"name": "open", "partialFilterExpression": {"goal": {"$in": [State.TRIAGE.value, State.PARKED.value]}}},
        ),
        ([("case_no", ASCENDING)], {"name": "case_no"}),
        # What the clock looks at next, what the source is told next, and what people list by where the work stands.
        ([("due", ASCENDING)], {"name": "due", "partialFilterExpression": {"due": {"$type": "date"}}}),
        (
            [("handling.answer_at", ASCENDING)],
            {"name": "answer_at", "partialFilterExpression": {"handling.answer_at": {"$type": "date"}}},
        ),
        (
            [("handling.answers_parked", ASCENDING)],
            {"name": "answers_parked", "partialFilterExpression": {"handling.answers_parked": {"$gt": 0}}},
        ),
        (
            [("handling.work", ASCENDING), ("handling.since", ASCENDING)],
            {"name": "work", "partialFilterExpression": {"handling.work": {"$type": "string"}}},
        ),
    ),
    "strays": (
        ([("at", ASCENDING)], {"name": "at"}),
        (
            [("unanswered", ASCENDING), ("at", ASCENDING)],
            {"name": "unanswered", "partialFilterExpression": {"unanswered": True}},
        ),
    ),
}


async def ensure_indexes(database: Database) -> None:
    """Make what is missing; what is there already costs nothing."""
    for name, indexes in INDEXES.items():
        for keys, options in indexes:
            await database[name].create_index(keys, **options)
