"""Import: killed at any row and run again, the end states are the same; a second import changes nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.library import load
from tests.house import LETTERS, House, opened

ROWS = 2000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(tmp_path_factory.mktemp("import"), LETTERS) as made:
        texts = load().appeals
        rows = [
            (f"N{number:05d}", texts[number % len(texts)].title, f"{texts[number % len(texts)].body}（第{number}件）")
            for number in range(ROWS)
        ]
        made.write_letters([*rows, ("N00007", "", "")], "letters.csv")
        yield made


def switch_to(house: House, database: str) -> None:
    settings = LETTERS.replace('name = "letters"\n[broker]', f'name = "{database}"\n[broker]')
    (house.folder / "intake.toml").write_text(settings, encoding="utf-8")


def dump(house: House) -> list[tuple[Any, ...]]:
    items = house.json("balance", "--items")["items"]
    names = ("id", "native_id", "state", "department", "departments", "reason")
    return sorted(tuple(str(item[name]) for name in names) for item in items)


def test_a_killed_import_ends_as_one_that_was_left_alone(house: House) -> None:
    house.intake("import", "letters.csv", "--source", "letters")
    alone = dump(house)
    assert len(alone) == ROWS

    switch_to(house, "killed")
    chance = random.Random(1)
    kills = 0
    while kills < 4:
        process = house.start("import", "letters.csv", "--source", "letters")
        time.sleep(chance.uniform(0.8, 2.5))
        if process.poll() is not None:
            break
        process.kill()
        process.wait()
        kills += 1
    assert kills > 0
    house.intake("import", "letters.csv", "--source", "letters")
    assert dump(house) == alone


def test_a_second_import_changes_nothing(house: House) -> None:
    switch_to(house, "letters")
    house.intake("import", "letters.csv", "--source", "letters")
    before, queues = dump(house), house.drain()
    assert queues
    told = house.json("import", "letters.csv", "--source", "letters")
    assert told["imported"] == 0
    assert dump(house) == before
    assert house.drain() == {}


def test_another_file_with_the_same_rows_changes_nothing_either(house: House) -> None:
    switch_to(house, "letters")
    before = dump(house)
    house.drain()
    copied = (house.folder / "letters.csv").read_bytes() + b"\n"
    Path(house.folder / "copy.csv").write_bytes(copied)
    assert house.json("import", "copy.csv", "--source", "letters")["imported"] in {0, 1, 2}
    assert [row[0] for row in dump(house)] == [row[0] for row in before]


def test_a_file_without_the_columns_is_refused_before_anything_is_stored(house: House) -> None:
    switch_to(house, "refused")
    (house.folder / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    told = house.command("import", "other.csv", "--source", "letters")
    assert told.returncode == 1
    assert "编号" in told.stderr
    assert house.json("balance")["offered"] == 0


def test_an_unknown_source_is_told_with_those_there_are(house: House) -> None:
    told = house.command("import", "letters.csv", "--source", "nobody")
    assert told.returncode == 1
    assert "letters" in told.stderr
