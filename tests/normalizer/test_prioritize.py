"""Danger is seen, and what only sounds like danger is not taken for it."""

from collections.abc import Callable
from pathlib import Path

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


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("对面三楼着火了，看得到火苗，打不进119", "119"),
        ("就在刚才两个人持刀抢了一个阿姨的包，往南边跑了", "110"),
        ("楼顶坐着一个小伙子要跳楼，快来人", "110"),
        ("公交站一个老人倒在地上叫不醒，快来", "120"),
    ],
)
def test_what_happens_now_is_for_the_emergency_services(text: str, number: str, read: Callable[..., Appeal]) -> None:
    appeal = read(text)

    assert appeal.signals.referral == number
    assert appeal.urgency == "critical"


LONG = "这件事我们已经反映过，物业推给开发商，开发商推给物业，大家都很无奈，请有关部门协调处理。" * 7


@pytest.mark.parametrize(
    "text",
    [
        "小区电动车停在楼道充电，曾经发生火灾，消防车进不来，请整治",
        "隔壁工地放炮，吵得头都要炸了，请管一管",
        "邻居持刀威胁我们，派出所已经立案。" + LONG,
        "电表箱装在门口，一旦起火没有地方逃。" + LONG,
        "看着火车站广场一地的水，没有人扫",
        "一哭二闹三上吊才有人管吗，请解决房产证的问题",
        "昨天又一个小区着火，我们小区的消防设施也早就坏了，请检查",
    ],
)
def test_a_hazard_that_is_told_of_goes_to_a_department(text: str, read: Callable[..., Appeal]) -> None:
    appeal = read(text)

    assert appeal.signals.referral not in ("110", "119", "120", "122")
    if len(text) > 300:
        assert appeal.urgency != "critical"


def test_every_text_of_ours_that_is_marked_so_is_critical(read: Callable[..., Appeal]) -> None:
    folder = Path(__file__).parents[2] / "demo" / "texts"
    lines = [line.split("|") for path in folder.glob("appeals_*.txt") for line in path.read_text("utf-8").splitlines()]
    marked = [(title.strip(), body.strip()) for kind, title, body in (x for x in lines if len(x) == 3) if "P0" in kind]
    missed = [title for title, body in marked if read({"title": title, "text": body}).urgency != "critical"]

    assert len(marked) > 20
    assert missed == []
