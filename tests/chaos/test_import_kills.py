"""An import killed by SIGKILL at 20 random rows ends, item by item, as one that nobody disturbed."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymongo
import pytest

from demo.library import load as load_texts
from intake.servers import mongo
from intake.servers.state import load
from tests.house import LETTERS, House, opened

KILLS = 20
ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "appeals_stream_4326.csv"


def own_letters(house: House) -> int:
    texts = load_texts().appeals
    rows = [(f"N{number:05d}", text.title, f"{text.body}（第{number}件）") for number, text in enumerate(texts * 9)]
    house.write_letters(rows, "letters.csv")
    return len(rows)


def real_letters(house: House) -> int:
    shutil.copy(REAL, house.folder / "letters.csv")
    return 4326


SETTINGS: dict[Callable[[House], int], str] = {
    own_letters: LETTERS,
    **(
        {real_letters: (ROOT / "demo" / "letters" / "intake.toml").read_text(encoding="utf-8")} if REAL.exists() else {}
    ),
}


@pytest.mark.live
@pytest.mark.timeout(900)
@pytest.mark.parametrize("write", SETTINGS, ids=lambda write: write.__name__)
def test_twenty_kills_leave_the_same_end_states(write: Callable[[House], int], tmp_path: Path) -> None:
    settings = SETTINGS[write]
    with opened(tmp_path, settings) as house:
        rows = write(house)
        house.intake("import", "letters.csv", "--source", "letters")
        alone, queues = dump(house), ids(house)
        assert len(alone) == rows

        database = settings.replace('name = "letters"\n\n[broker]', 'name = "killed"\n\n[broker]')
        database = database.replace('name = "letters"\n[broker]', 'name = "killed"\n[broker]')
        assert database != settings
        (house.folder / "intake.toml").write_text(database, encoding="utf-8")
        killed = kill_at_rows(house, sorted(random.Random(rows).sample(range(rows), KILLS)))
        house.intake("import", "letters.csv", "--source", "letters")
        assert killed >= KILLS // 2, "the import was done before most kills"
        assert dump(house) == alone
        assert ids(house) == queues, "the same dispatches, under the same ids"


def kill_at_rows(house: House, at: list[int]) -> int:
    """Kill it once so many rows are stored, again and again; how often it was still running then."""
    server = load(house.folder / ".intake").mongo
    assert server is not None
    killed = 0
    chance = random.Random(len(at))
    with pymongo.MongoClient[dict[str, Any]](mongo.url(server)) as client:
        raw = client["killed"]["raw"]
        for row in at:
            process = house.start("import", "letters.csv", "--source", "letters")
            while process.poll() is None and raw.estimated_document_count() < row:
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.3))  # somewhere in what follows the storing: appeals, cases, publishing
            killed += process.poll() is None
            process.kill()
            process.wait()
    return killed


def dump(house: House) -> list[tuple[str, ...]]:
    names = ("id", "native_id", "state", "department", "departments", "reason")
    return sorted(tuple(str(item[name]) for name in names) for item in house.json("balance", "--items")["items"])


def ids(house: House) -> dict[str, set[str]]:
    return {department: {message["id"] for message in messages} for department, messages in house.drain().items()}
