"""The texts: enough of them, all different, of every class and type."""

import random
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from demo.addresses import places, streets
from demo.dirt import comma, fill
from demo.library import FOLDER, load, read_appeals
from demo.people import resident_id

PACKAGED = Path(__file__).parents[2] / "normalizer" / "data" / "taxonomy.toml"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def test_there_are_enough_appeals_and_no_two_are_alike() -> None:
    bodies = [text.body for text in load().appeals]
    assert len(bodies) >= 420
    assert len(set(bodies)) == len(bodies)
    assert len({text.title for text in load().appeals}) > 0.97 * len(bodies)


def test_no_two_texts_share_a_long_beginning() -> None:
    """They must not read like one form with blanks."""
    beginnings = Counter(text.body[:8] for text in load().appeals)
    assert beginnings.most_common(1)[0][1] <= 2


def test_every_class_of_the_packaged_taxonomy_is_told() -> None:
    taxonomy = tomllib.loads(PACKAGED.read_text("utf-8"))
    known = {sub["code"] for top in taxonomy["class"] for sub in top["sub"]}
    assert {text.category for text in load().appeals} == known


def test_every_request_type_is_told() -> None:
    types = Counter(text.type for text in load().appeals)
    assert set(types) == {"consult", "help", "complain", "report", "suggest", "praise", "other", "invalid"}
    assert types["report"] >= 30 <= types["consult"]


def test_some_matters_are_urgent_and_some_critical() -> None:
    levels = Counter(text.urgency for text in load().appeals)
    assert levels["P0"] >= 20
    assert levels["P1"] >= 20
    assert set(levels) == {"", "P0", "P1"}


def test_texts_are_short_and_long() -> None:
    lengths = sorted(len(text.body) for text in load().appeals)
    assert lengths[0] < 25
    assert lengths[len(lengths) // 2] > 40
    assert lengths[-1] > 400


def test_dirt_is_among_them() -> None:
    told = "".join(text.title + text.body for text in load().appeals)
    for sign in ("{手机}", "{身份证}", "{邮箱}", "<p>", "&nbsp;", "\u3000", "垃圾車", "９栋", "车牌"):
        assert sign in told


def test_the_city_is_all_over_the_texts() -> None:
    told = "".join(text.title + text.body for text in load().appeals)
    assert sum(name in told for name in places()) >= 60
    assert sum(name in told for name in streets()) >= 20


def test_chatter_is_chatter_and_different() -> None:
    chatter = load().chatter
    assert len(chatter) >= 150
    assert len(set(chatter)) == len(chatter)


def test_a_correction_changes_the_class_and_most_of_the_words() -> None:
    assert len(load().edits) >= 12
    for edit in load().edits:
        assert edit.before.category != edit.after.category
        assert edit.before.body != edit.after.body


def test_an_invented_resident_id_passes_the_check_digit() -> None:
    for seed in range(50):
        number = resident_id(random.Random(seed))
        assert re.fullmatch(r"\d{17}[\dX]", number)
        total = sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=False))
        assert "10X98765432"[total % 11] == number[-1]


def test_places_for_numbers_are_filled() -> None:
    told = fill("打{手机}或{手机}，{邮箱}", random.Random(1))
    assert "{" not in told
    assert len(set(re.findall(r"1\d{10}", told))) == 2


def test_a_comma_is_all_that_a_comma_edit_changes() -> None:
    before = "下雨漏水，找了三次，没人来。"
    changed = comma(before)
    assert sum(a != b for a, b in zip(before, changed, strict=True)) == 1


def test_a_line_that_breaks_the_format_is_told_with_file_and_number() -> None:
    with pytest.raises(ValueError, match=r"appeals_x\.txt:2: a line is"):
        read_appeals("== 0101 甲 ¦ 乙\nshout | 没有正文\n", FOLDER / "appeals_x.txt")
