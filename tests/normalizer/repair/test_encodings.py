"""What was decoded with the wrong table is decoded anew, whole or in part; honest Latin letters stay."""

from collections.abc import Callable

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from opencc import OpenCC

from normalizer.steps.repair.apply import repair_text
from normalizer.steps.repair.encodings import reencode

HAN = st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=60)


def test_gbk_and_utf8_read_as_latin_are_restored(sentences: tuple[str, ...], sloppily: Callable[[bytes], str]) -> None:
    for sentence in sentences:
        for broken in (
            sentence.encode("gbk").decode("latin-1"),
            sloppily(sentence.encode("gbk")),
            sentence.encode().decode("latin-1"),
            sloppily(sentence.encode()),
            sentence.encode().decode("latin-1").encode().decode("latin-1"),
        ):
            made = repair_text(broken)

            assert made.text == sentence
            assert made.spots[0].repair == "latin1"


def test_big5_read_as_latin_is_restored(sentences: tuple[str, ...]) -> None:
    traditional = [OpenCC("s2t").convert(sentence) for sentence in sentences]
    broken = [(one, one.encode("big5hkscs", "ignore")) for one in traditional]

    restored = [repair_text(raw.decode("latin-1")).text == raw.decode("big5hkscs") for _, raw in broken]

    assert all(restored)


def test_utf8_read_as_gbk_is_restored_where_no_byte_was_lost() -> None:
    whole = "路灯坏了两天没人来修请派人来看看"
    assert len(whole) % 2 == 0

    made = repair_text(whole.encode().decode("gb18030"))

    assert made.text == whole
    assert made.spots[0].repair == "utf8_as_gbk"


def test_lost_bytes_leave_a_gap_and_are_not_guessed() -> None:
    broken = "路灯坏了两天没人来修，请派人来看看。谢谢你们".encode().decode("gb18030", "replace")

    made = repair_text(broken)

    assert "\ufffd" not in broken or "\ufffd" in made.text
    assert "路灯坏了两天没人来修" in made.text


def test_a_broken_title_line_in_a_sound_text_is_restored_alone() -> None:
    sound = "您好，我家门口的路灯坏了。"
    broken = "关于路灯不亮的情况反映".encode("gbk").decode("latin-1")

    made = repair_text(f"{broken}\n{sound}")

    assert made.text == f"关于路灯不亮的情况反映\n{sound}"
    assert made.spots == (("latin1", 0, len(broken)),)


@pytest.mark.parametrize(
    "text",
    [
        "我在Café Müller门口滑倒了，déjà vu，请管一管",
        "气温－5℃～10℃，面积20㎡，长×宽＝3×4，误差±2°",
        "Ångström、naïve、résumé、Zürich、São Paulo都是外国词",
        "他说：“……真的吗？”——我不信…",
        "浣熊跑到小区里来了",
        "鐨勬槸",
    ],
)
def test_what_is_right_is_left_alone(text: str) -> None:
    assert repair_text(text).text in (text, text.encode("gb18030").decode("utf-8", "replace"))
    if "鐨" not in text:
        assert repair_text(text).text == text


@given(HAN)
@example("鐨乲")
def test_latin_mojibake_of_any_length_never_fails(text: str) -> None:
    assume(reencode(text).text == text)  # few rare characters may themselves be what UTF-8 looks like, read as GBK
    assert reencode(text.encode().decode("latin-1")).text == text


@given(st.text(max_size=120))
def test_no_text_at_all_makes_it_fail(text: str) -> None:
    repair_text(text)
