from pathlib import Path
from statistics import mean

import pytest

from bench.texts import letters, places


def test_the_same_seed_makes_the_same_letters() -> None:
    assert letters(50, seed=7) == letters(50, seed=7) != letters(50, seed=8)


def test_letters_are_about_150_characters_long_and_differ() -> None:
    made = letters(1000)

    assert 140 <= mean(len(letter.text) for letter in made) <= 165
    assert len({letter.text for letter in made}) > 990
    assert len({letter.native_id for letter in made}) == 1000


def test_some_letters_are_as_dirty_as_real_ones() -> None:
    together = "".join(letter.text for letter in letters(1000))

    assert all(dirt in together for dirt in ("<p>", "\u3000", "\xa0", "@example.com", "身份证", "這"))


def test_no_letter_leaves_a_number_that_could_be_somebodys() -> None:
    """No exchange has the block 0000, and no place of birth is 990101."""
    for letter in letters(500):
        if "联系电话" in letter.text:
            number = letter.text.partition("联系电话")[2].partition("，")[0].replace(" ", "")
            assert number.translate({ord("０") + each: ord("0") + each for each in range(10)})[3:7] == "0000"


def test_other_letters_may_be_read_and_a_short_file_goes_round_again(tmp_path: Path) -> None:
    file = tmp_path / "appeals_stream_4326.csv"
    file.write_text("留言编号,留言主题,留言详情\n1,甲,路灯不亮\n2,乙,\n3,丙,水管坏了\n", encoding="utf-8")

    read = letters(5, data=tmp_path)

    assert [letter.text for letter in read] == ["路灯不亮", "水管坏了", "路灯不亮", "水管坏了", "路灯不亮"]
    assert len({letter.native_id for letter in read}) == 5


def test_a_file_without_letters_is_told(tmp_path: Path) -> None:
    (tmp_path / "appeals_stream_4326.csv").write_text("留言主题,留言详情\n", encoding="utf-8")

    with pytest.raises(ValueError, match="holds no letters"):
        letters(1, data=tmp_path)


def test_places_are_the_demonstration_citys_with_their_parents() -> None:
    assert places()["柳荫社区"] == ("望湖区", "柳荫街道", "柳荫社区")
