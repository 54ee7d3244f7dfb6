"""Where a message counts its requests: disjoint, in order, and together the whole of it, whatever was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.appeal import MOST_PARTS
from normalizer.parting.cuts import Cuts, cuts, head_of, may_be_several

_WORDS = st.sampled_from(
    ["一、", "二、", "三、", "1.", "2、", "3．", "（1）", "（2）", "①", "②", "第一，", "第二，", "一是", "二是"]
) | st.sampled_from(
    [
        "另外，",
        "还有一个问题，",
        "同时反映",
        "您好！",
        "我是某某小区业主，",
        "路灯坏了",
        "没有水",
        "谢谢！",
        "望尽快解决。",
    ]
)
_MARKS = st.sampled_from(["。", "；", "\n", "〔手机1〕", "2.5米", " "])
_TEXTS = st.lists(_WORDS | _MARKS, max_size=40).map("".join) | st.text(max_size=200)


@given(_TEXTS)
def test_head_pieces_and_tail_are_the_text_and_nothing_twice(text: str) -> None:
    for found in cuts(text):
        spans = [(0, found.head), *((piece.start, piece.end) for piece in found.pieces), (found.tail, len(text))]
        assert "".join(text[start:end] for start, end in spans) == text
        assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]
        assert 2 <= len(found.pieces) <= MOST_PARTS
        assert all(text[piece.start : piece.end].startswith(piece.cue) for piece in found.pieces)
        assert all(piece.start < piece.end and piece.why for piece in found.pieces)


@given(_TEXTS)
def test_cutting_is_the_same_every_time(text: str) -> None:
    assert list(cuts(text)) == list(cuts(text))


def _said(text: str) -> list[str]:
    found = next(cuts(text))
    return [text[piece.start : piece.end] for piece in found.pieces]


@pytest.mark.parametrize(
    "text",
    [
        "一、路灯坏了很久。二、自来水发黄。",
        "1.路灯坏了很久。2.自来水发黄。",
        "1、路灯坏了很久，2、自来水发黄。",
        "（一）路灯坏了很久。（二）自来水发黄。",
        "(1)路灯坏了很久。(2)自来水发黄。",
        "①路灯坏了很久。②自来水发黄。",
        "第一，路灯坏了很久。第二，自来水发黄。",
        "一是路灯坏了很久；二是自来水发黄。",
    ],
)
def test_every_way_of_counting_is_read(text: str) -> None:
    found = _said(text)
    assert len(found) == 2
    assert "路灯" in found[0]
    assert "自来水" in found[1]


@pytest.mark.parametrize(
    "cue", ["另外", "另，", "还有一个问题", "还有一件事", "同时反映", "再反映", "顺便问一下", "另外反映"]
)
def test_a_word_that_begins_another_matter_cuts_there(cue: str) -> None:
    assert _said(f"路灯坏了很久。{cue}，自来水发黄。") == ["路灯坏了很久。", f"{cue}，自来水发黄。"]


@pytest.mark.parametrize(
    "text",
    [
        "楼高2.5米，路宽3.5米，每天走2公里。",
        "2、自来水发黄。3、路灯坏了。",
        "1、路灯坏了。3、自来水发黄。",
        "1、路灯坏了。2、自来水发黄。1、垃圾没人管。",
        "我另外买了一盏路灯，自来水发黄。",
        "一、路灯坏了，自来水也发黄。",
    ],
)
def test_what_does_not_count_from_one_without_a_gap_is_no_list(text: str) -> None:
    assert not list(cuts(text))


def test_the_greeting_and_who_writes_are_the_head() -> None:
    text = "尊敬的市长：您好！我是湖滨小区的业主，路灯坏了。"
    assert text[: head_of(text)] == "尊敬的市长：您好！我是湖滨小区的业主，"
    assert head_of("路灯坏了。您好！") == 0


def test_thanks_and_the_general_plea_are_the_tail() -> None:
    text = "一、路灯坏了很久。二、自来水发黄。请尽快处理，谢谢！联系电话〔手机1〕。"
    found = next(cuts(text))
    assert text[found.tail :] == "请尽快处理，谢谢！联系电话〔手机1〕。"
    assert isinstance(found, Cuts)


@given(_TEXTS)
def test_the_gate_lets_everything_through_that_can_be_cut(text: str) -> None:
    """What the gate holds back is short, or nothing would be cut."""
    assert may_be_several(text) or len(text) < 24 or not list(cuts(text))
