"""True readings go, names in brackets stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.steps.repair.apply import repair_text
from normalizer.steps.repair.ruby import is_reading


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("網(wǎng)上辦(bàn)事", "網上辦事"),
        ("网（wǎng）上办（bàn）事", "网上办事"),
        ("市(shi)(shi)場監(jian)督投(tou)訴(su)舉(ju)報", "市場監督投訴舉報"),
        ("重(chóng)复投诉，很重(zhòng)要", "重复投诉，很重要"),
        ("法律(lǜ)和绿(lü)地，女(nv)儿", "法律和绿地，女儿"),
        ("发(fā) 布(bù)", "发 布"),
    ],
)
def test_readings_behind_their_own_character_go(text: str, plain: str) -> None:
    made = repair_text(text)

    assert made.text == plain
    assert {spot.repair for spot in made.spots} == {"ruby"}


@pytest.mark.parametrize(
    "text",
    [
        "苏宁(suning)的冰箱",
        "沃尔玛(walmart)门口",
        "小区(a)栋和(b)栋",
        "阳光(sun)城",
        "银泰(in)城",
        "办公室(office)",
        "微信(wx)联系",
        "图书(book)馆",
        "软件(app)打不开",
        "路(lane)口",
        "平(ping2)方",
    ],
)
def test_other_words_in_brackets_stay(text: str) -> None:
    assert repair_text(text).text == text


@given(st.sampled_from("路灯坏了网上办事"), st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=6))
def test_only_a_true_reading_goes(character: str, letters: str) -> None:
    made = repair_text(f"{character}({letters})")

    assert (made.text == character) == is_reading(character, letters)
