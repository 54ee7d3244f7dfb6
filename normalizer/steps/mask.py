"""Mask what identifies a person (脱敏): numbered placeholders in every text, the originals to the vault.

The same original gets the same number within one appeal. One search for anything that could be a number, an address of
mail, a plate or a cue decides whether the patterns run at all. Patterns are after `prototypes/pii.py`: all 25 written
forms of its test are found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date

import msgspec

from normalizer.draft import Draft
from normalizer.tables import Tables
from normalizer.words import Span, Words

#: Kind in `quality.masked` -> the word in the placeholder.
LABELS = {
    "mobile": "手机",
    "id_card": "身份证",
    "mail": "邮箱",
    "landline": "固话",
    "bank_card": "银行卡",
    "plate": "车牌",
    "wechat": "微信",
    "qq": "QQ",
    "name": "姓名",
}

_SEP = r"[ \-－—–·.．]?"
_MOBILE = re.compile(
    rf"(?<![0-9*])(?:(?:\+|＋|00)?86{_SEP})?(1[3-9][0-9]){_SEP}([0-9]{{4}}){_SEP}([0-9]{{4}})(?![0-9*])"
    r"|(?<![0-9])(?:(?:\+|＋|00)?86[ \-]?)?(1[3-9][0-9]{2}[ \-.]?[0-9]{3}[ \-.]?[0-9]{4})(?![0-9])"
    r"|(?<![0-9])(1[ \-.,，、_/|]{0,2}[3-9](?:[ \-.,，、_/|]{0,2}[0-9]){9})(?![0-9])"
)
_LANDLINE = re.compile(
    r"(?<![0-9*\-])[(（]?(0(?:10|2[0-57-9]|[3-9][0-9]{2}))[)）]?[ \-－—]?([2-8][0-9]{6,7})"
    r"(?:(?:转|[\-－—])([0-9]{1,5}))?(?![0-9*])"
)
_SERVICE = re.compile(r"(?<![0-9*])(?:400|800)[ \-]?[0-9]{3,4}[ \-]?[0-9]{3,4}(?![0-9])")
_RESIDENT = re.compile(r"(?<![0-9A-Za-z])([1-8](?:[ \-]?[0-9]){16}[ \-]?[0-9Xx])(?![0-9A-Za-z])")
_BANK = re.compile(r"(?<![0-9A-Za-z])((?:62|4|5[1-5]|3[57])[0-9]?(?:[ \-]?[0-9]){12,17})(?![0-9A-Za-z])")
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE = re.compile(
    rf"[{_PROVINCES}][A-HJ-Za-hj-z][·・•. \-]?(?:[A-HJ-NP-Z0-9a-hj-np-z]{{4}}[A-HJ-NP-Z0-9a-hj-np-z挂学警港澳]"
    r"|[DFdf][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[DFdf])(?![A-Za-z0-9])"
)
_MAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9_][A-Za-z0-9._%+\-]{0,63} ?[@＠] ?"
    r"[A-Za-z0-9\-]+(?:[.．][A-Za-z0-9\-]+)*[.．][A-Za-z]{2,10}"
)
_WECHAT = re.compile(
    r"(?:微信号?|[Vv][Xx]|[Ww][Xx]|[Ww]e[Cc]hat|加[vV微])(?:号码?|同号|ID|id)?[\s:：是为]{0,3}"
    r"([A-Za-z][A-Za-z0-9_\-]{5,19})(?![A-Za-z0-9_])"
)
_QQ = re.compile(r"(?:[Qq]{2}|扣扣|企鹅号?)(?:群|号码?|群号)?[\s:：是为]{0,3}([1-9][0-9]{4,10})(?![0-9])")

# Names only beside a cue, and only where something that follows names stands behind: 96 of 100 were right.
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄"
    "和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫经房裘缪干解应宗丁宣邓郁单杭洪包诸左石崔吉龚程"
    "嵇邢裴陆荣翁荀羊於惠甄曲封芮储靳井段富巫乌焦巴弓牧隗山谷车侯全班仰秋仲伊宫宁仇栾甘厉戎祖武符刘景詹束龙叶幸司韶黎薄印宿白怀蒲邰从索咸籍赖卓蔺屠蒙池乔阴胥能苍双闻莘党翟谭贡劳姬申扶堵冉宰雍璩桑桂"
    "牛寿通边扈燕冀浦尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终居衡步都耿满弘匡国文寇广禄东欧利蔚越隆师巩聂晁敖融訾辛阚那简饶空曾沙养鞠须丰关蒯相查荆红游竺权盖桓公肖涂仝闫付代岳佟樊楚"
)
COMPOUND_SURNAMES = (
    *("欧阳", "太史", "端木", "上官", "司马", "东方", "独孤", "南宫", "夏侯", "诸葛", "尉迟"),
    *("皇甫", "慕容", "司徒", "令狐", "长孙", "宇文", "鲜于", "闾丘", "公孙", "轩辕", "呼延"),
)
_COMPOUND = "|".join(COMPOUND_SURNAMES)
_HAN = "\u4e00-\u9fa5"
_NAMED = f"(?:{_COMPOUND})[{_HAN}]{{1,2}}|[{_SURNAMES}][{_HAN}]{{1,2}}"
_ENDS = r"(?=[，,。、；;：:！!？?（(）)\s*\d〔]|$|男|女|先生|女士|[是在于住今现年来家身籍，]|电话|手机|身份证|联系|系)"
_ENDS_CLEARLY = r"(?=[，,（(：:]|，男|，女)"
_NAME = re.compile(
    r"(?:(?:我|本人|小女|儿子|女儿|父亲|母亲|丈夫|妻子|老公|老婆|名字|姓名)(?:的名字)?(?:叫做?|名叫|姓名是|名为)"
    rf"|(?:联系人|姓名|投诉人|反映人|申请人|户主|当事人|举报人|业主姓名|本人)(?:(?:是|为|叫)\s?|\s{{0,2}}[:：]\s{{0,2}}))((?:{_NAMED})(?<!联(?=系))){_ENDS}"
    rf"|(?:联系人|投诉人|反映人|申请人|户主|当事人|举报人|本人|我是)((?:{_NAMED})(?<!联(?=系))){_ENDS_CLEARLY}"
)
_NO_NAME = frozenset(
    [
        "何时", "何地", "何人", "何种", "何处", "都是", "居民", "党员", "时代", "公司", "小区", "单位",
        "业主", "家长", "学生", "农民", "广大", "文明", "常年", "成都", "包括", "全国", "全体", "全家",
        "通过", "应该", "相关", "连续", "和平", "安全", "平时", "国家", "高兴", "高度", "师傅", "解决",
        "经过", "经济", "居住", "能否", "终于", "从事", "从未", "向上", "满意", "于是", "方便", "时间",
        "就是", "强烈", "别人", "明天", "现在", "公务", "后来", "后期", "关于", "相信", "项目", "东西",
        "水电", "路过", "车主", "房东", "房主", "金额", "明明", "越来", "白天", "毕业", "成年",
    ]
)  # fmt: skip
_NO_NAME_PART = frozenset(
    "的是了在有和与对为被把将向从到因就也都不没很住家业居想要来去于及或但请这那他她它们个位区县市镇乡村省街道路号楼栋小学中公司单"
)

_CONTACT_CUES = (
    "微信",
    "vx",
    "VX",
    "Vx",
    "wx",
    "WX",
    "Wx",
    "加v",
    "加V",
    "weChat",
    "WeChat",
    "wechat",
    "Wechat",
    "加微",
    "QQ",
    "qq",
    "Qq",
    "扣扣",
    "企鹅",
)
#: How many of the cues have something of the name's before them.
_CALLED = 6
_NAME_CUES = (
    *("叫", "名叫", "名字", "名为", "本人叫", "我叫"),
    *("姓名", "联系人", "投诉人", "反映人", "申请人", "本人", "户主", "当事人", "举报人", "业主姓名", "我是"),
)
#: How far around a cue a name is looked for; behind it, what ends the name must be in sight too.
_BEFORE_NAME, _BEHIND_NAME = 6, 24
_CUES = Words((*_CONTACT_CUES, *_NAME_CUES))
_DIGITS = re.compile(r"[0-9][0-9 \-－—–()（）.．·,，、_/|]{5,}[0-9]")
#: What an expression for numbers may reach beyond its digits: `(`, `+`; `转12345` and the sign after it.
_BEFORE, _BEHIND = 4, 8
_PLATE_GATE = re.compile(rf"[{_PROVINCES}][A-Za-z][A-Za-z0-9·・•. \-]")

#: Eleven numbers in words, as some people write them: 幺三八…
_SPOKEN_DIGITS = "零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖"
_SPOKEN = re.compile(f"[一幺壹][{_SPOKEN_DIGITS}]{{10}}(?![{_SPOKEN_DIGITS}])")

Found = tuple[int, int, str]

RESIDENT_LENGTH = 18
OLDEST, YOUNGEST = 1900, 2035
CARD_LENGTHS = range(15, 20)
VARIED = 3  #: a number of one or two digits over and over is no card
PLATE_DIGITS = 2
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_NOT_DIGIT = re.compile(r"[^0-9Xx]")


def is_resident_id(written: str) -> bool:
    """Say whether a number is a resident id: a date that was, and the right check digit."""
    number = _NOT_DIGIT.sub("", written).upper()
    if len(number) != RESIDENT_LENGTH or not number[:17].isdigit():
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    if not OLDEST <= born.year <= YOUNGEST:
        return False
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False)) % 11] == number[17]


def is_bank_card(written: str) -> bool:
    """Say whether a number can be a bank card: its length and its check digit (Luhn)."""
    number = _NOT_DIGIT.sub("", written)
    if len(number) not in CARD_LENGTHS or not number.isdigit() or len(set(number)) < VARIED:
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit)
        if place & 1:
            value = sum(divmod(value * 2, 10))
        total += value
    return total % 10 == 0


def find(text: str) -> list[Found]:
    """Find what identifies a person: (start, end, kind), from left to right, never overlapping."""
    cues = _CUES.find(text)
    runs = _runs(text)
    mail = "@" in text or "＠" in text
    plate = _PLATE_GATE.search(text) is not None
    spoken = _SPOKEN.search(text) is not None
    if not (cues or runs or mail or plate or spoken):
        return []
    found: list[Found] = []
    if mail:
        _add(found, ((one.start(), one.end(), "mail") for one in _MAIL.finditer(text)))
    if runs:
        _add(found, _numbers(text, runs))
    if spoken:
        _add(found, ((one.start(), one.end(), "mobile") for one in _SPOKEN.finditer(text)))
    if plate:
        _add(found, _plates(text))
    if cues:
        _add(found, _beside_cues(text, cues))
    found.sort()
    return found


def _add(found: list[Found], more: Iterator[Found]) -> None:
    """Take what does not overlap what is already taken: the surer kinds come first."""
    for start, end, kind in more:
        if not any(start < taken_end and taken_start < end for taken_start, taken_end, _ in found):
            found.append((start, end, kind))


def _runs(text: str) -> list[tuple[int, int]]:
    """Find where enough digits stand together for a number, with room for what may stand before and behind them.

    The expressions for numbers are slow: they look at these places alone.
    """
    runs: list[tuple[int, int]] = []
    for one in _DIGITS.finditer(text):
        start, end = max(0, one.start() - _BEFORE), one.end() + _BEHIND
        if runs and start <= runs[-1][1]:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _numbers(text: str, runs: list[tuple[int, int]]) -> Iterator[Found]:
    for number in _within(_RESIDENT, text, runs):
        if is_resident_id(number[1]):
            yield number.start(1), number.end(1), "id_card"
    for number in _within(_BANK, text, runs):
        if is_bank_card(number[1]):
            yield number.start(1), number.end(1), "bank_card"
    yield from ((number.start(), number.end(), "mobile") for number in _within(_MOBILE, text, runs))
    yield from ((number.start(), number.end(), "landline") for number in _within(_LANDLINE, text, runs))
    yield from ((number.start(), number.end(), "landline") for number in _within(_SERVICE, text, runs))


def _within(pattern: re.Pattern[str], text: str, runs: list[tuple[int, int]]) -> Iterator[re.Match[str]]:
    for start, end in runs:
        yield from pattern.finditer(text, start, end)


def _plates(text: str) -> Iterator[Found]:
    for one in _PLATE.finditer(text):
        if sum(character.isdigit() for character in one[0][2:]) >= PLATE_DIGITS:
            yield one.start(), one.end(), "plate"


def _beside_cues(text: str, cues: list[Span]) -> Iterator[Found]:
    """Look only around the cues: the name patterns are the dearest of all."""
    contact = len(_CONTACT_CUES)
    if any(cue < contact for cue, _, _ in cues):
        yield from ((one.start(1), one.end(1), "wechat") for one in _WECHAT.finditer(text))
        yield from ((one.start(1), one.end(1), "qq") for one in _QQ.finditer(text))
    for cue, start, end in cues:
        if cue >= contact:
            if cue < contact + _CALLED:  # what is called stands before 叫
                one = _NAME.search(text, max(0, start - _BEFORE_NAME), end + _BEHIND_NAME)
            else:
                one = _NAME.match(text, start, end + _BEHIND_NAME)
            if one is not None and _is_name(one[1] or one[2]):
                group = 1 if one[1] else 2
                yield one.start(group), one.end(group), "name"


def _is_name(name: str) -> bool:
    return not (name in _NO_NAME or name[:2] in _NO_NAME or name[1] in _NO_NAME_PART or name[-1] in _NO_NAME_PART)


class Masker:
    """Numbers the placeholders of one appeal."""

    __slots__ = ("_numbers", "masked", "originals")

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}
        self.masked: dict[str, int] = {}
        self.originals: dict[str, str] = {}

    def mask(self, field: str, text: str) -> str:
        """Put placeholders into a text and keep the originals, by field and placeholder."""
        found = find(text)
        if not found:
            return text
        parts: list[str] = []
        after = 0
        for start, end, kind in found:
            original = text[start:end]
            known = self._numbers.setdefault(kind, {})
            number = known.setdefault(_canonical(kind, original), len(known) + 1)
            label = f"{LABELS[kind]}{number}"
            parts += (text[after:start], f"〔{label}〕")
            self.originals.setdefault(f"{field}:{label}", original)
            self.masked[kind] = self.masked.get(kind, 0) + 1
            after = end
        parts.append(text[after:])
        return "".join(parts)


def _canonical(kind: str, original: str) -> str:
    """Bring the ways of writing one original together."""
    if kind == "mobile":
        return canonical_mobile(original) or original
    if kind in ("id_card", "bank_card", "landline", "qq"):
        return _NOT_DIGIT.sub("", original).upper()
    return original.replace(" ", "").lower()


_SPOKEN_FOLD = {
    **dict(zip(map(ord, "零〇一二三四五六七八九"), "00123456789", strict=True)),
    **dict(zip(map(ord, "幺壹贰叁肆伍陆柒捌玖"), "1123456789", strict=True)),
    **{0xFF10 + digit: str(digit) for digit in range(10)},
}
_MOBILE_TAIL = re.compile(r"(?:^|86)(1[3-9][0-9]{9})$")


def canonical_mobile(written: str) -> str | None:
    """Give the eleven digits of a mobile number however it is written; None for anything else."""
    digits = re.sub(r"[^0-9]", "", written.translate(_SPOKEN_FOLD))
    match = _MOBILE_TAIL.search(digits)
    return match[1] if match else None


def mask(draft: Draft, _tables: Tables) -> None:
    """Mask every text that leaves this room, title and attachment names alike."""
    masker = Masker()
    draft.title = masker.mask("title", draft.title)
    draft.text = masker.mask("text", draft.text)
    if draft.address is not None:
        draft.address = masker.mask("place", draft.address)
    _mask_rest(draft, masker.mask)
    draft.masked = masker.masked
    draft.originals = masker.originals


def _mask_rest(draft: Draft, hide: Callable[[str, str], str]) -> None:
    """Mask what is rarely there."""
    if draft.reply_text is not None:
        draft.reply_text = hide("reply", draft.reply_text)
    if draft.reply_by is not None:
        draft.reply_by = hide("reply", draft.reply_by)
    if draft.url is not None:
        draft.url = hide("url", draft.url)
    if draft.handler is not None:
        draft.handler = hide("handler", draft.handler)
    if draft.subject_entity is not None:
        draft.subject_entity = hide("subject", draft.subject_entity)
    if draft.given is not None and draft.given.name is not None:
        draft.given = msgspec.structs.replace(draft.given, name=hide("given", draft.given.name))
    if draft.thread.about is not None:
        draft.thread = msgspec.structs.replace(draft.thread, about=hide("about", draft.thread.about))
    if draft.attachments:
        draft.attachments = [
            msgspec.structs.replace(
                one,
                name=hide("attachment", one.name) if one.name else None,
                url=hide("attachment", one.url) if one.url else None,
            )
            for one in draft.attachments
        ]
