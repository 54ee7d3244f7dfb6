"""The whole street, proved from outside: what the demonstration offered, against what an independent program finds.

The demonstration's server keeps its own list; `pika` drains all queues; nothing of ours is asked but the balance.
"""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bson import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.collection import Collection

from demo.hotline import KEY
from tests.house import House, opened

ROOT = Path(__file__).parent.parent
OVER = {"appeal.recalled.v1", "appeal.withdrawn.v1"}
#: Where an item may be when everything is drained.
SETTLED = {"delivered", "triage", "informed", "handed_over", "not_an_appeal", "withdrawn", "parked", "linked"}

RAW_BSON = CodecOptions(document_class=RawBSONDocument)
LETTERS_SOURCE = """
[[source]]
name = "planted"
kind = "table"
channel = "board"
mode = "route"
zone = "Asia/Shanghai"
[source.columns]
native_id = "编号"
title = "标题"
text = "内容"
author = "姓名"
phone = "电话"
"""

Item = dict[str, Any]
Key = tuple[str, str]


@contextmanager
def demonstration() -> Iterator[str]:
    """The demonstration's server on a port of its own."""
    words = [sys.executable, "-m", "demo.server", "--port", "0", "--seed", "7"]
    child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        yield json.loads(child.stdout.readline())["url"]
    finally:
        child.terminate()
        child.communicate(timeout=10)


def settings_for(url: str) -> str:
    """The demonstration's own settings, with another address and without its own server."""
    text = (ROOT / "demo" / "intake.toml").read_text("utf-8")
    text = text.replace("http://127.0.0.1:28080", url).replace("server = true", "server = false")
    text = text.replace('"city/', f'"{ROOT}/demo/city/').replace(
        "requests_per_minute = 1200", "requests_per_minute = 6000"
    )
    return text.replace("every = 5", "every = 1").replace("every = 10", "every = 1")


@dataclass(frozen=True)
class Drained:
    """A street that ran to its end."""

    house: House
    url: str
    report: dict[str, Any]
    items: dict[Key, Item]
    offered: dict[Key, dict[str, Any]]

    def waiting(self) -> dict[str, int]:
        """How many messages lie in each department's own queue."""
        with self.house.broker() as channel:
            names = [each["queue"]["name"] for each in self.house.json("departments", "list") if each["queue"]]
            return {name: channel.queue_declare(name, passive=True).method.message_count for name in names}

    def mongo(self) -> MongoClient[dict[str, Any]]:
        return MongoClient(f"mongodb://{self.house.server('mongod')['address']}/?directConnection=true")


def offered_by(url: str) -> dict[Key, dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/demo/offered") as answer:
        rows = json.load(answer)["offered"]
    return {(source, native_id): row for source, rows in rows.items() for native_id, row in rows.items()}


def items_of(house: House) -> dict[Key, Item]:
    return {(item["source"], item["native_id"]): item for item in house.json("balance", "--items")["items"]}


@pytest.fixture(scope="module")
def drained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drained]:
    with demonstration() as url:
        environment = {"DEMO_HOTLINE_KEY": KEY}
        with opened(tmp_path_factory.mktemp("street"), settings_for(url), environment) as house:
            done = house.command("run", "--once", "--embedded", "--json")
            assert done.returncode == 0, done.stderr[-4000:]
            (house.folder / "once.err").write_text(done.stderr, encoding="utf-8")
            report = json.loads(done.stdout)
            yield Drained(house, url, report, items_of(house), offered_by(url))


def test_no_number_stands_in_the_clear_in_any_collection_queue_or_log(drained: Drained) -> None:
    """Against every number that the vault holds; the messages are all those that lie in the queues, made again."""
    done = drained.house.json("audit", "scan", "--against-vault", "--log", "once.err")
    assert done["found"] == []
    assert {"raw", "raw_revisions", "appeals", "cases", "pages", "vault"} <= done["collections"].keys()
    assert done["collections"]["vault"] > 100
    assert sum(done["messages"].values()) == sum(drained.waiting().values())
    assert {"once.err", "mongo.log"} <= done["logs"].keys()


