"""No number leaves this room, however it is written; the same original has the same number."""

import json
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Normalized
from normalizer.steps.mask import Masker, canonical_mobile, find, is_bank_card, is_resident_id
from normalizer.steps.personal.accounts import CONTACT_CUES, accounts, mails, plates
from normalizer.steps.personal.doors import PATTERNS, doors, has_door
from normalizer.steps.personal.found import Found
from normalizer.steps.personal.names import CALLED_CUES, NAME_CUES, names
from normalizer.steps.personal.numbers import numbers, spoken_mobiles
from normalizer.words import Words

RESIDENT = "11010519491231002X"


def masked(text: str) -> str:
    return Masker().mask("text", text)


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        "138-0013-8000",
        "138 0013 8000",
        "1380 013 8000",
        "+8613800138000",
        "86-138-0013-8000",
        "0086 13800138000",
        "138.0013.8000",
        "1 3 8 0 0 1 3 8 0 0 0",
        "一三八零零一三八零零零",
        "幺三八〇〇幺三八〇〇〇",
    ],
)
def test_every_way_of_writing_a_mobile_is_masked(written: str) -> None:
    assert masked(f"请打{written}联系我") == "请打〔手机1〕联系我"
    assert canonical_mobile(written) == "13800138000"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"身份证{RESIDENT}。", "身份证〔身份证1〕。"),
        ("身份证110105 19491231 002x。", "身份证〔身份证1〕。"),
        ("写信到li.qiang@example.com好吗", "写信到〔邮箱1〕好吗"),
        ("座机0731-88888888转801", "座机〔固话1〕"),
        ("（010）66778899", "〔固话1〕"),
        ("卡号6222021234567890128", "卡号〔银行卡1〕"),
        ("车牌湘A12345堵门", "车牌〔车牌1〕堵门"),
        ("加vx：lake_side88", "加vx：〔微信1〕"),
        ("QQ：123456789", "QQ：〔QQ1〕"),
        ("我叫李强，住在三栋", "我叫〔姓名1〕，住在三栋"),
        ("联系人：欧阳小云，电话另告", "联系人：〔姓名1〕，电话另告"),
    ],
)
def test_each_kind_has_its_placeholder(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "工单号2026112200012345678请查",
        "欠了12345元，打12345没人接",
        "2026年11月22日10:30至12:00停水",
        "身份证号110105194912310021是错的号码"[:3] + "错的",
        "本人怀孕六个月",
        "我是小区业主，反映人很多",
        "叫卖喇叭太吵",
    ],
)
def test_what_identifies_nobody_is_left_alone(text: str) -> None:
    assert masked(text) == text


def test_the_same_original_has_the_same_number_in_every_text() -> None:
    masker = Masker()

    assert masker.mask("title", "打13800138000") == "打〔手机1〕"
    assert masker.mask("text", "139-0013-9000或138 0013 8000") == "〔手机2〕或〔手机1〕"
    assert masker.masked == {"mobile": 3}
    assert masker.originals == {
        "title:手机1": "13800138000",
        "text:手机2": "139-0013-9000",
        "text:手机1": "138 0013 8000",
    }


@given(st.text(max_size=200))
def test_masking_never_fails_and_masks_nothing_twice(text: str) -> None:
    once = masked(text)

    assert masked(once) == once


