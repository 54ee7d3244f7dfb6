"""The centre's day with one house: feedback by hand, a return, a review, a call-back, many at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.house import LETTERS, House, opened

pytestmark = pytest.mark.live
FUND = "公积金提取要哪些材料，单位一直不给缴公积金，请公积金中心核查办理。"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = LETTERS.replace("[broker]", "[door]\nvisits = true\n[broker]")
    with opened(tmp_path_factory.mktemp("centre"), settings) as made:
        rows = [[f"p{number}", f"公积金{number}", FUND] for number in range(6)]
        made.intake("import", made.write_letters(rows, "letters.csv"), "--source", "letters")
        yield made


@pytest.fixture(scope="module")
def fresh(house: House) -> str:
    """An order that no other test has moved."""
    rows = [["q0", "公积金提取", "离职以后公积金提取要等多久，窗口说不清楚，请公积金中心答复。"]]
    house.intake("import", house.write_letters(rows, "fresh.csv"), "--source", "letters")
    return "q0"


def case_of(house: House, native: str) -> str:
    return str(house.json("show", native)["id"])


def said(house: House, native: str, *words: str) -> Any:
    done = house.command("feedback", "GJJ", native, *words, "--json")
    return json.loads(done.stdout)


def test_from_signing_to_the_call_back_and_the_end(house: House) -> None:
    assert said(house, "p0", "accepted")["state"] == "signed"
    reply = said(house, "p0", "replied", "--set", "reply_public=材料清单已寄13812345678", "--set", "signed_by=办公室")
    assert reply["state"] == "replied"
    (waiting,) = house.json("case", "list", "--work", "replied")
    assert "13812345678" not in waiting["reply"]
    assert said(house, "p0", "resolved", "--set", "resolution=solved")["state"] == "callback"
    assert house.json("case", "review", "p0", "--approve", "--by", "王")["work"] == "callback"
    assert house.command("case", "close", "p0", "--by", "王", "--reason", "x").returncode == 1
    visited = house.json("case", "visit", "p0", "--solved", "yes", "--satisfied", "very", "--by", "李")
    assert visited["work"] == "closed"
    assert house.json("case", "visits")["coverage"] == 1.0
    refused = said(house, "p0", "progress")
    assert (refused["outcome"], refused["code"]) == ("refused", "not_holder")
    kinds = [message["type"] for message in house.drain()["GJJ"] if message["subject"] == case_of(house, "p0")]
    assert kinds[0] == "appeal.dispatched.v1"
    assert kinds[-1] == "appeal.closed.v1"
    assert kinds.count("feedback.outcome.v1") == 3


def test_a_return_is_decided_and_goes_where_the_person_says(house: House) -> None:
    asked = said(
        house, "p1", "return_requested", "--set", "code=R1", "--set", "clause=三定规定", "--set", "evidence=不归我管"
    )
    assert (asked["outcome"], asked["state"]) == ("pending", "return_requested")
    assert house.json("case", "list")[0]["asks"] == "GJJ return"
    words = ("--grant", "--to", "RSJ", "--by", "王", "--reason", "归人社局")
    moved = house.json("case", "decide", "p1", *words)
    assert (moved["holder"], moved["work"]) == ("RSJ", "dispatched")
    page = house.intake("case", "dossier", "p1")
    assert "GJJ" in page
    assert "三定规定" in page
    assert house.command("case", "decide", "p1", *words).returncode == 1


def test_an_unsolved_case_goes_back_and_what_is_pressed_is_told(house: House) -> None:
    said(house, "p2", "resolved", "--set", "resolution=solved")
    assert house.json("case", "visit", "p2", "--solved", "no", "--by", "李")["work"] == "reopened"
    house.json("case", "urge", "p2", "--by", "李", "--reason", "市民再次来电")
    house.json("case", "supervise", "p2", "--by", "李", "--reason", "领导批示")
    kinds = [message["type"] for message in house.drain()["GJJ"] if message["subject"] == case_of(house, "p2")]
    assert kinds[-3:] == ["appeal.reopened.v1", "appeal.urged.v1", "appeal.supervised.v1"]


def test_many_are_chosen_first_and_moved_only_on_a_second_word(house: House, tmp_path: Path) -> None:
    chosen = ("--department", "GJJ", "--by", "王", "--reason", "规则有误")
    listed = house.json("case", "reassign", "--to", "RSJ", *chosen)
    assert len(listed["listed"]) >= 3
    assert listed["done"] == []
    assert (
        house.json("case", "recall", case_of(house, "p3"), "--by", "王", "--reason", "错")["done"][0]["why_not"] is None
    )
    assert house.json("show", "p3")["state"] == "triage"
    moved = house.json("case", "reassign", "--to", "RSJ", *chosen, "--yes")
    assert {each["why_not"] for each in moved["done"]} == {None}
    assert house.json("show", "p4")["case"]["holder"] == "RSJ"
    said_back = house.command("feedback", "RSJ", "p4", "resolved", "--set", "resolution=solved", "--json")
    assert json.loads(said_back.stdout)["state"] == "callback"
    sheet = tmp_path / "visits.csv"
    sheet.write_text("工单号,是否解决,满意度,意见\np4,已解决,满意,好\np5,也许,,\n", encoding="utf-8")
    done = house.command("case", "visits", str(sheet), "--by", "李", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["imported"] == 1
    assert "第 3 行" in done.stderr
    assert house.json("balance")["difference_count"] == 0


def test_every_look_is_listed_delivery_view_reveal_and_export(house: House) -> None:
    id_ = case_of(house, "p5")
    house.intake("show", id_, "--by", "看的人")
    house.intake("case", "dossier", id_, "--by", "看案卷的人")
    house.intake("consume", "GJJ", "--peek", "--json", "--by", "看队列的人")
    house.intake("departments", "matter", id_, "--actor", "看门牌的人", "--reason", "上门核实")
    house.intake("export", "ledger", "--out", "ledger.jsonl", "--by", "导出的人")
    (told,) = house.json("who-saw", id_)
    seen = {(each["who"], each["what"]) for each in told["seen"]}
    assert ("dept.GJJ", "收到消息 dispatched（第 1 版，脱敏）") in seen
    assert {
        ("看的人", "查看正文（脱敏）"),
        ("看案卷的人", "查看正文（脱敏）"),
        ("看队列的人", "查看正文（脱敏）"),
        ("看门牌的人", "查看事项信息"),
        ("导出的人", "查看导出"),
    } <= seen


def test_one_past_event_changed_by_hand_is_found_and_named(house: House) -> None:
    assert house.json("audit", "verify")["findings"] == []
    first = house.json("audit", "anchor")
    assert [each["digest"] for each in house.json("audit", "anchors")][-1] == first["digest"]
    id_ = case_of(house, "p5")
    with MongoClient[dict[str, Any]](f"mongodb://{house.server('mongod')['address']}/?directConnection=true") as client:
        cases = client["letters"]["cases"]
        (event, *_) = cases.find_one({"_id": id_}, {"events": 1})["events"]  # type: ignore[index]
        cases.update_one({"_id": id_}, {"$set": {"events.0.at": event["at"] - timedelta(days=1)}})
        done = house.command("audit", "verify", id_, "--json")
        (found,) = json.loads(done.stdout)["findings"]
        assert (done.returncode, found["where"], found["event"]) == (1, id_, 1)
        assert house.command("audit", "verify").returncode == 1
        cases.update_one({"_id": id_}, {"$set": {"events.0.at": event["at"]}})
    kept = f"{first['number']}:{first['digest']}"
    assert house.json("audit", "verify", "--kept", kept)["findings"] == []


def test_a_claim_is_made_listed_decided_and_left_out_of_figures(house: House, fresh: str) -> None:
    assert {clause["about"] for clause in house.json("schema", "claims")["clauses"].values()} >= {"exclusion"}
    claim = (fresh, "--department", "GJJ", "--evidence", "停工令，电话13812345678")
    asked = house.json("case", "exclude", *claim, "--clause", "X6", "--by", "李")
    assert (asked["outcome"], asked["code"]) == ("pending", "pending")
    (open_,) = house.json("case", "claims")
    assert (open_["department"], open_["clause"], "13812345678" in open_["evidence"]) == ("GJJ", "X6", False)
    assert open_["sign_off"] > open_["at"]
    judged = ("case", "judge", fresh, "--by", "王科长", "--reason", "公告属实")
    house.intake(*judged, "--grant", "--clause", "X6")
    assert house.json("case", "claims") == []
    house.intake("export", "ledger", "--out", "left_out.jsonl")
    facts = [json.loads(line) for line in (house.folder / "left_out.jsonl").read_text("utf-8").splitlines()]
    (fact,) = [fact for fact in facts if fact["case"] == case_of(house, fresh)]
    assert (fact["excluded"], fact["clause"]) == ("exempt", "X6")


def test_links_are_made_for_what_waits_for_its_call_back_and_for_nothing_else(house: House, fresh: str) -> None:
    assert house.command("case", "visit-link", fresh, "--by", "李").returncode == 1
    said(house, fresh, "resolved", "--set", "resolution=solved")
    rows = house.json("case", "visit-link", "--by", "李", "--out", "links.csv")
    (row,) = [row for row in rows if row["case"] == case_of(house, fresh)]
    assert row["url"].startswith("http://127.0.0.1:28090/visit/")
    assert row["case"] not in row["url"]
    assert row["url"] in (house.folder / "links.csv").read_text("utf-8")
    events = house.json("show", fresh)["case"]["events"]
    assert [event["actor"] for event in events if "visit_link_until" in event["data"]] == ["李"]
