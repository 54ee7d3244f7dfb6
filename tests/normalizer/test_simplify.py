"""Only what is Traditional is converted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.steps.simplify import is_traditional, simplify, simplify_text
from normalizer.tables import Tables
from tests.normalizer.conftest import known


def test_a_traditional_letter_becomes_simplified(tables: Tables) -> None:
    draft = known(title="樓道裡的電動車", text="樓道裡停滿電動車，隨著天氣變冷，大家都在樓道充電，請處理。")
    simplify(draft, tables)

    assert draft.title == "楼道里的电动车"
    assert "随着天气变冷" in draft.text
    assert draft.repairs == ["traditional"]


@pytest.mark.parametrize(
    "text",
    ["乾县和李乾都是名字", "宫商角徵羽", "这本著作很显著", "沈阳的瀋字写错了一个字而已，其他都是简体字，不要动它"],
)
def test_simplified_texts_are_not_touched(text: str, tables: Tables) -> None:
    draft = known(text=text)
    simplify(draft, tables)

    assert draft.text == text
    assert draft.repairs == []


@pytest.mark.parametrize(
    ("old", "new"), [("看著", "看着"), ("隨著", "随着"), ("顯著", "显著"), ("名著", "名著"), ("著作權", "著作权")]
)
def test_zhe_follows_its_meaning(old: str, new: str) -> None:
    assert simplify_text(old) == new


@given(st.text(alphabet="的一是不了人我在有他这中大来上个国和也子时道说", max_size=100))
def test_the_gate_stays_shut_for_common_simplified_characters(text: str) -> None:
    assert not is_traditional(text)
