"""Chatter is told from appeals only where people also talk, and anger never makes chatter."""

from collections.abc import Callable

import pytest

from normalizer.appeal import Appeal


@pytest.mark.parametrize(
    "text",
    [
        "我们小区停水三天了，物业不管，希望有关部门来看看",
        "垃圾成堆臭死了！！你们到底管不管？气死我了，没人管！",
        "这条路的路灯什么时候能修好",
    ],
)
def test_appeals_under_the_news_are_kept(text: str, read: Callable[..., Appeal]) -> None:
    assert read(text, channel="news_comment").quality.is_appeal


@pytest.mark.parametrize("text", ["哈哈哈，前排围观", "沙发！", "好美啊，早安", "支持！"])
def test_chatter_under_the_news_is_let_go(text: str, read: Callable[..., Appeal]) -> None:
    quality = read(text, channel="news_comment").quality

    assert not quality.is_appeal
    assert quality.appeal_score < 0.5


@pytest.mark.parametrize("channel", ["hotline", "board", "mailbox", "visit"])
def test_who_calls_or_writes_to_us_always_has_an_appeal(channel: str, read: Callable[..., Appeal]) -> None:
    quality = read("哈哈哈，前排围观", channel=channel).quality

    assert quality.is_appeal
    assert quality.appeal_score == 1.0


def test_a_test_call_is_none(read: Callable[..., Appeal]) -> None:
    assert not read("测试一下", channel="hotline").quality.is_appeal
