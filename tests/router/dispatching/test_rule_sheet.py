"""A city's own rules lie over the packaged ones, and a wrong sheet says everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.dispatching.rule_sheet import read_rules
from router.dispatching.rule_texts import Ruling, Tie
from router.dispatching.sheet import BadTables
from router.dispatching.tables import load_tables
from tests.router.dispatching.appeals import appeal
from tests.router.dispatching.units import packaged


def sheet(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_city_writes_only_what_is_different(tmp_path: Path) -> None:
    text = (
        'version = "yz-1"\ndrop = ["A02-home"]\n[categories]\n0402 = { lead = "HJJ" }\n[thresholds]\nconfidence = 0.7\n'
    )
    rules = read_rules(sheet(tmp_path, text))
    assert rules.role("0402") == "HJJ"
    assert rules.role("0403") == "GAJ"
    assert rules.version.rpartition("-")[0] == "yz-1+2026.1"
    assert (rules.thresholds.confidence, rules.thresholds.margin) == (0.7, 0.15)
    assert "A02-home" not in {rule.id for rule in rules.texts}


def test_a_rule_of_the_same_id_replaces_ours(tmp_path: Path) -> None:
    rule = 'id = "A22-stray"\ncategory = ["0210"]\nany = ["流浪狗"]\nlead = "GAJ"\nwhy = "本市由公安收容"\n'
    text = f'version = "1"\n[[rule]]\n{rule}'
    ruling = read_rules(sheet(tmp_path, text)).rule_on(appeal("公园里有流浪狗", "0210"))
    assert isinstance(ruling, Ruling)
    assert (ruling.rule, ruling.lead, ruling.assist) == ("A22-stray", "GAJ", ("CGJ", "SQ"))


WRONG = """
version = "1"
drop = ["nothing"]
[categories]
9999 = { lead = "CGJ" }
0101 = { lead = "NOBODY" }
0102 = { leader = "ZJJ" }
[[rule]]
id = "one"
category = []
why = ""
[[rule]]
id = "two"
category = ["0203"]
any = ["@none", ""]
lead = "NOBODY"
why = "x"
[[rule]]
id = "three"
category = ["0203"]
any = ["a"]
lead = "CGJ"
why = "x"
[[rule]]
id = "four"
category = ["0203"]
any = ["a"]
lead = "ZJJ"
why = "x"
[[rule]]
id = "four"
category = ["0203"]
any = ["b"]
type = "x"
why = "x"
"""


def test_every_problem_of_the_rules_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadTables) as caught:
        load_tables(taxonomy_version="t", rules=sheet(tmp_path, WRONG), categories=packaged().rules.categories)
    told = "\n".join(caught.value.problems)
    for words in (
        "no rule 'nothing'",
        "category 9999 is not in the taxonomy",
        "role 'NOBODY' is in no directory",
        "category 0102: ",
        "names no category",
        "has no `why`",
        "has no condition",
        "no word list @none",
        "has an empty word",
        "unknown field `type`",
        "rules three and four have the same conditions",
    ):
        assert words in told
    assert "rules.toml:12: rule two" in told


def test_a_category_without_a_lead_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadTables, match="category 1401 has no lead"):
        load_tables(taxonomy_version="t", categories=[*packaged().rules.categories, "1401"])
    assert tmp_path


def test_files_that_are_wrong_together_are_told_together(tmp_path: Path) -> None:
    broken = sheet(tmp_path, "version = ")
    with pytest.raises(BadTables) as caught:
        load_tables(taxonomy_version="t", rules=broken, directory=broken, holidays=broken, deadlines=broken)
    assert len(caught.value.problems) == 4


def test_rules_that_nothing_tells_apart_are_a_tie_whatever_their_order(tmp_path: Path) -> None:
    rule = '[[rule]]\nid = "{0}"\ncategory = ["0203"]\nany = ["{0}"]\nlead = "{1}"\nwhy = "x"\n'
    for order in (("aa", "bb"), ("bb", "aa")):
        leads = {"aa": "CGJ", "bb": "ZJJ"}
        rules = read_rules(sheet(tmp_path, "".join(rule.format(name, leads[name]) for name in order)))
        assert rules.rule_on(appeal("aa bb", "0203")) == Tie(("aa", "bb"), ("CGJ", "ZJJ"))


def test_words_with_a_gap_stay_within_a_sentence(tmp_path: Path) -> None:
    text = '[[rule]]\nid = "gap"\ncategory = ["0203"]\nany = ["物业…不管"]\nwhy = "x"\n'
    rules = read_rules(sheet(tmp_path, text))
    found = rules.rule_on(appeal("找物业三次都说不管", "0203"))
    assert isinstance(found, Ruling)
    assert (found.rule, found.evidence[0].text) == ("gap", "物业三次都说不管")
    other = rules.rule_on(appeal("找了物业。城管也不管", "0203"))
    assert isinstance(other, Ruling)
    assert other.rule == "0203"


def test_all_categories_of_the_default_taxonomy_have_a_lead() -> None:
    assert len(packaged().rules.categories) == 119