def test_everything_that_was_offered_has_its_end_state(drained: Drained) -> None:
    assert drained.report["balance"]["adds_up"]
    assert all(source["to_end"] for source in drained.report["sources"].values())
    assert drained.items.keys() == drained.offered.keys()
    assert {item["state"] for item in drained.items.values()} <= SETTLED
    assert len(drained.items) > 400


def test_what_cannot_be_read_is_parked_and_nothing_else(drained: Drained) -> None:
    malformed = {key for key, row in drained.offered.items() if row["malformed"]}
    assert {key for key, item in drained.items.items() if item["state"] == "parked"} == malformed


def test_what_its_author_took_back_is_withdrawn(drained: Drained) -> None:
    gone = {key for key, row in drained.offered.items() if row["state"] == "withdrawn"}
    states = {key: drained.items[key]["state"] for key in gone}
    assert gone
    assert set(states.values()) <= {"withdrawn", "not_an_appeal"}, states


def test_the_queues_hold_what_the_balance_says_and_nothing_else(drained: Drained) -> None:
    by_id = {item["id"]: item for item in drained.items.values()}
    held: dict[str, set[str]] = {}
    seen: dict[str, set[str]] = {}
    ids: set[str] = set()
    for department, messages in drained.house.drain().items():
        last: dict[str, int] = {}
        for message in messages:
            case, sequence = message["subject"], message["data"]["sequence"]
            assert message["id"] not in ids
            ids.add(message["id"])
            assert sequence == last.get(case, 0) + 1, "numbers come in order and without gaps"
            last[case] = sequence
            seen.setdefault(case, set()).add(department)
            if message["type"] in OVER:
                held.get(case, set()).discard(department)
            else:
                held.setdefault(case, set()).add(department)
    delivered = {id_ for id_, item in by_id.items() if item["state"] == "delivered"}
    assert {case for case, departments in held.items() if departments} == delivered
    assert seen.keys() <= by_id.keys()
    assert seen == {id_: set(item["departments"]) for id_, item in by_id.items() if item["departments"]}


def test_what_people_see_holds_no_telephone_number(drained: Drained) -> None:
    shown = drained.house.intake("triage", "list", "--json", "--limit", "1000")
    assert not re.findall(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])", shown)


@pytest.mark.parametrize("collection", ["raw", "cases"])
def test_a_document_deleted_by_hand_is_named(drained: Drained, collection: str) -> None:
    item = next(item for item in drained.items.values() if item["state"] == "delivered")
    with drained.mongo() as client:
        documents = client["intake"][collection]
        kept = documents.find_one_and_delete({"_id": item["id"]})
        assert kept is not None
        try:
            told = drained.house.command("balance", "--json")
        finally:
            documents.insert_one(kept)
    assert told.returncode == 1
    (difference,) = json.loads(told.stdout)["differences"]
    assert difference["native_id"] == item["native_id"]
    assert difference["missing"].startswith(collection.removesuffix("s"))


def test_a_second_run_changes_nothing_and_sends_nothing(drained: Drained) -> None:
    before = {key: (item["id"], item["state"], item["departments"]) for key, item in items_of(drained.house).items()}
    drained.house.drain()
    drained.house.intake("run", "--once", "--embedded")
    after = items_of(drained.house)
    assert {key: (item["id"], item["state"], item["departments"]) for key, item in after.items()} == before
    assert drained.house.drain() == {}


def test_one_life_is_found_by_every_name_it_has(drained: Drained) -> None:
    item = next(item for item in drained.items.values() if item["state"] == "delivered")
    life = drained.house.json("show", item["id"])
    names = [item["native_id"], life["case_no"], life["case"]["dispatches"][0]["id"]]
    assert [drained.house.json("show", name)["id"] for name in names] == [item["id"]] * 3
    told = [moment["what"] for moment in life["timeline"]]
    assert told[0] == "收到"
    assert "派单" in told


def test_triage_is_assigned_by_a_person_and_sent_at_once(drained: Drained) -> None:
    row = drained.house.json("triage", "list")[0]
    reason = "接线员核实"
    done = drained.house.json("triage", "assign", row["id"], "ZJJ", "--by", "王班长", "--reason", reason)
    assert (done["state"], done["department"]) == ("delivered", "ZJJ")
    (message,) = [each for each in drained.house.drain()["ZJJ"] if each["subject"] == row["id"]]
    assert message["data"]["decision"]["decided_by"] == "person"
    again = drained.house.command("triage", "assign", row["id"], "ZJJ", "--by", "王班长", "--reason", reason)
    assert again.returncode == 1


