"""Appeals are gathered into events by names, words and subjects."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import msgspec

from normalizer.matter.gather import gather
from normalizer.matter.likeness import Lexicon, contradict, evidence, likeness, strings
from normalizer.matter.portrait import Portrait
from normalizer.matter.prune import pruned
from normalizer.matter.scene import Scene
from tests.normalizer.matter.appeals import portrait

LONG_AGO = datetime(2026, 3, 1, tzinfo=UTC)
LEXICON = Lexicon.of(["路灯不亮", "夜间施工", "噪音扰民", "物业服务"])
LAMPS = [
    portrait("1", "青杉苑小区南门路灯不亮", "青杉苑小区南门外的路灯已经三周不亮，老人出门摔倒过，请维修路灯。"),
    portrait(
        "2", "青杉苑小区南门一片漆黑", "我住青杉苑小区，南门外路灯不亮快一个月了，走夜路很害怕，路灯什么时候修好。"
    ),
    portrait("3", "青杉苑小区南门的路灯坏了没人修", "青杉苑小区南门路灯坏了很久，打电话报修了一直没来人，请维修路灯。"),
]
FEES = portrait("4", "青杉苑小区物业乱收费", "青杉苑小区物业没有公示就涨停车费，业主不交就不让进门。", code="0104")
NOISE = portrait("5", "云岭大厦工地夜间施工", "云岭大厦旁工地天天夜间施工，噪音扰民，孩子没法睡觉。", code="0401")


def scene(*portraits: Portrait, fixed: frozenset[str] = frozenset()) -> Scene:
    count = Counter(name for one in portraits for name in one.names)
    return Scene(
        portraits={one.id: one for one in portraits}, count=lambda name: count[name], lexicon=LEXICON, fixed=fixed
    )


def test_voices_about_one_thing_in_their_own_words_are_one_event_and_others_are_not_in_it() -> None:
    every = scene(*LAMPS, FEES, NOISE)
    assert gather(every, every.portraits, []) == [["1", "2", "3"]]


def test_the_order_in_which_they_come_does_not_matter() -> None:
    late = scene(LAMPS[2], NOISE, LAMPS[0], FEES, LAMPS[1])
    assert gather(late, late.portraits, []) == [["1", "2", "3"]]


def test_a_group_that_stands_takes_in_what_comes_later() -> None:
    every = scene(*LAMPS)
    assert gather(every, ["3"], [["1", "2"]]) == [["1", "2", "3"]]


def test_whom_a_person_put_somewhere_stays_there_however_unlike() -> None:
    every = scene(LAMPS[0], LAMPS[1], NOISE, fixed=frozenset({"5"}))
    (group,) = [ids for ids in gather(every, ["2"], [["1", "5"]]) if "5" in ids]
    assert "1" in group


def test_a_letter_copied_for_another_school_is_another_matter() -> None:
    text = "学校要求学生必须去指定的工厂实习，不去就不给毕业证，工资还被扣掉一半，希望有关部门制止。"
    one = portrait("a", "云泽财贸学院强制学生实习", f"我是云泽财贸学院的学生，{text}", code="0606")
    other = portrait("b", "云泽工商学院强制学生实习", f"我是云泽工商学院的学生，{text}", code="0606")
    assert contradict(one, other)
    assert likeness(one, other, lambda _: 2, LEXICON) == 0.0


def test_the_style_of_one_hand_links_no_two_matters() -> None:
    phrase = "在国家大力倡导高质量发展的大背景下，请问有何具体举措来满足广大群众的殷切期盼刻不容缓"
    one = portrait("a", "加快云泽公园建设刻不容缓", f"地处云泽老城，{phrase}。", code="0207", person="p")
    other = portrait("b", "加快云泽医院建设刻不容缓", f"地处云泽老城，{phrase}。", code="0801", person="p")
    assert likeness(one, other, lambda _: 2, LEXICON) == 0.0


LINES = [
    portrait(id_, title, text, code="0302", at=f"2026-11-0{day}T00:00:00.000Z")
    for day, (id_, title, text) in enumerate(
        (
            ("a", "禾坞路的高压线为什么不入地", "电力公司在禾坞路立铁塔，架空高压线紧挨着住宅楼，建议改成地埋电缆。"),
            (
                "b",
                "反对在禾坞路架设高压线",
                "禾坞路两边住着几万人，架空高压线的环评报告是四年前做的，要求重新评估，高压线改地埋。",
            ),
            (
                "c",
                "禾坞路高压铁塔离窗户太近",
                "施工队正在禾坞路挖铁塔的基坑，架空高压线离窗户不到十米，居民要求电缆入地。",
            ),
        ),
        1,
    )
]
#: It bears the road's name and not the one that the others bear.
QUESTIONS = portrait(
    "d",
    "高压线走廊规划的几点疑问",
    "答复里说禾坞路的高压线符合电力专项规划，请问依据是哪一版总体规划，为什么不能改成地埋电缆，铁塔离住宅楼多远。",
    code="0302",
    at="2026-11-09T00:00:00.000Z",
)


def test_along_a_road_what_is_of_one_class_and_of_one_month_is_one_thing_and_nothing_else() -> None:
    every = scene(*LINES, QUESTIONS)
    assert gather(every, every.portraits, []) == [["a", "b", "c", "d"]]
    for other in (
        msgspec.structs.replace(QUESTIONS, at=LONG_AGO),
        msgspec.structs.replace(QUESTIONS, category="0206", also=frozenset({"0206"})),
    ):
        apart = scene(*LINES, other)
        assert gather(apart, apart.portraits, []) == [["a", "b", "c"]]


BURST = [
    portrait(str(number), title, text, code="0911")
    for number, (title, text) in enumerate(
        (
            ("恒泓财富拖欠出借人本金", "我把父亲看病的钱借给恒泓财富，十月平台关闭以后本金一分没有回来。"),
            ("请督促恒泓财富兑付", "兑付公告改了三次，恒泓财富一次也没有兑现，出借人不知道找谁。"),
            ("恒泓财富的法人避而不见", "几百名出借人到恒泓财富楼下等本金，法人和股东都不露面。"),
            ("恒泓财富关闭以后谁来兑付", "平台关闭两个月，恒泓财富只让我们在群里等兑付公告，本金不见。"),
            ("恒泓财富侵吞血汗钱", "一家三口的本金都在恒泓财富，请公安立案，督促兑付。"),
        )
    )
]


def test_of_who_writes_in_a_burst_about_one_name_little_is_asked() -> None:
    text = "恒泓财富的股东在两个地方，管辖说不清楚，我们已经快撑不下去，恳请省里牵头成立专班，本金何时能还。"
    other_words = portrait("9", "恒泓财富一事到底归谁管", text, code="1202")
    every = scene(*BURST, other_words)
    assert gather(every, every.portraits, []) == [["0", "1", "2", "3", "4", "9"]]
    late = scene(*BURST, msgspec.structs.replace(other_words, at=LONG_AGO))
    assert gather(late, late.portraits, []) == [["0", "1", "2", "3", "4"]]


def kept(*portraits: Portrait) -> list[str]:
    """Prune a group of these."""
    every = scene(*portraits)
    return sorted(pruned(every.group(every.portraits), every).members)


def test_who_bears_none_of_the_proper_names_of_the_others_must_agree_more_with_them() -> None:
    stranger = portrait("9", "松桥贷平台关门", "松桥贷跑路了，我的本金要不回来，店里的东西也搬空了。", code="0701")
    assert kept(*BURST, stranger) == ["0", "1", "2", "3", "4"]
    assert kept(*BURST, msgspec.structs.replace(stranger, names=stranger.names | {"恒泓财"})) == [*"01234", "9"]


def test_what_one_hand_wrote_must_agree_more() -> None:
    assert kept(*BURST) == ["0", "1", "2", "3", "4"]
    assert kept(*(msgspec.structs.replace(one, person="p") for one in BURST)) == []


def test_without_a_proper_name_any_two_must_be_alike_beside_what_both_are_named_after() -> None:
    """Everybody asks about one rule, and each about something else."""
    rule = {"补贴": 0.5, "贴申": 0.5, "申请": 0.5}
    asked = [
        msgspec.structs.replace(
            portrait(str(number), "购房补贴申请", "购房补贴申请。", code="0911"),
            names=frozenset({"房补贴", "补贴申", "贴申请"} if number < 3 else {"房补贴", "贴申请"}),
            words={**rule, own: 0.5},
        )
        for number, own in enumerate(("公司", "夫妻", "技师", "账户", "户口"))
    ]
    assert kept(*asked) == []
    assert kept(*(msgspec.structs.replace(one, words={**one.words, "到账": 0.5}) for one in asked)) == [*"01234"]


def test_the_evidence_names_what_both_have() -> None:
    why = evidence(LAMPS[0], LAMPS[1], lambda _: 3, LEXICON)
    assert any("青杉苑" in name for name in why.names)
    assert "路灯" in why.words
    assert why.same_class


def test_overlapping_runs_are_written_as_the_name_that_they_are() -> None:
    assert set(strings(["丽发新", "发新城", "搅拌站"])) == {"搅拌站", "丽发新城"}
