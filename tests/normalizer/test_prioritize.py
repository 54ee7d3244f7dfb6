"""Danger is seen, and what only sounds like danger is not taken for it."""

from collections.abc import Callable

import pytest

from normalizer.appeal import Appeal


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("P0", "楼下着火了，快来人"),
        ("P0", "家里闻到很浓的煤气味"),
        ("P0", "有人站在五楼要跳楼"),
        ("P0", "路面突然塌陷，有一个大坑"),
        ("P0", "小区门口的窨井盖不见了"),
        ("P0", "电梯困人，老人被困在里面"),
        ("P1", "整栋楼停电五个小时了"),
        ("P1", "红绿灯不亮，路口很乱"),
        ("P1", "工地凌晨还在打桩"),
        ("P1", "几十个工人的工资一直没发，投诉包工头"),
        ("P2", "小区垃圾桶满了没人清"),
        ("P3", "请问如何办理居住证？"),
        ("P9", "特此感谢社区工作人员，为他们点赞"),
        ("PL", "投诉商家卖假冒手机不退款，消费者维权难"),
    ],
)
def test_each_level(level: str, text: str, read: Callable[..., Appeal]) -> None:
    appeal = read(text)

    assert appeal.deadline_class == level
    assert appeal.urgency == {"P0": "critical", "P1": "urgent"}.get(level, "normal")


@pytest.mark.parametrize(
    "text",
    [
        "楼道堆满杂物，存在火灾隐患，请清理",
        "担心着火，请检查线路",
        "商场跳楼价甩卖，虚假宣传",
        "去年这里着火，物业至今没有修好外墙",
        "请问火灾事故认定书在哪里开",
        "建议开展防溺水宣传，避免孩子溺水",
    ],
)
def test_worries_stories_and_metaphors_are_not_critical(text: str, read: Callable[..., Appeal]) -> None:
    assert read(text).urgency != "critical"


def test_danger_explains_itself_and_names_the_number_to_call(read: Callable[..., Appeal]) -> None:
    appeal = read("楼下着火了")

    assert appeal.signals.referral == "119"
    assert any(word.why.startswith("P0") and word.text == "着火" for word in appeal.signals.evidence)


def test_the_callers_own_light_raises_but_never_lowers(read: Callable[..., Appeal]) -> None:
    assert read({"text": "小区垃圾桶满了没人清", "urgency": "紧急"}).deadline_class == "P1"
    assert read({"text": "楼下着火了", "urgency": "普通"}).deadline_class == "P0"
