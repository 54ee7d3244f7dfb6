"""Traditional to Simplified (繁转简), behind a gate: only texts that are Traditional are touched.

Ungated conversion harms Simplified texts (乾县 becomes 干县). Two characters that only Traditional has, and two in a
hundred, are asked for; the characters come from opencc itself at start.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Protocol, cast

import msgspec
from opencc import OpenCC

from normalizer.draft import Draft
from normalizer.tables import Tables

LEAST, SHARE = 2, 0.02
#: opencc leaves 著 alone; it is 着 unless it belongs to writing or fame.
_ZHE = re.compile(r"(?<![显卓昭原名论译编专遗合土巨拙所著])著(?![名作述称录者书])")


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


@lru_cache(maxsize=1)
def _converter() -> tuple[_Converter, re.Pattern[str]]:
    """Build the converter and the class of characters that only Traditional has."""
    converter = cast("_Converter", OpenCC("t2s"))
    han = [chr(code) for code in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))]
    simple = converter.convert("\n".join(han)).split("\n")
    only = "".join(one for one, other in zip(han, simple, strict=True) if one != other and not _in_gb2312(one))
    return converter, re.compile(f"[{only}]")


def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def is_traditional(text: str) -> bool:
    """Say whether a text is written in Traditional characters."""
    gate = _converter()[1]
    if gate.search(text) is None:
        return False
    count = len(gate.findall(text))
    return count >= LEAST and count >= SHARE * len(text)


def simplify_text(text: str) -> str:
    """Convert a text that is known to be Traditional."""
    return _ZHE.sub("着", _converter()[0].convert(text))


def simplify(draft: Draft, _tables: Tables) -> None:
    """Convert what is Traditional; title, text and place stand or fall together."""
    if not draft.everyday and is_traditional(f"{draft.title}\n{draft.text}\n{draft.address or ''}"):
        draft.title = simplify_text(draft.title)
        draft.text = simplify_text(draft.text)
        if draft.address is not None:
            draft.address = simplify_text(draft.address)
        draft.note("traditional")
    if draft.reply_text is not None and is_traditional(draft.reply_text):
        draft.reply_text = simplify_text(draft.reply_text)
        draft.note("traditional")
    about = draft.thread.about
    if about is not None and is_traditional(about):
        draft.thread = msgspec.structs.replace(draft.thread, about=simplify_text(about))
