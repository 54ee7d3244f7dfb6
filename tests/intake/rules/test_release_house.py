"""A rule on a Tuesday, as an operator lives it: rehearse, be refused, release under a running worker, go back."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.house import LETTERS, House, await_, opened

pytestmark = pytest.mark.live
WATER = "家里自来水停水三天了，一直没有人来修，也没有通知，请尽快恢复供水。"
RULES = 'version = "tue"\n[categories]\n0301 = { lead = "HJJ" }\n'
TESTS = '[[test]]\nwhy = "水归水"\ntext = "家里自来水停水三天了"\ncategory = "0301"\nlead = "GSGS"\n'
BY = ("--by", "张三", "--reason", "区里统一要求")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(tmp_path_factory.mktemp("tuesday"), LETTERS) as made:
        letters(made, "first", 6)
        (made.folder / "new.toml").write_text(RULES, "utf-8")
        yield made


def letters(house: House, name: str, count: int) -> None:
    rows = [[f"{name}{number}", f"停水{name}{number}", WATER] for number in range(count)]
    house.intake("import", house.write_letters(rows, f"{name}.csv"), "--source", "letters")


def leads(house: House, name: str, count: int) -> set[str]:
    return {house.json("show", f"{name}{number}")["case"]["holder"] for number in range(count)}


def rehearse(house: House, *words: str) -> Any:
    done = house.command("rehearse", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_rule_on_a_tuesday(house: House) -> None:
    assert leads(house, "first", 6) == {"GSGS"}
    done = rehearse(house, "--rules", "new.toml", "--reassign-open", "--out", "moved.jsonl")["rehearsed"]
    (group,) = done["groups"]
    assert (group["before"], group["after"], group["count"]) == ("GSGS", "HJJ", 6)
    assert done["messages"] == {"release dispatched": 6, "release recalled": 6}
    lines = [json.loads(line) for line in (house.folder / "moved.jsonl").read_text("utf-8").splitlines()]
    assert [line["kind"] for line in lines].count("moved") == 6
    refused = house.command("rehearse", "--rules", "new.toml", "--release", *BY)
    assert refused.returncode == 1
    assert "改派 6" in refused.stdout
    assert "改派占 100.0%，门槛 10.0%" in refused.stdout
    assert "没有发布" in refused.stderr
    (house.folder / "new.tests.toml").write_text(TESTS, "utf-8")
    broken = house.command("rehearse", "--rules", "new.toml")
    assert broken.returncode == 1
    assert "new.tests.toml:1" in broken.stdout
    assert house.command("rehearse", "--rules", "new.toml", "--release").returncode == 2, "nobody said who"
    (house.folder / "new.tests.toml").unlink()
    assert house.json("rehearse", "--history") == []
    _release_under_a_worker(house)


def _release_under_a_worker(house: House) -> None:
    worker = house.start("run")
    log = house.folder / "run.log"
    try:
        await_(lambda: "street_open" in log.read_text("utf-8"), "the worker to be at work", 120)
        house.drain()
        words = ("--rules", "new.toml", "--reassign-open", "--release", "--force")
        came = rehearse(house, *words, *BY)
        assert came["reassigned"] == {"cases": 6, "messages": {"recalled": 6, "dispatched": 6}}
        await_(lambda: "release_taken" in log.read_text("utf-8"), "the worker to take the release", 60)
        sent = {code: [message["type"] for message in messages] for code, messages in house.drain().items()}
        assert sent == {"GSGS": ["appeal.recalled.v1"] * 6, "HJJ": ["appeal.dispatched.v1"] * 6}
    finally:
        worker.send_signal(signal.SIGINT)
        assert worker.wait(60) == 0
    letters(house, "second", 2)
    assert leads(house, "second", 2) == {"HJJ"}
    (again,) = house.json("rehearse", "--reproduce", "second0")
    assert again["verdict"] == "same"

    back = rehearse(house, "--back", "--release", *BY)["released"]
    assert back["back"] is True
    letters(house, "third", 2)
    assert leads(house, "third", 2) == {"GSGS"}
    one, two = house.json("rehearse", "--history")
    assert (one["_id"], two["_id"], two["by"], len(two["forced"])) == (2, 1, "张三", 1)
    assert [each["verdict"] for each in house.json("rehearse", "--reproduce", "first0")] == ["same", "same"]
    assert "第 2 次发布" in json.dumps(house.json("check"), ensure_ascii=False)
    assert Path(house.folder / "moved.jsonl").stat().st_size
