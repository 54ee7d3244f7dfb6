"""What each looking command prints of an item, and that `who-saw` lists it: in one house, by the command line alone.

The commands run in this process (house_of_pages.py): starting Python forty times would take longer than all of them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from normalizer.table_files import PACKAGED
from tests.docs.house_of_pages import PageHouse
from tests.house import LETTERS, opened
from tests.intake.test_views import SHOWS_NOTHING

pytestmark = pytest.mark.live
LIGHT = "望湖区柳荫街道青杉苑小区门口三号楼旁的路灯坏了半个月，晚上出门看不见路，请尽快派人维修。"
ODD = "想请问一下那件事情现在到底怎么样了，一直没有人给个说法。"
FUND = "公积金提取要哪些材料，单位一直不给缴公积金，请公积金中心核查办理。"
WORDS = ("路灯坏了半个月", "那件事情现在", "提取要哪些材料", "寄到家里的清单", "停工令的照片")


@dataclass(frozen=True)
class House(PageHouse):
    """One that answers as an operator reads it."""

    def told(self, *words: str) -> str:
        done = self.intake(*words)
        assert done.exit_code == 0, f"{words}: {done.output}"
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.told(*words, "--json"))

    def takes_in(self, rows: list[list[str]], name: str) -> None:
        self.told("import", self.house.write_letters(rows, name), "--source", "letters")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    exchange = f'[[exchange]]\ndepartment = "GJJ"\npublic_key = "{base64.b64encode(b"k" * 32).decode()}"\n'
    with opened(tmp_path_factory.mktemp("views"), LETTERS + exchange) as begun:
        made = House(begun)
        rows = [[f"l{n}", "路灯坏了半个月", LIGHT] for n in range(3)]
        rows += [["odd", "那件事情现在怎么样了", ODD]]
        rows += [[f"f{n}", f"提取要哪些材料{n}", f"{FUND}{n}"] for n in range(3)]
        made.takes_in(rows, "letters.csv")
        said(made, "GJJ", "f0", "replied", "--set", "reply_public=寄到家里的清单请查收", "--set", "signed_by=办公室")
        why = ("--set", "clause=三定规定", "--set", "evidence=不归我管")
        said(made, "GJJ", "f1", "return_requested", "--set", "code=R1", *why)
        claim = ("--department", "GJJ", "--clause", "X6", "--evidence", "停工令的照片", "--by", "李")
        made.told("case", "exclude", "f2", *claim)
        yield made


def said(house: House, department: str, native: str, *words: str) -> None:
    house.told("feedback", department, native, *words, "--json")


def seen(house: House, native: str, who: str) -> list[tuple[str, str]]:
    """What this viewer has seen of an item, and by which command."""
    (told,) = house.json("who-saw", native)
    return [(each["what"], each["reason"]) for each in told["seen"] if each["who"] == who]


@pytest.mark.parametrize(
    ("words", "native", "what", "word"),
    [
        ("triage list", "odd", "正文（脱敏）", "那件事情现在"),
        ("case list", "f0", "答复（脱敏）", "寄到家里的清单"),
        ("case advice f1", "f1", "正文（脱敏）", "三定规定"),
        ("case claims", "f2", "申请的证据（脱敏）", "停工令的照片"),
        ("case dossier f1", "f1", "正文（脱敏）", "提取要哪些材料"),
        ("links show l0", "l1", "正文（脱敏）", "路灯坏了半个月"),
        ("show l1", "l1", "正文（脱敏）", "路灯坏了半个月"),
        ("consume GJJ --peek", "f0", "正文（脱敏）", "提取要哪些材料"),
        ("rehearse --text --tables tables", "l2", "正文（脱敏）", "路灯"),
        ("export ledger --out ledger.jsonl", "odd", "导出", ""),
        ("report weekly --out week.html", "odd", "导出", ""),
        ("consume GJJ --max 1", "f0", "正文（脱敏）", "提取要哪些材料"),
        ("departments export GJJ --out disc", "f1", "导出", ""),  # the last: the queue is empty then
    ],
)
def test_what_a_command_shows_of_an_item_is_a_line_of_the_item(
    house: House, words: str, native: str, what: str, word: str
) -> None:
    tables = house.house.folder / "tables"
    tables.mkdir(exist_ok=True)
    (tables / "taxonomy.toml").write_bytes(classes_without_lamps())
    told = house.told(*words.split(), "--by", f"看{words}的人", *(["--json"] if word else []))
    assert word in told
    ((saw, reason),) = seen(house, native, f"看{words}的人")
    assert saw == f"查看{what}"
    assert set(reason.split()) <= {"intake", *words.split()}


def test_the_focus_list_is_a_line_of_the_one_whose_title_stands_there(house: House) -> None:
    rows = house.json("focus", "--by", "看清单的人")
    assert [row["title"] for row in rows] == ["路灯坏了半个月"]
    lines = {native: seen(house, native, "看清单的人") for native in ("l0", "l1", "l2")}
    assert sorted(map(len, lines.values())) == [0, 0, 1]
    (told,) = [house.json("show", native)["id"] for native, found in lines.items() if found]
    assert told == rows[0]["titled"]


def test_whose_parts_are_shown_beside_an_item_has_a_line_too(house: House) -> None:
    two = "您好！一、公司拖欠我三个月工资不发，劳动合同也没有签。二、小区门口垃圾成堆没人清运，臭味很大。谢谢！"
    house.takes_in([["two", "两件事", two]], "two.csv")
    first = house.json("show", "two", "--by", "看全的人")
    (second,) = [part["id"] for part in first["parts"]]
    assert seen(house, second, "看全的人") == [("查看正文（脱敏）", "intake show")]


def test_commands_that_are_said_to_show_nothing_print_no_word_of_an_item(house: House) -> None:
    span = ("--since", "2020-01-01", "--until", "2030-01-01")
    asked = (
        ("status",), ("balance", "--items"), ("sources", "list"), ("departments", "list"), ("parked", "list"),
        ("who-saw", "f0"), ("export", "figures", *span), ("export", "figures", *span, "--open", "close_rate"),
        ("case", "visits"), ("retention", "plan"), ("audit", "verify"), ("audit", "anchor"), ("audit", "anchors"),
        ("keys", "list"), ("links", "join", "l0", "--by", "李", "--reason", "同一处"),
        ("links", "split", "l0", "--by", "李", "--reason", "各办各的"),
        ("case", "urge", "f2", "--by", "李", "--reason", "再问"),
        ("case", "review", "f0", "--approve", "--by", "王"),
    )  # fmt: skip
    for words in asked:
        assert {words[0], " ".join(words[:2])} & SHOWS_NOTHING
        told = house.told(*words)
        assert not [each for each in WORDS if each in told], words


def classes_without_lamps() -> bytes:
    """A table that reads the lamps otherwise."""
    return (PACKAGED / "taxonomy.toml").read_bytes().replace("路灯".encode(), "陆登".encode())
