"""A letter whose writer comes back after the end, through a whole house: two cases, nothing of the first undone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.house import LETTERS, House, opened

pytestmark = pytest.mark.live
FUND = "公积金提取要哪些材料，单位一直不给缴公积金，请公积金中心核查办理。"
AGAIN = "公积金提取要哪些材料，单位还是不给缴公积金，上次说办了其实没有办，请公积金中心再核查。"
SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "figures.py"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(tmp_path_factory.mktemp("rounds"), LETTERS) as made:
        bring(made, FUND, "one.csv")
        finish(made)
        yield made


def bring(house: House, text: str, name: str) -> None:
    rows = [["p0", "公积金", text], ["p1", "公积金", FUND]]
    house.intake("import", house.write_letters(rows, name), "--source", "letters")


def finish(house: House) -> None:
    house.intake("feedback", "GJJ", "p0", "accepted")
    house.intake("feedback", "GJJ", "p0", "resolved", "--set", "resolution=solved")
    house.intake("case", "visit", "p0", "--solved", "yes", "--satisfied", "very", "--by", "李")


def ledger(house: House) -> dict[str, dict[str, Any]]:
    house.intake("export", "ledger", "--out", "ledger.jsonl", "--by", "王")
    lines = (house.folder / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["case"]: row for row in map(json.loads, lines)}


@pytest.fixture
def cases(house: House) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](f"mongodb://{house.server('mongod')['address']}/?directConnection=true") as client:
        yield client["letters"]["cases"]


def test_the_whole_life_of_an_item_with_two_cases(house: House) -> None:
    first = house.json("show", "p0")["id"]
    closed = ledger(house)[first]
    house.drain()
    bring(house, AGAIN, "two.csv")

    # A case of its own, told to its department as a repeat of the one it had.
    new = f"{first}~2"
    peeked = [
        json.loads(line) for line in house.intake("consume", "GJJ", "--peek", "--json").splitlines() if new in line
    ]
    (message,) = house.drain()["GJJ"]
    assert (message["subject"], message["type"], message["data"]["sequence"]) == (new, "appeal.dispatched.v1", 1)
    assert message["data"]["repeat_of"] == first
    assert peeked == [message]

    # The item is where its newest case is, once; both stand in its life, by any name.
    balance = house.json("balance")
    assert (balance["offered"], balance["states"], balance["difference_count"]) == (2, {"delivered": 2}, 0)
    shown = house.json("show", "p0")
    assert (shown["id"], shown["case"]["repeat_of"]) == (new, first)
    assert [(one["id"], one["work"]) for one in shown["rounds"]] == [(first, "closed"), (new, None)]
    assert house.json("show", message["id"])["id"] == new
    old = house.json("show", first)
    assert (old["id"], old["case"]["continued"]) == (first, new)
    assert [each["what"] for each in old["timeline"]].count("登记") == 2
    assert "办结后再次反映" in house.intake("show", old["case_no"])
    (seen,) = house.json("who-saw", "p0")
    assert sum(sight["what"].startswith("收到消息 dispatched") for sight in seen["seen"]) == 2

    # What was published of the closed one stays; the new one is a case that says the same again.
    told = ledger(house)
    same = told[first] | {"as_of": closed["as_of"], "said_again": closed["said_again"]}
    assert same == closed
    assert (told[new]["repeats"], told[new]["way"], told[new]["work"]) == ([first], "dispatched", "dispatched")
    assert told[first]["said_again"] == [told[new]["said_at"]]
    assert told[new]["said_before"] == told[first]["said_at"]
    reckoned(house)
    assert house.command("audit", "verify").returncode == 0

    # Work on it goes its own way, and again it ends and is said again.
    house.intake("feedback", "GJJ", "p0", "accepted")
    assert house.json("show", "p0")["case"]["handling"]["work"] == "signed"
    refused = house.command("case", "reopen", first, "--by", "李", "--reason", "没有办")
    assert refused.returncode == 1
    assert new in refused.stderr
    words = ("--since", "2020-01-01", "--case", new, "--by", "王", "--reason", "缺号")
    house.drain()
    house.intake("departments", "replay", "GJJ", *words)
    assert {each["subject"] for each in house.drain()["GJJ"]} == {new}
    house.intake("feedback", "GJJ", "p0", "resolved", "--set", "resolution=solved")
    house.intake("case", "visit", "p0", "--solved", "yes", "--by", "李")
    bring(house, f"{AGAIN}这是第三次来信了。", "three.csv")
    assert [one["id"] for one in house.json("show", "p0")["rounds"]] == [first, new, f"{first}~3"]
    assert ledger(house)[f"{first}~3"]["repeats"] == [first, new]
    reckoned(house)


@pytest.mark.parametrize("which", [0, 2])
def test_a_case_that_is_deleted_by_hand_is_missed_and_named(house: House, cases: Any, which: int) -> None:
    lost = house.json("show", "p0")["rounds"][which]["id"]
    kept = cases.find_one({"_id": lost})
    cases.delete_one({"_id": lost})
    found = house.command("balance", "--json")
    assert found.returncode == 1
    assert [each["native_id"] for each in json.loads(found.stdout)["differences"]] == ["p0"]
    cases.insert_one(kept)
    assert house.json("balance")["difference_count"] == 0


def reckoned(house: House) -> None:
    """An outsider comes to the same figures from the exported ledger."""
    now = datetime.now(UTC)
    days = [f"{now - timedelta(days=3):%Y-%m-%d}", f"{now + timedelta(days=3):%Y-%m-%d}"]
    words = [sys.executable, str(SCRIPT), "ledger.jsonl", *days]
    outside = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60, cwd=house.folder).stdout
    theirs = {name: values for name, *values in map(str.split, outside.splitlines())}
    ours = house.json("export", "figures", "--since", days[0], "--until", days[1])
    assert {row["name"] for row in ours} == set(theirs)
    for row in ours:
        if row["kind"] == "rate":
            assert theirs[row["name"]] == [str(row["numerator"]), str(row["denominator"])], row["name"]
        elif row["kind"] == "count":
            assert theirs[row["name"]] == [str(row["value"])], row["name"]
