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


@pytest.mark.parametrize(
    "text",
    [
        "俺们小区滴电梯又坏嘞，物业恁不管，八十岁老娘爬十七楼，恁说恼火不恼火",
        "妈的，三天没水了，自来水公司死哪去了",
        "滚你的推诿，低保批了半年了还没批下来，办事的都是饭桶",
        "侬晓得伐，阿拉弄堂口个路灯坏了两个号头了，夜里墨墨黑",
        "恶心死了，菜场后头的臭水沟",
        "窝们村的路烂的不行，求求领导倌一下",
        "咋个还不通气嘛，说好十月就通天然气勒",
        "楼顶违建！！！！！！",
        "骂了隔壁的，医院收了我三次钱",
        "[怒][怒]小区没有暖气，老人冻的直哆嗦，你们良心呢",
        "井盖没了",
    ],
)
def test_anger_dialect_and_bad_spelling_make_no_chatter(text: str, read: Callable[..., Appeal]) -> None:
    assert read(text, channel="news_comment").quality.is_appeal


@pytest.mark.parametrize(
    "text",
    [
        "//@云泽小王子:致敬！大家都要平安健康[心][心]",
        "#云泽马拉松# 今天的医护志愿者辛苦了！ http://t.cn/A6abcdE",
        "【云泽市发布暴雨蓝色预警】据市气象台消息，记者从应急局获悉",
        "你说四川人能吃辣，我们那湖南人才能吃辣，学校食堂就有剁椒",
    ],
)
def test_what_is_only_passed_on_or_chatted_about_is_let_go(text: str, read: Callable[..., Appeal]) -> None:
    assert not read(text, channel="news_comment").quality.is_appeal


def test_marks_of_passing_on_cannot_talk_a_matter_away(read: Callable[..., Appeal]) -> None:
    text = "#民生# 我们小区停水三天了，物业不管，希望有关部门来看看 http://t.cn/A6abcdE [怒][怒][怒][怒]"

    assert read(text, channel="news_comment").quality.is_appeal
