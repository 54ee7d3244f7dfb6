"""One letter with two requests through the whole street: two departments, one item, and nothing of one at the other."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.house import LETTERS, House, opened

pytestmark = pytest.mark.live

WAGES, GARBAGE = "公司拖欠我三个月工资不发，劳动合同也没有签。", "小区门口垃圾成堆没人清运，臭味很大。"
TWO = f"您好！一、{WAGES}二、{GARBAGE}谢谢！"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(tmp_path_factory.mktemp("parts"), LETTERS) as made:
        yield made


def test_two_requests_reach_two_departments_and_a_revision_and_a_withdrawal_follow_both(house: House) -> None:
    house.intake("import", house.write_letters([["x1", "反映两件事", TWO]], "one.csv"), "--source", "letters")
    balance = house.json("balance")
    assert (balance["offered"], balance["states"], balance["difference_count"]) == (1, {"delivered": 1}, 0)

    sent = {code: messages for code, messages in house.drain().items() if messages}
    assert len(sent) == 2
    by_part = {message["subject"]: (code, message) for code, (message,) in sent.items()}
    first, second = sorted(by_part, key=len)
    assert second == f"{first}-2"
    for id_, own, other in ((first, "工资", "垃圾"), (second, "垃圾", "工资")):
        written = json.dumps(by_part[id_][1], ensure_ascii=False)
        assert own in written
        assert other not in written

    shown = house.json("show", "x1")
    assert (shown["id"], [part["id"] for part in shown["parts"]]) == (first, [second])
    assert shown["parts"][0]["department"] == by_part[second][0]
    assert [part["id"] for part in house.json("show", second)["parts"]] == [first]
    assert "一条多诉" in house.intake("show", "x1")

    house.intake("import", house.write_letters([["x1", "反映", f"您好！{WAGES}"]], "two.csv"), "--source", "letters")
    later = {code: messages for code, messages in house.drain().items() if messages}
    told = {message["subject"]: message["type"] for messages in later.values() for message in messages}
    assert told.pop(second) == "appeal.withdrawn.v1"
    assert set(told) == {first}
    balance = house.json("balance")
    assert (balance["offered"], balance["states"], balance["difference_count"]) == (1, {"delivered": 1}, 0)
    assert house.json("show", "x1")["parts"] == []


def test_a_line_stays_a_line_and_shows_its_parts(house: House) -> None:
    (house.folder / "lines.jsonl").write_text(
        "\n".join(json.dumps({"text": text}, ensure_ascii=False) for text in (TWO, WAGES)), encoding="utf-8"
    )
    several, one = [json.loads(line) for line in house.intake("normalize", "lines.jsonl").splitlines()]
    assert "parts" not in one
    assert [part["id"] for part in several["parts"]] == [several["id"], f"{several['id']}-2"]
    assert len({part["routing"]["lead"] for part in several["parts"]}) == 2
    assert WAGES in several["text"]
    assert GARBAGE in several["text"]
