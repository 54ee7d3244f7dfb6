"""Numbers that identify a person: telephones, resident ids, passports, bank cards.

After a test of 25 written forms; what only looks like one (orders, dates, amounts, lists of houses, hotlines) is told
apart by check digits, by the word before it, and by how it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from normalizer.steps.personal.found import Found

_SEP = r"[ \-－—–·.．]?"
_MOBILE = re.compile(
    rf"(?<![0-9*])(?:(?:\+|＋|00)?86{_SEP})?(1[3-9][0-9]){_SEP}([0-9]{{4}}){_SEP}([0-9]{{4}})(?![0-9*])"
    r"|(?<![0-9])(?:(?:\+|＋|00)?86[ \-]?)?(1[3-9][0-9]{2}[ \-.]?[0-9]{3}[ \-.]?[0-9]{4})(?![0-9])"
    r"|(?<![0-9])(1[ \-.,，、_/|]{0,2}[3-9](?:[ \-.,，、_/|]{0,2}[0-9]){9})(?![0-9])"
)
_EXTENSION = r"(?:[ ,，]?(?:转(?:分机)?|分机号?|[\-－—]|ext\.?)[ :：]?([0-9]{1,5}))?"
_LANDLINE = re.compile(
    rf"(?<![0-9*\-])[(（]?(0(?:10|2[0-57-9]"
    rf"|[3-9][0-9]{{2}}))[)）]?[ \-－—]?([2-8][0-9]{{2,3}}[ \-]?[0-9]{{4}}){_EXTENSION}(?![0-9*])"
)
#: Without an area code only behind a word that says so.
_LOCAL = re.compile(
    r"(?:电话|座机|固话|联系方式|传真|[Tt]el|TEL)(?:号码?)?[是为:：. ]{0,3}"
    rf"([2-8][0-9]{{2,3}}[ \-]?[0-9]{{4}}{_EXTENSION})(?![0-9*])"
)
_SERVICE = re.compile(r"(?<![0-9*])(?:400|800)[ \-]?[0-9]{3,4}[ \-]?[0-9]{3,4}(?![0-9])")
_RESIDENT = re.compile(r"(?<![0-9A-Za-z])([1-8](?:[ \-]?[0-9]){16}[ \-]?[0-9Xx])(?![0-9A-Za-z])")
_RESIDENT_SAID = re.compile(
    r"身份证(?:号码?|件号)?(?:是|为|[:：])?\s{0,2}"
    r"([1-8](?:[ \-]?[0-9]){14}(?:(?:[ \-]?[0-9]){2}[ \-]?[0-9Xx])?)(?![ \-]?[0-9A-Za-z])"
)
_BANK = re.compile(r"(?<![0-9A-Za-z])((?:62|4|5[1-5]|3[57])[0-9]?(?:[ \-]?[0-9]){12,17})(?![0-9A-Za-z])")
_BANK_SAID = re.compile(
    r"(?:卡号|账号|帐号|账户|银行卡|储蓄卡|信用卡|工资卡)(?:号码?)?(?:是|为"
    r"|[:：])?\s{0,2}([1-9](?:[ \-]?[0-9]){15,18})(?![0-9A-Za-z])"
)
_PASSPORT = re.compile(
    r"(?:护照|通行证|台胞证|回乡证|居留证)(?:号码?|编号)?(?:是|为|[:：])?\s{0,2}([A-Za-z]{1,2}[0-9]{7,10}"
    r"|[0-9]{8})(?![0-9A-Za-z])"
)
#: As most people write one.
_MOBILE_PLAIN = re.compile(r"1[3-9][0-9]{9}")
#: The word before a number that is no person's.
_NO_PERSON = re.compile(
    r"(?:单号|编号|合同号?|流水号?|案号|发票号?|序列号|条码|条形码|文号|批号|型号|运单|订单|工单|快递|物流"
    r"|取件码|验证码|编码|代码|学号|房产证号|证书号|许可证号?)(?:码)?(?:是"
    r"|为)?[ :：#（(]{0,2}$"
)
_WORD = 10

#: Numbers in words, as some people write them: 幺三八…
_SPOKEN_DIGITS = "零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖"
_SPOKEN = re.compile(f"[一幺壹](?:[ \\-－、，]?[{_SPOKEN_DIGITS}]){{10}}(?![{_SPOKEN_DIGITS}十百千万])")
#: How every one of them begins.
SPOKEN_CUES = tuple(f"{one}{mark}{two}" for one in "一幺壹" for mark in ("", *" -－、，") for two in _SPOKEN_DIGITS)
_DIGITS = re.compile(r"[0-9][0-9 \-－—–()（）.．·,，、_/|]{5,}[0-9]")
#: Where a number may begin: at its sign, its bracket, or a digit that follows none.
_BEGINS = re.compile("[0-9+＋(（](?<![0-9][0-9])")

RESIDENT_LENGTH = 18
OLDEST, YOUNGEST = 1900, 2035
CARD_LENGTHS = range(15, 20)
LONG = 15  #: digits that a resident id or a bank card has at least
VARIED = 3  #: a number of one or two digits over and over is no card
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_NOT_DIGIT = re.compile(r"[^0-9Xx]")
_LISTING = frozenset(",，、")
#: How people part the eleven digits of a mobile with signs that also part the items of a list.
_GROUPS = frozenset({(3, 4, 4), (4, 3, 4), (3, 3, 5), (3, 8), (7, 4), (1,) * 11})


def digits_of(written: str) -> str:
    """Leave only the digits (and the X of a resident id)."""
    return _NOT_DIGIT.sub("", written).upper()


def is_resident_id(written: str) -> bool:
    """Say whether a number is a resident id: a date that was, and the right check digit."""
    number = digits_of(written)
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
    number = digits_of(written)
    if len(number) not in CARD_LENGTHS or not number.isdigit() or len(set(number)) < VARIED:
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit)
        if place & 1:
            value = sum(divmod(value * 2, 10))
        total += value
    return total % 10 == 0


#: So many digits at least has every number that is looked for.
FEWEST_DIGITS = 7
#: What a number may have before its digits (身份证件号码是) and behind them (转分机 12345), with what must not follow.
_BEFORE, _BEHIND = 24, 16


def numbers(text: str) -> Iterable[Found]:
    """Find numbers, the surer kinds first; looked for only around the runs of digits, not in the whole text."""
    runs = [one.span() for one in _DIGITS.finditer(text)]
    if not runs:
        return ()
    if len(runs) == 1 and _MOBILE_PLAIN.fullmatch(text, *runs[0]) is not None:
        # One mobile and nothing beside it, as most write: no other pattern has anything to find.
        return (Found(*runs[0], "mobile"),) if _is_persons(text, runs[0][0]) else ()
    return _numbers(text, runs)


def _numbers(text: str, runs: list[tuple[int, int]]) -> Iterator[Found]:
    begin, end = max(0, runs[0][0] - _BEFORE), min(len(text), runs[-1][1] + _BEHIND)
    around = text[begin:end]
    begins = [one.start() for one in _BEGINS.finditer(text, begin, end)]
    if "证" in around or "护照" in around:
        yield from (Found(one.start(1), one.end(1), "passport") for one in _PASSPORT.finditer(text, begin, end))
    if max(stop - start for start, stop in runs) >= LONG:
        yield from _long_numbers(text, around, begins, begin, end)
    yield from (
        Found(*one.span(), "mobile")
        for one in _beginning(_MOBILE, text, begins, end)
        if _is_written_so(one) and _is_persons(text, one.start())
    )
    yield from (
        Found(*one.span(), "landline")
        for one in _beginning(_LANDLINE, text, begins, end)
        if _is_persons(text, one.start())
    )
    yield from (Found(*one.span(1), "landline") for one in _LOCAL.finditer(text, begin, end))
    if "400" in around or "800" in around:
        yield from (
            Found(*one.span(), "landline")
            for one in _beginning(_SERVICE, text, begins, end)
            if _is_persons(text, one.start())
        )


def _beginning(pattern: re.Pattern[str], text: str, begins: list[int], end: int) -> Iterator[re.Match[str]]:
    """Find like `finditer` what can only begin at these places: several times as fast as trying them all."""
    after = 0
    for begin in begins:
        if begin >= after:
            one = pattern.match(text, begin, end)
            if one is not None:
                yield one
                after = one.end()


def _long_numbers(text: str, around: str, begins: list[int], begin: int, end: int) -> Iterator[Found]:
    """Find resident ids and bank cards: no run that is as short as a telephone number holds one."""
    yield from (
        Found(*one.span(1), "id_card") for one in _beginning(_RESIDENT, text, begins, end) if is_resident_id(one[1])
    )
    if "证" in around:
        yield from (Found(*one.span(1), "id_card") for one in _RESIDENT_SAID.finditer(text, begin, end))
    if "卡" in around or "号" in around or "户" in around:
        yield from (Found(*one.span(1), "bank_card") for one in _BANK_SAID.finditer(text, begin, end))
    yield from (
        Found(*one.span(1), "bank_card")
        for one in _beginning(_BANK, text, begins, end)
        if is_bank_card(one[1]) and _is_persons(text, one.start())
    )


def spoken_mobiles(text: str) -> Iterator[Found]:
    """Find mobiles in words."""
    return (Found(*one.span(), "mobile") for one in _SPOKEN.finditer(text))


def _is_persons(text: str, start: int) -> bool:
    """Say whether no word before a number makes it an order, a contract, a parcel."""
    return _NO_PERSON.search(text, max(0, start - _WORD), start) is None


def _is_written_so(match: re.Match[str]) -> bool:
    """Tell a mobile with commas from a list: 1、3、5、6、7、8、9、10、11栋."""
    written = match[5]
    if written is None or _LISTING.isdisjoint(written):
        return True
    return tuple(map(len, re.findall("[0-9]+", written))) in _GROUPS


_SPOKEN_FOLD = {
    **dict(zip(map(ord, "零〇一二三四五六七八九"), "00123456789", strict=True)),
    **dict(zip(map(ord, "幺壹贰叁肆伍陆柒捌玖"), "1123456789", strict=True)),
    **{0xFF10 + digit: str(digit) for digit in range(10)},
}
_NO_DIGIT = re.compile(r"[^0-9]")
_MOBILE_TAIL = re.compile(r"(?:^|86)(1[3-9][0-9]{9})$")


def canonical_mobile(written: str) -> str | None:
    """Give the eleven digits of a mobile number however it is written; None for anything else."""
    if _MOBILE_PLAIN.fullmatch(written) is not None:
        return written
    folded = written if written.isascii() else written.translate(_SPOKEN_FOLD)
    match = _MOBILE_TAIL.search(_NO_DIGIT.sub("", folded))
    return match[1] if match else None
