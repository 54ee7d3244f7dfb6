"""What the people of the simulated city write: parts of the demonstration's texts, in ever other combinations."""

from __future__ import annotations

import re
from random import Random

import msgspec

from demo.library import Text
from tests.simulated_city.duties import DETAILS

_SENTENCE = re.compile(r"[^。！？!?\n]+[。！？!?]*")
_WHERE = ("{}这边，", "我住{}，", "地点在{}。", "反映{}的一个问题：", "{}有件事要说，")
_MENTION = ("就在{}。", "具体是{}那一片。", "位置靠近{}。", "说的是{}这里。", "{}这一块一直没人管。")
_ELSE = (
    "请尽快处理。",
    "打过好几次电话了。",
    "邻居们意见都很大。",
    "希望给个说法，谢谢。",
    "已经半个多月了。",
    "麻烦派人来看看。",
    "老人小孩进出都不方便。",
    "到底归哪里管也没人讲得清。",
    "之前答应解决，现在又没有下文。",
    "",
    "",
    "",
)


class Letter(msgspec.Struct, frozen=True):
    """One appeal as it is written, and what it is about."""

    id: str
    category: str
    type: str
    district: str
    detail: str | None
    title: str
    text: str


def write(name: str, base: Text, place: tuple[str, str], chance: Random) -> Letter:
    """Write one: some of the sentences of a text, a place, perhaps something that it mentions."""
    sentences = _SENTENCE.findall(base.body)
    kept = [each for each in sentences if chance.random() < 0.75] or sentences[:1]
    detail = chance.choice(sorted(DETAILS)) if chance.random() < 0.6 else None
    if detail is not None:
        kept.insert(chance.randrange(len(kept) + 1), chance.choice(_MENTION).format(chance.choice(DETAILS[detail])))
    kept.append(chance.choice(_ELSE))
    where = chance.choice(_WHERE).format("".join(place))
    return Letter(name, base.category, base.type, place[0], detail, base.title, where + "".join(kept))
