"""Wording is repaired, and nothing of it is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.draft import Draft
from normalizer.steps.clean import clean_text


def cleaned(text: str) -> tuple[str, list[str]]:
    draft = Draft()
    return clean_text(text, draft), draft.repairs


@pytest.mark.parametrize(
    ("dirty", "clean", "repair"),
    [
        ("\n\n\t\t路灯坏了\r\n\r\n没人修\t\t", "路灯坏了\n没人修", "space"),
        ("\u3000\u3000路灯\xa0坏了", "路灯 坏了", "space"),
        ("<p>路灯<br/>坏了</p><p>没人修&nbsp;啊</p>", "路灯\n坏了\n没人修 啊", "html"),
        ("a &lt;b&gt; 5 &amp; 6", "a <b> 5 & 6", "html"),
        ("路灯\x00坏\u200b了\ufeff", "路灯坏了", "control"),
        ("电话１３８ＡＢ，真的！（急）", "电话138AB，真的！（急）", "fullwidth"),
        ("[quote]楼主说过的话[/quote]我家也是这样", "我家也是这样", "quote"),
        ("引用 2楼 湖边人 的发言\n我家也停水", "我家也停水", "quote"),
        ("路灯坏了。\n发自我的iPhone", "路灯坏了。", "signature"),
        ("路灯坏了 ——来自手机客户端", "路灯坏了", "signature"),
        ("看图[attach]123[/attach]很脏", "看图很脏", "bbcode"),
        ("本帖最后由 湖边人 于 2026-11-1 10:00 编辑 \n路灯坏了", "路灯坏了", "edited"),
        ('<img src="x.png" alt="[心]">谢谢', "[心]谢谢", "html"),
        ("<script>alert(1)</script>路灯坏了", "路灯坏了", "html"),
        ("电话𝟏𝟑𝟖", "电话138", "digits"),
        ("cafe\u0301", "café", "nfc"),
    ],
)
def test_each_kind_of_dirt_is_repaired_and_named(dirty: str, clean: str, repair: str) -> None:
    text, repairs = cleaned(dirty)

    assert text == clean
    assert repair in repairs


def test_clean_text_is_left_alone_and_nothing_is_noted() -> None:
    text = "小区门口的路灯坏了，一共有6盏（东门2盏）！请尽快维修。3<5，A&B。"

    assert cleaned(text) == (text, [])


def test_a_text_that_is_only_a_signature_or_quote_stays() -> None:
    assert cleaned("[quote]全部都在引用里[/quote]")[0] != ""
    assert cleaned("来自手机客户端")[0] == "来自手机客户端"


@given(st.text(max_size=200))
def test_cleaning_never_fails_and_never_leaves_what_the_database_refuses(text: str) -> None:
    result, _ = cleaned(text)

    assert "\x00" not in result
    assert result == result.strip()
    result.encode()


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=80))
def test_han_characters_are_never_lost(text: str) -> None:
    assert cleaned(f"<b>{text}</b>\x00\u3000")[0] == text
