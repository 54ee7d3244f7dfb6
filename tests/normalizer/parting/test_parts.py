# ruff: noqa: E501 - a message and its classes stand on one line
"""One message with several requests becomes as many appeals; details, demands and questions of one matter stay one."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Appeal, Normalized, RequestType
from normalizer.tables import Tables
from tests.normalizer.conftest import Raw

Normalize = Callable[[RawAppeal], Normalized]
DATA = Path(__file__).parents[4] / "shared" / "data"

SEVERAL = (
    ("一、湖滨小区的路灯坏了半个月没人修。二、旁边烧烤店每天深夜油烟扰民，居民无法休息。", ["0205", "0405"]),
    ("1、我们小区三号楼电梯经常困人，已经两次了。2、小区门口的公交车班次太少，等一个小时都等不到。", ["0308", "0501"]),
    ("您好，我家住在青枫区。1. 公司拖欠我三个月工资不发。2. 孩子上学的学区划分不合理，请教育局解释。", ["0701", "0601"]),
    ("我们这里已经停水三天了，希望尽快恢复供水。另外，楼下工地夜间施工噪音很大，影响休息，请处理。", ["0301", "0402"]),
    ("小区门口垃圾成堆没人清运。还有一个问题，孩子所在的幼儿园收费太高，乱收费，请查处。", ["0203", "0604"]),
    ("（1）人民路路面塌陷，有个大坑，车辆通行危险。（2）我在超市买到过期食品，商家拒绝赔偿。", ["0204", "0903"]),
    ("领导您好！反映两个问题：一是医保报销比例太低，住院费用报不了；二是村里的自来水浑浊，无法饮用。", ["0806", "0301"]),
    ("同时反映两件事。第一，出租车拒载，司机态度恶劣。第二，家里暖气不热，室温只有12度。", ["0502", "0304"]),
    ("我想投诉快递公司丢失我的包裹。同时反映，我们单元楼道堆放杂物堵塞消防通道，有火灾隐患。", ["0306", "1204"]),
    ("1.河道里排污水，河水发黑发臭。2.我父亲的养老金三个月没有发放。3.路口红绿灯坏了，交通混乱。", ["0407", "0706", "0505"]),
    ("咨询一下，灵活就业人员怎么缴纳社保？另外想问一下，老年公交卡在哪里办理？", ["0705", "0501"]),
    ("①楼上漏水，物业不管。②门口占道经营严重，行人无法通行。", ["1007", "0201"]),
)  # fmt: skip

ONE = (
    "投诉物业：1、电梯坏了不修。2、垃圾没人清理。3、乱收停车费。要求更换物业。",
    "我买的房子有问题：一、墙面开裂渗水；二、绿化没有做；三、车位没有兑现。要求开发商赔偿。",
    "工地扰民：1、夜间施工噪音大。2、渣土车带泥上路扬尘严重。希望停工整顿。",
    "咨询落户政策：1、社保要交几年？2、孩子能否随迁上学？3、需要什么材料？",
    "公司拖欠工资三个月。另外，公司没有给我们缴纳社保，请劳动监察处理。",
    "河水发黑。另外该河边还有人倾倒垃圾，请环保局处理。",
    "诉求：一、立即停止施工；二、赔偿损失；三、公开道歉。请领导尽快给我们一个答复。",
    "我家的房子被拆迁，一是补偿标准不合理，二是安置房迟迟不交付，三是过渡费没有发放。",
    "孩子在培训机构报名后机构跑路。1、要求退还学费；2、查处无证办学；3、公布处理结果。",
    "餐馆油烟直排，噪音扰民。另外他们还占道经营，把桌子摆到人行道上。",
    "路灯坏了半个月没人修，晚上出门摔倒了两次，旁边烧烤店的油烟也很大，请领导重视。",
)


def several(normalized: Normalize, raw: Raw, text: str, **more: object) -> list[Appeal]:
    row = {"text": text, **{name: value for name, value in more.items() if name != "channel"}}
    channel = str(more.get("channel", "hotline"))
    return [part.appeal for part in normalized(raw(row, channel=channel)).parts]


@pytest.mark.parametrize(("text", "codes"), SEVERAL)
def test_separate_requests_are_parts_each_with_its_own_class(
    normalized: Normalize, raw: Raw, text: str, codes: list[str]
) -> None:
    assert [part.category.code for part in several(normalized, raw, text)] == codes


@pytest.mark.parametrize("text", ONE)
def test_details_demands_and_questions_of_one_matter_stay_one(normalized: Normalize, raw: Raw, text: str) -> None:
    assert not several(normalized, raw, text)


def test_a_part_says_which_it_is_where_it_stands_and_which_words_say_so(normalized: Normalize, raw: Raw) -> None:
    made = normalized(raw(SEVERAL[0][0], channel="hotline"))
    whole, (first, second) = made.appeal, [part.appeal for part in made.parts]

    assert (first.id, second.id) == (whole.id, f"{whole.id}-2")
    assert (first.links.same_message, second.links.same_message) == ([second.id], [first.id])
    assert (first.native_id, first.revision, first.source) == (whole.native_id, whole.revision, whole.source)
    for part, cue in ((first, "一、"), (second, "二、")):
        piece = part.signals.piece
        assert piece is not None
        assert (piece.of, piece.cue) == (2, cue)
        assert "".join(whole.text[start:end] for start, end in piece.spans) == part.text
        (evidence,) = [one for one in part.signals.evidence if "一条多诉" in one.why]
        assert part.text[evidence.start : evidence.end] == evidence.text == cue
    assert (first.title, second.title) == ("湖滨小区的路灯坏了半个月没人修", "旁边烧烤店每天深夜油烟扰民")


def test_a_part_has_the_greeting_and_the_end_of_the_letter_and_nothing_of_another_part(
    normalized: Normalize, raw: Raw
) -> None:
    text = "您好，我家住在青枫区。1. 公司拖欠我三个月工资不发。2. 孩子上学的学区划分不合理。请尽快处理，谢谢！"
    wages, school = several(normalized, raw, text)
    assert wages.text == "您好，我家住在青枫区。1. 公司拖欠我三个月工资不发。请尽快处理，谢谢！"
    assert school.text == "您好，我家住在青枫区。2. 孩子上学的学区划分不合理。请尽快处理，谢谢！"
    assert {wages.place.district, school.place.district} == {"青枫区"}
    assert "学区" not in str(wages)
    assert "工资" not in str(school)


def test_the_title_of_the_message_says_where_and_is_not_shown(normalized: Normalize, raw: Raw) -> None:
    first, second = several(normalized, raw, SEVERAL[0][0], title="望湖区柳荫街道路灯和油烟")
    assert {first.place.street, second.place.street} == {"柳荫街道"}
    assert "油烟" not in first.title
    assert "路灯" not in second.title


def test_what_is_masked_is_numbered_anew_in_each_part_and_each_keeps_only_its_own(
    normalized: Normalize, raw: Raw
) -> None:
    text = (
        "我叫李建国。一、公司拖欠我三个月工资不发，老板电话13800138000。"
        "二、小区门口垃圾成堆没人清运，值班电话13911112222、13800138000。"
    )
    first, second = normalized(raw({"text": text, "phone": "13700000000"}, channel="hotline")).parts
    assert "老板电话〔手机1〕" in first.appeal.text
    assert "值班电话〔手机1〕、〔手机2〕" in second.appeal.text
    assert first.secrets.originals == {"text:姓名1": "李建国", "text:手机1": "13800138000"}
    assert second.secrets.originals == {
        "text:姓名1": "李建国",
        "text:手机1": "13911112222",
        "text:手机2": "13800138000",
    }
    assert (first.appeal.quality.masked, second.appeal.quality.masked) == (
        {"name": 1, "mobile": 1},
        {"name": 1, "mobile": 2},
    )
    assert first.secrets.contact == second.secrets.contact == {"mobile": "13700000000"}


def test_where_one_part_is_a_report_who_wrote_is_confidential_in_all(normalized: Normalize, raw: Raw) -> None:
    text = "一、我要举报某酒店长期提供卖淫嫖娼服务，请公安查处。二、人民路的路灯坏了半个月没人修。"
    parts = several(normalized, raw, text, author="陈女士")
    assert [part.request_type is RequestType.REPORT for part in parts] == [True, False]
    assert all(part.citizen.confidential and part.citizen.display is None for part in parts)


def test_what_the_source_gave_to_one_unit_or_classed_is_one_order(normalized: Normalize, raw: Raw) -> None:
    row = {"orderId": "1", "content": SEVERAL[0][0]}
    plain = normalized(raw(row, kind="hotline_12345", channel="hotline"))
    assert len(plain.parts) == 2
    for name in ("organizationName", "questionName", "companyName"):
        assert not normalized(raw(row | {name: "城市管理局"}, kind="hotline_12345", channel="hotline")).parts


@pytest.mark.live
@pytest.mark.skipif(not DATA.exists(), reason="the letters are not here: ../shared/data")
def test_of_real_letters_only_those_are_parted_that_were_judged_to_hold_several(
    tables: Tables, raw: Raw, normalized: Normalize
) -> None:
    del tables
    found = set()
    with (DATA / "appeals_stream_4326.csv").open(encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            text, title = row["留言详情"], row["留言主题"]
            if normalized(raw({"text": text, "title": title}, native_id=row["留言编号"])).parts:
                found.add(row["留言编号"])
    assert found == {"223231", "241638"}
