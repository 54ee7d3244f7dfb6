"""Read what the text tells of time.

When it happened (发生时间), how long it has lasted (持续时间), how often it was reported before (此前反映次数), and how
soon an answer is asked for (要求时限). Only what is said with a number or a plain day counts; 最近 and 上周 are none.
Days are those of the city's zone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from normalizer.appeal import Told, instant
from normalizer.draft import Draft
from normalizer.tables import Tables
from normalizer.words import Span, Words

#: China has one zone and, since 1991, no summer time.
LOCAL = timezone(timedelta(hours=8))
#: What is told of an older day is history, not the matter.
OLDEST = timedelta(days=3650)
#: Clocks differ: a moment that lies a little ahead is still told of the past.
AHEAD = timedelta(days=1)

_NUMBER = r"(?:[0-9]{1,4}|[一二两三四五六七八九十]{1,3})"
_HOUR = (
    r"\s*(凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|晚)?"
    r"\s*(?:([0-9]{1,2}|[一二两三四五六七八九十]{1,3})[点时:：](半|[0-9]{1,2})?)?"
)
#: 2019年11月12日, 2019-11-12, 11月12日; it begins with a digit, so that the search can leap to digits.
_DAY = re.compile(r"[0-9]{1,4}\s*(?:[年./-]\s*[0-9]{1,2}\s*[月./-]|月)\s*[0-9]{1,2}(?:[日号]|(?![0-9月.]))")
_PARTS = re.compile(r"[0-9]+")
_CLOCK = re.compile(_HOUR)
_NEAR = ("今天", "今日", "今早", "今晨", "今晚", "刚才", "刚刚", "昨天", "昨日", "昨晚", "昨夜", "前天", "大前天")
_AGO = {"今": 0, "刚": 0, "昨": 1, "前": 2, "大": 3}
_UNTIL = re.compile(r"(?:前|之前|以前|截止|为止)")

_UNIT = {"天": 1.0, "日": 1.0, "夜": 1.0, "周": 7.0, "星期": 7.0, "礼拜": 7.0, "月": 30.0, "年": 365.0}
_COUNT = r"([0-9一二两三四五六七八九十]{1,4}|[半几数])[多来余]?个?半?(天|周|星期|礼拜|月|年)"
_COUNTED = re.compile(_COUNT + "$")
_COUNTS = re.compile(r"\s*" + _COUNT)
#: 三天 alone may be a plan, a price, a leave: one of these stands before or behind what has lasted.
_BEFORE = ("已", "已经", "长达", "持续", "拖了", "等了", "停了", "断了", "整整", "超过", "足足")
_AFTER = ("多", "有余", "了", "至今", "没", "未", "还", "仍", "以来", "无人", "不")
_REACH = 7  #: characters of the longest such count
_SINCE = re.compile(r"[自从](?:(20[0-9][0-9])年)(?:([0-9]{1,2})月)?[^。！？\n]{0,30}?(?:至今|到现在|到今天|以来|起)")

_TOLD_TO = "反映|投诉|举报|报修|上访|拨打|打过?12345|致电|联系|沟通|报告|求助|报警"
_TIMES_AFTER = re.compile(rf"(?:{_TOLD_TO})[了过]?[^。！？，,\n]{{0,8}}?({_NUMBER}|多|数|好几|几|无数)次$")
_TIMES_BEFORE = re.compile(rf"(第?)({_NUMBER}|多|数|好几|几|无数|再)次[^。！？，,\n]{{0,10}}?(?:{_TOLD_TO})")
_ONCE = re.compile(rf"(?:{_TOLD_TO})过$")
#: Most 过 stand behind something else; to see that costs a tenth of the pattern.
_BEFORE_ONCE = tuple(_TOLD_TO.replace("打过?12345", "12345").split("|"))
_NEARBY = 16  #: as far as these reach, in characters
#: Several is at least two.
_SEVERAL = 2

_WITHIN = re.compile(
    rf"(?:请|希望|要求|务必|必须|望|恳请|能否|应)[^。！？\n]{{0,20}}?({_NUMBER})\s*个?(小时|工作日|天|日|周|星期|月)(?:之|以)?内$"
)
_HOURS = {"小时": 1, "工作日": 24, "天": 24, "日": 24, "周": 168, "星期": 168, "月": 720}

_DIGITS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_AFTERNOON = frozenset({"下午", "傍晚", "晚上", "夜里", "晚"})
_NOON = 12
_CENTURY = 2000  #: dates with a smaller year are no dates of a matter
LONGEST = 3 * OLDEST.days  #: days; more is a figure of speech

#: One pass finds where any of it can stand; only there is looked closely.
_MARKS = (
    *(("day", word) for word in ("月", "20")),
    *(("near", word) for word in _NEAR),
    *(("before", word) for word in _BEFORE),
    *(("after", unit + word) for unit in ("天", "周", "星期", "礼拜", "月", "年") for word in _AFTER),
)
_KINDS = tuple(kind for kind, _ in _MARKS)
_AUTOMATON = Words(tuple(word for _, word in _MARKS))


def recount(draft: Draft, tables: Tables) -> None:  # noqa: ARG001  a step like the others
    """Set `occurred_at`, unless the source gave it, and what else is told of time."""
    body = draft.body
    marks = _AUTOMATON.find(body)
    said: list[str] = []
    lasted = None
    if marks:
        if draft.occurred_at is None:
            draft.occurred_at = _occurred(said, body, marks, draft.posted_at)
        lasted = _lasted(said, body, marks, draft.posted_at)
    reported = _reported(said, body)
    asked = _asked(said, body)
    if said:
        draft.told = Told(lasted_days=lasted, reported_before=reported, asked_hours=asked, said=said)


def _local(moment: str) -> datetime:
    """Most texts tell of no day: only where one does, it is asked when the text was posted."""
    return datetime.fromisoformat(moment).astimezone(LOCAL)


def _occurred(said: list[str], body: str, marks: list[Span], posted_at: str | None) -> str | None:
    """Take the first day that lies before the text was posted and is no date to be met; else 昨天 and its like."""
    read = 0
    for start, _, mark in marks:
        if _KINDS[mark] not in {"day", "after"} or start < read:
            continue
        match = _DAY.search(body, max(read, start - len("2019年11")), start + len("2019年11月12日"))
        if match is None:
            continue
        clock = _CLOCK.match(body, match.end())
        read = match.end() if clock is None else clock.end()
        day = _day(match[0], clock, None if posted_at is None else _local(posted_at))
        if day is not None and _UNTIL.match(body, read) is None:
            said.append(body[match.start() : read].strip())
            return instant(day.astimezone(UTC))
    for start, end, mark in marks:
        if _KINDS[mark] == "near" and posted_at is not None:
            return _nearby(said, body[start:end], _CLOCK.match(body, end), _local(posted_at))
    return None


def _nearby(said: list[str], word: str, clock: re.Match[str] | None, posted: datetime) -> str:
    """Read 昨晚 and 今天早上六点 from the day of posting."""
    said.append(word if clock is None else word + clock[0].strip())
    if word[0] == "刚":
        return instant(posted.astimezone(UTC))
    midnight = posted.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=_AGO[word[0]])
    moment = midnight + _into_day(clock, "晚" if word[-1] in "晚夜" else None)
    return instant(min(moment, posted).astimezone(UTC))


def _day(written: str, clock: re.Match[str] | None, posted: datetime | None) -> datetime | None:
    """Read a date; without a year it is the last such day before posting."""
    numbers = [int(part) for part in _PARTS.findall(written)]
    year, month, day = numbers if len(numbers) == len("年月日") else (0, *numbers)
    if (year and year < _CENTURY) or (not year and posted is None):
        return None  # 11.12.5 is a version, and 11月12日 alone may be of any year
    try:
        at = datetime(year or (posted.year if posted else 0), month, day, tzinfo=LOCAL) + _into_day(clock, None)
        if posted is not None and at > posted + AHEAD and not year:
            at = at.replace(year=at.year - 1)
    except ValueError:
        return None  # 13月, 2月30日: no day
    return at if posted is None or posted - OLDEST <= at <= posted + AHEAD else None


def _into_day(clock: re.Match[str] | None, part: str | None) -> timedelta:
    """Say how far into the day; an hour without its part of the day is taken as written."""
    if clock is None or clock[2] is None:
        return timedelta()
    value = _number(clock[2])
    if (clock[1] or part) in _AFTERNOON and value < _NOON:
        value += _NOON
    return timedelta(hours=min(value, 24), minutes=30 if clock[3] == "半" else int(clock[3] or 0) % 60)


def _number(written: str) -> int:
    """Read 1 to 99 in either script."""
    if written[0].isdigit():
        return int(written)
    tens, ten, ones = written.partition("十")
    if ten:
        return _DIGITS.get(tens, 1) * 10 + _DIGITS.get(ones, 0)
    return _DIGITS.get(written[0], 0)


def _lasted(said: list[str], body: str, marks: list[Span], posted_at: str | None) -> int | None:
    """Give days; the longest that is told counts, for a matter that is old remains old."""
    best: tuple[float, int, int] | None = None
    for start, end, mark in marks:
        match: re.Match[str] | None = None
        if _KINDS[mark] == "after":
            unit = 2 if body[start] in "星礼" else 1
            match = _COUNTED.search(body, max(0, start - _REACH), start + unit)
        elif _KINDS[mark] == "before":
            match = _COUNTS.match(body, end)
        if match is None:
            continue
        number, written = match.groups()
        count = 0.5 if number == "半" else float(_SEVERAL) if number in "几数" else float(_number(number))
        days = count * _UNIT[written]
        if 0 < days <= LONGEST and (best is None or days > best[0]):
            best = days, match.start(), max(end, match.end())
    if posted_at is not None and "20" in body:
        for match in _SINCE.finditer(body):
            month = int(match[2] or 1)
            since = datetime(int(match[1]), month if 1 <= month <= _NOON else 1, 1, tzinfo=LOCAL)
            days = float((_local(posted_at) - since).days)
            if days > 0 and (best is None or days > best[0]):
                best = days, match.start(), match.end()
    if best is None:
        return None
    said.append(body[best[1] : best[2]].strip())
    return max(1, round(best[0]))


def _reported(said: list[str], body: str) -> int | None:
    """Give how often it was reported before, at least."""
    at = body.find("次")
    while at >= 0:
        after = _TIMES_AFTER.search(body, max(0, at - _NEARBY), at + 1)
        if after is not None:
            said.append(after[0])
            return _count(after[1])
        before = _TIMES_BEFORE.search(body, max(0, at - len("好几第")), at + _NEARBY)
        if before is not None:
            said.append(before[0])
            # The third time is two before it.
            return max(1, _count(before[2]) - len(before[1]))
        at = body.find("次", at + 1)
    at = body.find("过")
    while at >= 0:
        told = body.endswith(_BEFORE_ONCE, 0, at)
        once = _ONCE.search(body, max(0, at - _NEARBY), at + 1) if told else None
        if once is not None:
            said.append(once[0])
            return 1
        at = body.find("过", at + 1)
    return None


def _count(number: str) -> int:
    if number == "再":
        return 1
    return _SEVERAL if number[0] in "多数好几无" else max(1, _number(number))


def _asked(said: list[str], body: str) -> int | None:
    """Give hours, of the first 请在三天内 and its like; a working day counts as a day."""
    at = body.find("内")
    while at >= 0:
        match = _WITHIN.search(body, max(0, at - 2 * _NEARBY), at + 1)
        if match is not None:
            said.append(match[0].strip())
            return max(1, _number(match[1])) * _HOURS[match[2]]
        at = body.find("内", at + 1)
    return None
