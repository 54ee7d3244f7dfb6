"""A record on top of a large store against one on top of a small one, by CPU time of worker and servers.

The large store is made inside MongoDB, of copies of what the street has stored: every collection and every index of it
has that many entries.
"""

from __future__ import annotations

import tempfile
from statistics import median
from typing import Any

import msgspec
import pymongo

from bench.ground import Ground, Task, in_a_process
from bench.row import Pair, Row, Sample

SMALL, LARGE = 10_000, 1_000_000
MOST = 1.15
COLLECTIONS = ("raw", "appeals", "vault", "cases")
WHAT = "CPU of worker and servers for a record, {large:,} stored, against {small:,} stored"


def compare(ground: Ground, small: int = SMALL, large: int = LARGE) -> Row:
    """Fill to the small size, measure, copy up to the large one, measure again."""
    with ground.fresh(small, one_desk=True) as fresh, tempfile.TemporaryDirectory(prefix="bench-") as keys:
        task = msgspec.structs.replace(fresh, keys=keys)
        in_a_process("street", task)
        before = [_cost(task, f"bench-before-{number}") for number in range(ground.runs)]
        ground.tell(f"{small:,} stored: {median(each.figure for each in before):,.0f} µs; now copies are made")
        _multiply(task, large // small)
        after = [_cost(task, f"bench-after-{number}") for number in range(ground.runs)]
        ground.tell(f"{large:,} stored: {median(each.figure for each in after):,.0f} µs")
        pairs = [Pair(ours, baseline) for ours, baseline in zip(after, before, strict=True)]
    ours, baseline = median(each.figure for each in after), median(each.figure for each in before)
    return Row(
        name="grown",
        what=WHAT.format(large=large, small=small),
        ours=ours,
        baseline=baseline,
        unit="µs/record",
        ratio=ours / baseline,
        goal=f"≤ {MOST:g} ×",
        met=ours / baseline <= MOST,
        runs=pairs,
    )


def _cost(task: Task, source: str) -> Sample:
    facts = in_a_process("street", msgspec.structs.replace(task, source=source)).facts
    spent = facts["own_cpu_us"] + facts.get("mongod_cpu_us", 0.0) + facts.get("broker_cpu_us", 0.0)
    return Sample(spent, facts)


def _multiply(task: Task, times: int) -> None:
    """Let every document of the first source stand so many times, under ids that sort as these do."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(task.mongo_url)
    database = client[task.database]
    ids = [each["_id"] for each in database.raw.find({"source": task.source}, {"_id": 1})]
    for name in COLLECTIONS:
        for copy in range(1, times):
            database[name].aggregate(
                [
                    {"$match": {"_id": {"$in": ids}}},
                    {"$set": {"_id": {"$concat": ["$_id", f"-{copy}"]}}},
                    {"$merge": {"into": name, "whenMatched": "keepExisting"}},
                ]
            )
    client.admin.command("fsync")  # the checkpoint of so much is none of a record's cost
    client.close()
