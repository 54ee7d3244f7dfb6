"""The texts that are measured: lifelike appeals of about 150 characters, the same for the same seed; or a file's own.

They are made of our own sentences (matters.txt) and the places of the demonstration city, so that every step of the
street has something to find. A share of them is as dirty as real ones: numbers to mask, markup, indents, Traditional
characters. `--data FOLDER` reads public letters instead; they are cut to 150 characters and never kept.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

LENGTH = 150
CITY = Path(__file__).resolve().parent.parent / "demo" / "city"
MATTERS = Path(__file__).with_name("matters.txt")
LETTERS = "appeals_stream_4326.csv"

OPENINGS = (
    "您好，我是{处}的居民。",
    "本人住在{处}，",
    "尊敬的领导：{处}的群众向您反映一件事。",
    "我家住{处}，想反映一个情况。",
    "关于{处}的问题，",
    "{处}业主反映：",
)
MIDDLES = (
    "我们向物业和社区都说过，得到的答复总是正在协调，可是一点变化也没有。",
    "邻居们在群里议论纷纷，大家都盼着早一点解决。",
    "之前打过一次热线，工作人员登记了，后来就没有下文。",
    "家里有老人和上学的孩子，实在受不了了。",
    "这件事拖得越久影响越大，也容易出安全事故。",
    "我拍了照片和视频，需要的话可以提供。",
    "附近几个小区都有同样的情况，不是我们一家的事。",
    "有人说这件事归别的单位管，到底找谁我们也说不清。",
)
CLOSINGS = ("，盼复，谢谢！", "，希望给老百姓一个答复。", "，谢谢领导关心。", "，麻烦尽快处理。", "。")

_HOURS = ("早上六点", "中午", "傍晚", "晚上九点", "晚上十一点", "凌晨两点")
_SURNAMES = "赵钱孙李周吴郑王冯陈"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class Matter(NamedTuple):
    """One reason to write."""

    title: str
    story: str
    wish: str


class Letter(NamedTuple):
    """One appeal as a citizen wrote it."""

    native_id: str
    title: str
    text: str


def native_id(number: int) -> str:
    """Number a letter as its source would."""
    return f"B{number:07d}"


def letters(count: int, seed: int = 12345, data: Path | None = None) -> list[Letter]:
    """Make that many letters, all of them different in their number and most of them in their words."""
    return list(islice(stream(seed, data), count))


def stream(seed: int = 12345, data: Path | None = None) -> Iterator[Letter]:
    """Make letters without end; a file that is read goes round again."""
    source = _made(Random(seed)) if data is None else _round_and_round(data / LETTERS)
    return (Letter(native_id(number), title, text) for number, (title, text) in enumerate(source, 1))


def _made(chance: Random) -> Iterator[tuple[str, str]]:
    paths, matters = [path for path in places().values() if len(path) > 2], _matters()
    while True:
        matter = chance.choice(matters)
        filled = {
            "处": _as_people_say(chance.choice(paths), chance),
            "楼": str(chance.randint(1, 38)),
            "数": str(chance.randint(2, 9)),
            "时": chance.choice(_HOURS),
        }
        end = matter.wish + chance.choice(CLOSINGS) + _contact(chance)
        text = (chance.choice(OPENINGS) + matter.story + "。").format_map(filled)
        for middle in chance.sample(MIDDLES, len(MIDDLES)):
            if len(text) + len(end) > LENGTH - 10:
                break
            text += middle
        yield matter.title, _dirtied(text + end, chance)


def _matters() -> list[Matter]:
    lines = MATTERS.read_text("utf-8").splitlines()
    return [Matter(*line.split(" | ")) for line in lines if not line.startswith("#")]


def _contact(chance: Random) -> str:
    """Every fifth leaves a number, few an identity number or a mail address."""
    kind = chance.random()
    if kind < 0.20:
        return f"联系电话{_mobile(chance)}，{chance.choice(_SURNAMES)}女士。"
    if kind < 0.22:
        return f"身份证号{_resident_id(chance)}。"
    if kind < 0.24:
        return f"邮箱 someone{chance.randint(1, 999)}@example.com。"
    return ""


def _mobile(chance: Random) -> str:
    """Mostly plain, sometimes with blanks or full-width digits; no exchange has the block 0000."""
    digits = f"1{chance.choice('35789')}{chance.randint(0, 9)}0000{chance.randint(0, 9999):04d}"
    style = chance.random()
    if style < 0.1:
        return f"{digits[:3]} {digits[3:7]} {digits[7:]}"
    if style < 0.15:
        return digits.translate({ord("0") + each: ord("０") + each for each in range(10)})
    return digits


def _resident_id(chance: Random) -> str:
    """A number with the right check digit, of nobody (公民身份号码, GB 11643)."""
    born = f"{chance.randint(1950, 2004)}{chance.randint(1, 12):02d}{chance.randint(1, 28):02d}"
    body = f"990101{born}{chance.randint(0, 999):03d}"
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


def _dirtied(text: str, chance: Random) -> str:
    dirt = chance.random()
    if dirt < 0.05:
        return f"<p>&nbsp;&nbsp;{text}</p><br/>"
    if dirt < 0.15:
        return f"\r\n\t\t\u3000\u3000{text}\xa0\r\n\t"
    if dirt < 0.17:
        return _traditional(text)
    return text


def _traditional(text: str) -> str:
    """Enough of it that the gate opens; which characters stand here decides nothing."""
    simplified, traditional = "们这个来说时没对问请处题给区门单样电车长间", "們這個來說時沒對問請處題給區門單樣電車長間"
    return text.translate(str.maketrans(simplified, traditional))


def places() -> dict[str, tuple[str, ...]]:
    """Give the places of the demonstration city: each name with its district, street and itself."""
    with (CITY / "places.toml").open("rb") as file:
        city: dict[str, Any] = tomllib.load(file)
    known: dict[str, tuple[str, ...]] = {}
    for district in city["district"]:
        known[district["name"]] = (district["name"],)
        for street in district["street"]:
            known[street["name"]] = (district["name"], street["name"])
            known |= {name: (district["name"], street["name"], name) for name in street["communities"]}
    for place in city["poi"]:
        path = (*place["area"].split("/"), place["name"])
        known |= dict.fromkeys((place["name"], *place["aliases"]), path)
    return known


def _as_people_say(path: tuple[str, ...], chance: Random) -> str:
    """With district and street, with the district, or by the name of the estate alone."""
    return "".join(chance.choice((path, (path[0], path[-1]), path[-1:])))


def _round_and_round(file: Path) -> Iterator[tuple[str, str]]:
    while True:
        found = False
        for row in _read(file):
            found = True
            yield row
        if not found:
            raise ValueError(f"{file}: holds no letters")


def _read(file: Path) -> Iterator[tuple[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            text = row["留言详情"].strip()
            if text:
                yield row["留言主题"].strip(), text[:LENGTH]