def test_a_parked_row_is_shown_only_to_a_name_with_a_reason(drained: Drained) -> None:
    row = drained.house.json("parked", "list")[0]
    assert drained.house.command("parked", "show", row["id"]).returncode == 2
    seen = drained.house.json("parked", "show", row["id"], "--actor", "李工", "--reason", "核对来源")
    assert seen["payload"]
    with drained.mongo() as client:
        (access,) = client["intake"]["accesses"].find({"item": row["id"]})
    assert (access["actor"], access["reason"]) == ("李工", "核对来源")


def test_what_is_still_wrong_stays_parked_and_retry_says_so(drained: Drained) -> None:
    rows = drained.house.json("parked", "list", "--stage", "parse")
    told = drained.house.command("parked", "retry", "--all", "--stage", "parse", "--json")
    assert told.returncode == 1
    assert {row["id"] for row in json.loads(told.stdout)["still_parked"]} == {row["id"] for row in rows}


def test_ctrl_c_closes_within_five_seconds_and_loses_nothing(drained: Drained) -> None:
    process = drained.house.start("run", "--embedded")
    log = drained.house.folder / "run.log"
    while "street_open" not in log.read_text("utf-8"):
        assert process.poll() is None, log.read_text("utf-8")[-2000:]
        time.sleep(0.1)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert time.monotonic() - begin < 5
    assert drained.house.json("balance")["adds_up"]


#: Who and what must be nowhere but sealed; each is written so that it is surely meant.
PLANTED = (
    *("13800138000", "138-0013-8001", "幺三九〇〇一三九〇〇〇", "0731-88886666", "430102195503088317", "E12345678"),
    *("6222021234567890128", "湘A12345", "wang.xiaoyu@example.cn", "xiaoyu_8866", "1234567890", "司马青玄", "欧阳若兰"),
)
LETTERS = [
    (
        "1",
        "路灯不亮，请打13800138000",
        "我叫司马青玄，柳荫街道路灯坏了，手机138-0013-8001或幺三九〇〇一三九〇〇〇。",
    ),
    ("2", "小区停车", "车牌湘A12345堵住消防通道，物业电话0731-88886666没人接，我的身份证号430102195503088317。"),
    ("3", "退款不到账", "护照号码E12345678，银行卡号6222021234567890128，请退到卡上，邮箱wang.xiaoyu@example.cn。"),
    ("4", "噪音扰民", "联系人：欧阳若兰，加微信号xiaoyu_8866或者QQ号1234567890，楼下烧烤店油烟扰民没人管。"),
]


def bytes_of(collection: Collection[Any]) -> bytes:
    return b"".join(document.raw for document in collection.find())


def test_what_was_planted_is_nowhere_but_sealed(drained: Drained) -> None:
    """Nothing of ours is asked: every byte of every collection, queue and log is searched for what is known."""
    house = drained.house
    with (house.folder / "intake.toml").open("a", encoding="utf-8") as settings:
        settings.write(LETTERS_SOURCE)
    rows = [(number, title, text, "司马青玄", "13800138000") for number, title, text in LETTERS]
    house.drain()
    with (house.folder / "planted.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["编号", "标题", "内容", "姓名", "电话"], *rows])
    done = house.command("import", "planted.csv", "--source", "planted")
    assert done.returncode == 0, done.stderr[-4000:]

    with drained.mongo() as client:
        names = client["intake"].list_collection_names()
        kept = {name: bytes_of(client["intake"].get_collection(name, RAW_BSON)) for name in names}
    queues = json.dumps(list(house.drain().items()), ensure_ascii=False)
    logs = done.stderr + "".join(
        path.read_text("utf-8", "replace") for path in (house.folder / ".intake").glob("*.log")
    )

    assert "〔手机1〕" in queues
    assert len(kept["vault"]) > 0
    for original in PLANTED:
        assert original not in queues, original
        assert original not in logs, original
        assert [name for name in names if original.encode() in kept[name]] == [], original
