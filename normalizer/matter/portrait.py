"""What of an appeal is compared with others: its names, its words by weight, what it says it is about. Pure.

Everything here is taken from the masked text, so a portrait holds nothing that the appeal does not show.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import msgspec

from normalizer.appeal import Appeal
from normalizer.matter.rarity import rarity

#: How many runs stand for an appeal in the index, and how many are compared.
KEYS, NAMES = 12, 24
#: How far into the text names and words are looked for.
BEGINNING, REACH, OPENING = 100, 600, 80
#: How many words of the text beside the title's.
WORDS = 60
#: Below this a pair of characters says nothing; so far above it and more it says all that it can.
PLAIN, SPAN = 11.0, 8.0
#: In how much of the text a word counts whole; what comes later counts for less.
EARLY, LATER = 150, 0.6

_RUN = re.compile(r"[\u3400-\u9fff0-9A-Za-z]+")
#: What stands for a name that was taken out before we got it, placeholders, and addresses: they join what is apart.
_NO_NAME = re.compile(r"(?:[A-Z]市)?[A-Z]\d*[市区县]|〔[^〕]*〕|https?://\S*")

#: What kind of thing a name ends with, and the letter that marks it among the keys.
_ENDINGS = {
    "P": "小区|花园|家园|佳园|嘉园|御园|公寓|公馆|华庭|豪庭|庭院|山庄|华城|名城|水岸|华府|首府|帝景|天下|苑|"
    "国际社区|国际城|广场|新城|之城",
    "S": "学院|大学|学校|中学|小学|幼儿园|驾校",
    "R": "路|大道|街",
    "Q": "公园|医院|市场|车站",
}
#: Different ones of these are different matters; a street may have two names.
APART = ("P", "S", "Q")
_BETWEEN = "(?:职业技术|职业|技术|高级|专科|实验|配套|附属)*"
_SUBJECTS = {kind: re.compile(f"([\u3400-\u9fff]{{2}}){_BETWEEN}(?:{ends})") for kind, ends in _ENDINGS.items()}
_SCHOOL = re.compile(f"([\u3400-\u9fff]{{2,4}}?){_BETWEEN}(?:学院|大学)")
#: Two characters before an ending that are no name.
_NO_SUBJECT = frozenset(
    """
    我们 本人 居住 你们 他们 这个 该校 一个 有限 附近 周边 旁边 购房 所在 多个 整个 很多 安置 其他 附属 责任 管理
    物业 房地 地产 开发 建设 置业 在建 市政 商业 购物 住宅 老旧 高档 大型 高端 政府 职业 技术 中专 公立 私立 公办
    民办 普惠 重点 每个 两个 各大 每条 这条 道路 公路 马路 高速 小区 全体 业主 社区 服务 网络 农贸 菜市 超市 农民
    人民 外的 条路 近的 该小 一小 本小 个小 居民 一条 学生 投诉 反映 举报 咨询 位于 关于 各个 对面 门口 期间 配套
    某些 不少 许多 下区 培训 技工 第一 第二 第三 第四
    """.split()  # noqa: SIM905 - ninety words, one a line, are no easier to read
)

#: What ends so before 路 or 街 is a word: 线路, 铁路, 公路, 水泥路.
_NO_ROAD = frozenset("线铁公道泥马车出高网电水通思套走修这条的")

Subjects = frozenset[str]  #: "魅力/P": what the letter says it is about, by its last two characters and its kind


class Portrait(msgspec.Struct, frozen=True, kw_only=True):
    """特征: one appeal as the others see it."""

    id: str
    at: datetime | None
    person: str | None
    district: str | None
    category: str
    also: frozenset[str]  #: the category and the next best ones
    keys: frozenset[str]  #: by which it is found
    names: frozenset[str]  #: by which it is recognised, the keys among them
    words: dict[str, float]  #: pairs of characters with their weights; of length one
    titled: Subjects  #: what the title says it is about
    schools: Subjects  #: schools in the title, by as much of their names as goes before the ending
    about: Subjects  #: as `titled`, and from the beginning of the text where the title does not say


def portrait_of(appeal: Appeal) -> Portrait:
    """Take the portrait of an appeal."""
    title, text = _NO_NAME.sub(" ", appeal.title), _NO_NAME.sub(" ", appeal.text[:REACH])
    runs = _ranked(title, text)
    titled = frozenset(_subjects(title))
    about = titled | frozenset(_missing(titled, text[:OPENING]))
    marks = sorted(about)
    posted = appeal.posted_at or appeal.received_at
    return Portrait(
        id=appeal.id,
        at=None if posted is None else datetime.fromisoformat(posted),
        person=appeal.citizen.ref,
        district=appeal.place.district,
        category=appeal.category.code,
        also=frozenset([appeal.category.code, *(other.code for other in appeal.signals.runners_up[:2])]),
        keys=frozenset(runs[: KEYS - 2] + marks[:3]),
        names=frozenset(runs[:NAMES] + marks),
        words=_words(title, text),
        titled=titled,
        about=about,
        schools=frozenset(_SCHOOL.findall(title)) if any(subject[-1] == "S" for subject in titled) else frozenset(),
    )


def runs(text: str, length: int) -> Iterator[str]:
    """Give every run of so many characters that has two Han characters or more."""
    for match in _RUN.finditer(text):
        whole = match[0]
        if whole.isascii():
            continue
        han = [character >= "\u3400" for character in whole]
        for start in range(len(whole) - length + 1):
            if sum(han[start : start + length]) >= 2:  # noqa: PLR2004
                yield whole[start : start + length]


def _ranked(title: str, text: str) -> list[str]:
    """Give the runs of three of the title and of the beginning, the most telling first."""
    titled = set(runs(title, 3))
    said = Counter(runs(text, 3))
    points = {
        run: rarity(run)
        * (1.5 if run in titled else 1.0)
        * (1 + 0.15 * min(2, max(0, said[run] - (run not in titled))))
        for run in titled.union(runs(text[:BEGINNING], 3))
    }
    return sorted(points, key=lambda run: (-points[run], run))


def _words(title: str, text: str) -> dict[str, float]:
    """Weigh the pairs of characters: those of the title, and the most telling ones of the text."""
    words = {pair: 1.6 * weight for pair in runs(title, 2) if (weight := weight_of(pair)) > 0}
    said: Counter[str] = Counter()
    first: dict[str, int] = {}
    for at, pair in enumerate(runs(text, 2)):
        said[pair] += 1
        first.setdefault(pair, at)
    more = {}
    for pair, times in said.items():
        if pair in words:
            words[pair] *= 1.15
        elif (weight := weight_of(pair)) > 0:
            more[pair] = weight * (1 + 0.3 * min(times - 1, 2)) * (1.0 if first[pair] < EARLY else LATER)
    for pair in sorted(more, key=lambda pair: (-more[pair], pair))[:WORDS]:
        words[pair] = more[pair]
    length = sum(weight * weight for weight in words.values()) ** 0.5 or 1.0
    return {pair: weight / length for pair, weight in words.items()}


def weight_of(pair: str) -> float:
    """Say how much a pair of characters tells."""
    return min(rarity(pair) - PLAIN, SPAN)


def _subjects(text: str) -> Iterator[str]:
    for kind, pattern in _SUBJECTS.items():
        for name in pattern.findall(text):
            if name not in _NO_SUBJECT and not (kind == "R" and name[-1] in _NO_ROAD):
                yield f"{name}/{kind}"


def _missing(titled: Subjects, text: str) -> Iterator[str]:
    """Ask the beginning of the text for the kinds that the title does not name."""
    named = {subject[-1] for subject in titled}
    return (subject for subject in _subjects(text) if subject[-1] not in named)
