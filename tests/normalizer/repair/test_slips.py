"""Slipped bytes are put right, marked or not; a sound text is never touched."""

from collections.abc import Callable
from random import Random
from time import process_time

import pytest
from opencc import OpenCC

from normalizer.steps.repair.apply import beyond_repair, repair_text
from normalizer.steps.repair.slips import unslipped

NEAR = 2


def distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for at, left in enumerate(one, 1):
        above, row = row, [at]
        for to, right in enumerate(other, 1):
            row.append(min(above[to] + 1, row[-1] + 1, above[to - 1] + (left != right)))
    return row[-1]


@pytest.mark.parametrize("mark", [b"?", b""], ids=["marked", "unmarked"])
def test_three_in_four_slips_come_back_within_two_characters(
    sentences: tuple[str, ...], slip: Callable[[str, int, bytes], str], mark: bytes
) -> None:
    chance = Random(7)
    near = 0
    for sentence in sentences:
        han = [at for at, one in enumerate(sentence) if at > 2 and "\u4e00" <= one <= "\u9fff"]
        near += distance(repair_text(slip(sentence, chance.choice(han), mark)).text, sentence) <= NEAR

    assert near >= 0.75 * len(sentences)


def test_a_quote_that_closed_a_sentence_comes_back(slip: Callable[[str, int, bytes], str]) -> None:
    whole = OpenCC("s2t").convert("问题都解决了。”一位居民告诉记者，现在路灯亮了。")
    broken = whole.encode("gbk").replace("。”".encode("gbk"), b"?" + b"\xa3\xa1\xb1", 1).decode("gb18030", "replace")

    assert broken != whole
    assert unslipped(broken.replace("！", "!")).text.startswith(whole[:6])


def test_the_rest_of_a_tag_becomes_the_end_of_the_quote() -> None:
    made = unslipped("他说路灯修好了?!?/p>")

    assert made.text == "他说路灯修好了。”"
    assert [spot.repair for spot in made.spots] == ["gbk_shift"]


def test_the_place_of_a_slip_is_told_in_the_text_as_it_came(
    sentences: tuple[str, ...], slip: Callable[[str, int, bytes], str]
) -> None:
    sound = "第一行没有问题。"
    broken = slip(sentences[0], 6, b"?")
    made = repair_text(f"{sound}\n{broken}")

    (spot,) = [one for one in made.spots if one.repair == "gbk_shift"]
    assert made.text.startswith(sound)
    assert len(sound) < spot.start < spot.end <= len(sound) + 1 + len(broken)


def test_none_of_our_own_lines_changes(clean_sentences: list[str]) -> None:
    assert len(clean_sentences) > 300
    traditional = OpenCC("s2t")

    assert [one for one in clean_sentences if repair_text(one).text != one] == []
    assert [one for one in map(traditional.convert, clean_sentences) if repair_text(one).text != one] == []


@pytest.mark.parametrize(
    "text",
    [
        "真的吗?!太过分了",
        "嘤嘤嘤，我家的狗不见了",
        "璀璨广场的岌岌可危的牌坊",
        "捌佰贰拾玖元柒角",
        "魑魅魍魉之徒",
        "谁知道?请回答",
        "赟、喆、昇、玥四位业主",
    ],
)
def test_rare_but_right_characters_stay(text: str) -> None:
    assert repair_text(text).text == text


def test_what_cannot_come_back_is_told() -> None:
    assert [spot.repair for spot in beyond_repair("锟斤拷锟斤拷路灯")] == ["unreadable"]
    assert beyond_repair("\ufffd\ufffd坏了")[0][1:] == (0, 2)
    assert beyond_repair("路灯坏了") == []


def test_a_hostile_text_does_not_hold_up_the_others() -> None:
    odd = "".join(chr(code) for code in range(0x4E00, 0x9FA5, 3)) * 3
    begin = process_time()
    for text in (
        odd,
        "?!" + odd,
        "\n".join(odd[at : at + 90] for at in range(0, len(odd), 90)),
        "(yì)" * 9000,
        "\ue123?" * 9000,
    ):
        repair_text(text)

    assert process_time() - begin < 60