@given(st.from_regex(r"[1-9][0-9]{14,18}", fullmatch=True))
def test_luhn_agrees_with_its_definition(number: str) -> None:
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(number))]
    total = sum(value // 10 + value % 10 for value in doubled)

    assert is_bank_card(number) == (total % 10 == 0 and len(set(number)) > 2)


def test_a_resident_id_needs_its_check_digit_and_a_real_date() -> None:
    assert is_resident_id(RESIDENT)
    assert not is_resident_id("110105194912310021")
    assert not is_resident_id("11010519491331002X")


def mobiles() -> st.SearchStrategy[tuple[str, str]]:
    """A mobile number and one way of writing it."""
    number = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
    forms = st.sampled_from(["{0}{1}{2}", "{0}-{1}-{2}", "{0} {1} {2}", "+86{0}{1}{2}", "{0}.{1}.{2}"])
    return st.tuples(number, forms).map(lambda one: (one[0], one[1].format(one[0][:3], one[0][3:7], one[0][7:])))


WORDS = st.text(alphabet="路灯坏了请来看，。！小区物业不管", max_size=20)
FIELDS = (
    *("title", "text", "address", "reply", "reply_by", "about", "department"),
    *("subject_entity", "category", "url", "channel_detail"),
)


@settings(max_examples=300)
@given(mobile=mobiles(), around=st.tuples(WORDS, WORDS), field=st.sampled_from(FIELDS), full=st.booleans())
def test_no_injected_number_mail_or_id_is_ever_in_an_appeal(
    normalized: Callable[[RawAppeal], Normalized],
    mobile: tuple[str, str],
    around: tuple[str, str],
    field: str,
    *,
    full: bool,
) -> None:
    number, written = mobile
    if full:
        written = written.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    secret = f"{around[0]}电话{written}，{RESIDENT}，me_{number}@mail.example.com {around[1]}"
    row = {"text": "路灯坏了请派人来修", field: secret, "phone": number, "author": "网友", "mail": f"{number}@qq.com"}
    payload = json.dumps(row).encode()
    made = normalized(RawAppeal(id="a", source="s", kind="line", channel="hotline", native_id="1", payload=payload))
    stored = msgspec.json.encode(made.appeal).decode()

    assert number not in stored
    assert written not in stored
    assert RESIDENT not in stored
    assert "mail.example.com" not in stored
    assert made.secrets.contact["mobile"] == number
    if field != "channel_detail":  # which is a code, or nothing
        assert any(RESIDENT in original for original in made.secrets.originals.values())


#: What is personal, what leads to it, and what comes near it: put together, any of it may stand beside any other.
PIECES = (
    *("13800138000", "138 0013 8000", "1-3-8-0-0-1-3-8-0-0-0", "+86", "0731-88888888", "（010）66778899", "转801"),
    *("4001234567", "88888888", "单号", "电话", "身份证", RESIDENT, "卡号", "6222021234567890128", "护照", "E12345678"),
    *("一三八零零一三八零零零", "幺 三 八〇〇一三八〇〇〇", "一、三", "零一", "二三", "一", "幺", "三零二室", "一二"),
    *("湘A12345", "湘 a·1234挂", "粤BD12345", "a@b.cc", "a＠b．cc", "@", "微信", "加vx：", "lake_88", "QQ：", "12345"),
    *("我叫", "叫", "我是", "本人", "联系人：", "我爸爸", "我的母亲", "家属", "李强", "欧阳小云", "是", "，男"),
    *(
        "3栋",
        "2单元",
        "501室",
        "501A室",
        "12-1203",
        "3-2-501",
        "楼上",
        "是",
        "501",
        "5组12号",
        "我家住",
        "桥路",
        "12号之三",
    ),
    *("门牌", "号", "7", "室", "-", "—", "*", "+", " ", "，", "。", "\n", "年", "米", "住在", "路灯坏了"),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)
CUES = Words((*CONTACT_CUES, *CALLED_CUES, *NAME_CUES))


def everything(text: str) -> list[Found]:
    """Find by every pattern, whatever the text has."""
    cues = [(CUES.words[cue], (start, end, cue)) for start, end, cue in CUES.find(text)]
    called = [span for cue, span in cues if cue in CALLED_CUES]
    begun = [span for cue, span in cues if cue in NAME_CUES]
    found: list[Found] = []
    for some in (
        *(mails(text), numbers(text), spoken_mobiles(text), plates(text), accounts(text)),
        *(names(text, called, begun), doors(text) if has_door(text) else ()),
    ):
        for one in some:
            if all(one.end <= other.start or other.end <= one.start for other in found):
                found.append(one)
    return sorted(found)


@settings(max_examples=3000)
@given(TEXTS)
def test_no_look_before_the_patterns_hides_what_they_would_find(text: str) -> None:
    assert find(text) == everything(text)


@given(TEXTS)
def test_a_door_has_a_sign_of_its_pattern(text: str) -> None:
    for signs, patterns in PATTERNS:
        assert any(sign in text for sign in signs) or not any(pattern.search(text) for pattern in patterns)


@settings(max_examples=1000)
@given(TEXTS)
def test_a_mobile_alone_is_found_as_beside_other_digits(text: str) -> None:
    apart = "。" * 40 + "00-00-00-00"

    assert list(numbers(text)) == list(numbers(text + apart))
