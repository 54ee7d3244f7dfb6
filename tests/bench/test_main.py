"""Each bench runs, at a size at which its figures mean nothing, against the session's real servers."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from intake.servers import Servers

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = {"name", "what", "ours", "baseline", "unit", "ratio", "goal", "met", "runs"}


def bench(name: str, file: Path, environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--size", "60", "--json", str(file), name],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert name in done.stdout
    read: dict[str, Any] = msgspec.json.decode(file.read_bytes())
    return read


def test_records_prints_a_table_and_writes_its_json(tmp_path: Path) -> None:
    """It needs no server."""
    read = bench("records", tmp_path / "bench.json", {})

    assert read["machine"]["cores"] >= 1
    [row] = read["rows"]
    assert row.keys() == COLUMNS
    assert row["ratio"] == pytest.approx(row["ours"] / row["baseline"], rel=0.01)


SLOW = [pytest.param(name, marks=pytest.mark.live) for name in ("city", "push", "by_hand", "workers", "grown")]


@pytest.mark.parametrize("name", ["bridge", "floor", "publish", "desk", "memory", *SLOW])
def test_a_street_is_measured_against_its_baseline(
    name: str, tmp_path: Path, mongo_server: Servers, broker_server: Servers
) -> None:
    read = bench(
        name,
        tmp_path / "bench.json",
        {
            "MONGO_URL": mongo_server.mongo_url,
            "AMQP_URL": broker_server.amqp_url,
            "AMQP_MANAGEMENT_URL": broker_server.management_url,
        },
    )

    [row] = read["rows"]
    [pair] = row["runs"]
    assert row.keys() == COLUMNS
    assert row["ratio"] > 0
    facts = pair["ours"]["facts"]
    assert facts["states"]["delivered"] > 0
    if name in {"bridge", "floor", "desk", "push", "by_hand", "grown"}:
        # As the baseline: a record is one message, and all go into one queue; what is declined sends none.
        assert facts["messages"] == facts["states"]["delivered"]
        assert facts["queues"] == 1
        assert facts["states"].keys() <= {"delivered", "informed"}
    else:
        assert facts["queues"] > 1
    assert pair["ours"]["facts"]["peak_rss_mb"] > 0
