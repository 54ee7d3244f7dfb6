"""What an appeal is about, what it asks for, and by which words."""

from collections.abc import Callable

import pytest

from normalizer.appeal import Appeal, Given, RequestType
from normalizer.tables import Tables

CASES = [
    ("0104", "物业公司收了物业费从来不打扫，保安也不管事"),
    ("0204", "人行道上的窨井盖没了，晚上走路很危险"),
    ("0205", "文苑路的路灯坏了半个月，晚上一片漆黑"),
    ("0210", "邻居养的大型犬遛狗不牵绳，昨天扑倒了孩子"),
    ("0301", "整条巷子停水两天了，也没有通知"),
    ("0306", "快递说送到驿站就算签收，结果包裹丢了"),
    ("0308", "电梯一个星期坏了三次，经常停运"),
    ("0402", "工地凌晨两点还在打桩施工，全家睡不着"),
    ("0403", "广场舞的音响从晚上七点响到十点"),
    ("0405", "楼下烧烤店油烟直排，熏得不敢开窗"),
    ("0501", "公交车等了四十分钟不来，希望增加班次"),
    ("0504", "路口两边双排违停，车根本过不去"),
    ("0701", "包工头拖欠农民工工资，一分钱没给"),
    ("0806", "异地住院回来医保报销被拒，说没有备案"),
    ("0902", "健身房突然关门跑路，会员卡里的钱不退"),
    ("1204", "楼道里好几辆电动车在充电，消防通道也堵了"),
    ("1308", "感谢社区网格员帮忙联系，特此提出表扬"),
]


@pytest.mark.parametrize(("code", "text"), CASES)
def test_plain_letters_find_their_class(code: str, text: str, read: Callable[..., Appeal]) -> None:
    assert read(text).category.code == code


def test_evidence_points_at_the_words_of_the_masked_field(read: Callable[..., Appeal]) -> None:
    appeal = read({"title": "打13800138000没人接，路灯坏了", "text": "我叫李强，路灯一直不亮，物业说路灯不归他们管。"})

    assert appeal.signals.evidence
    for word in appeal.signals.evidence:
        field = appeal.title if word.field == "title" else appeal.text
        assert field[word.start : word.end] == word.text


def test_confidences_add_up_to_less_than_one(read: Callable[..., Appeal]) -> None:
    appeal = read("公司不发工资也不交社保，还拖欠加班费，退休手续也不给办")
    total = appeal.category.confidence + sum(one.confidence for one in appeal.signals.runners_up)

    assert 0 < appeal.category.confidence <= total < 1
    assert appeal.signals.runners_up == sorted(appeal.signals.runners_up, key=lambda one: -one.confidence)


@pytest.mark.parametrize("text", ["今天天气不错。", "希望改进", "阿斯蒂芬", "1234"])
def test_nothing_to_go_by_is_1309_and_never_a_guess(text: str, read: Callable[..., Appeal]) -> None:
    category = read(text).category

    assert (category.code, category.confidence) == ("1309", 0.0)


def test_a_placeholder_is_no_evidence(read: Callable[..., Appeal]) -> None:
    assert read("我的号码是11010519491231002X，请回电").category.code == "1309"


@pytest.mark.parametrize(
    "given",
    [
        {"category": "噪声扰民"},
        {"category": "12.噪声扰民"},
        {"category": "城市管理-社会生活噪声"},
        {"category_code": "0403"},
    ],
)
def test_the_sources_own_class_speaks(given: dict[str, str], read: Callable[..., Appeal]) -> None:
    appeal = read({"text": "每天晚上吵得睡不着，请管一管", **given})

    assert appeal.category.code == "0403"
    assert appeal.category.given is not None


def test_a_class_that_nobody_mapped_is_kept_and_is_no_error(read: Callable[..., Appeal]) -> None:
    appeal = read({"text": "路灯坏了没人修", "category": "三级事项甲"})

    assert appeal.category.code == "0205"
    assert appeal.category.given == Given(scheme="test", name="三级事项甲")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("consult", "请问办理居住证需要什么材料？"),
        ("help", "老人独自在家没饭吃，恳请帮帮我们"),
        ("complain", "投诉物业乱收费，态度恶劣"),
        ("report", "实名举报某工厂夜里偷排污水，涉嫌违法"),
        ("suggest", "建议在学校门口增设一条斑马线"),
        ("praise", "特此感谢社区工作人员，为他们点赞"),
        ("complain", "物业乱收费又不打扫，投诉多次没人管，谢谢领导"),
        ("invalid", "测试一下"),
    ],
)
def test_request_types(kind: str, text: str, read: Callable[..., Appeal]) -> None:
    assert read(text).request_type == kind


def test_the_sources_own_type_stands(read: Callable[..., Appeal]) -> None:
    assert read({"text": "投诉物业乱收费", "request_type": "咨询"}).request_type is RequestType.CONSULT
    assert read({"text": "投诉物业乱收费", "request_type": "求决类"}).request_type is RequestType.HELP
    assert read({"text": "投诉物业乱收费", "request_type": "不认识的"}).request_type is RequestType.COMPLAIN


def test_all_119_classes_are_there_with_words_of_their_own(tables: Tables) -> None:
    speaking = set(tables.speaking)

    assert len(tables.classes) == 119
    assert speaking == set(tables.classes)


def test_thanks_for_work_done_is_praise(read: Callable[..., Appeal]) -> None:
    assert read("感谢网格员小李帮我修好了下水道").request_type == "praise"
    assert read("感谢物业？三个月了电梯还没有修好，投诉物业不作为").request_type == "complain"
