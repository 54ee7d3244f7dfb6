"""The baseline of `records`: the libraries that the normalizer is built of, bare, one after another.

No schema, no mapper, no reasons, no decision: only what the libraries themselves cost on the same texts, with the
thinnest possible code between them. It also does what our chain does not do yet (cut into words, minhash, a trained
classifier), since a normalizer with all its steps is measured against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec
import numpy as np
import opencc
import rensa
import rjieba
from ahocorasick_rs import AhoCorasick, MatchKind
from bson import encode
from numpy.typing import NDArray
from selectolax.lexbor import LexborHTMLParser

KEYWORDS = 3_000
PERMUTATIONS = 64
CLASSES = 7
CELLS = 1 << 17

Chain = Callable[[str], tuple[bytes, bytes]]


class Record(msgspec.Struct):
    """What is known of a text at the end; about as large as an appeal."""

    text: str
    found: list[tuple[str, int, int]]
    place: tuple[str, ...]
    keywords: list[str]
    words: int
    minhash: bytes
    category: int
    confidence: float


def chain(keywords: Sequence[str], places: Mapping[str, tuple[str, ...]], seed: int = 1) -> Chain:
    """Load everything once; the returned function takes one text through all of it."""
    repair, simplify = _mojibake_gate(), _simplifier()
    find_place, find_keywords = _gazetteer(places), _finder(keywords)
    classify = _Classifier(seed)
    to_json = msgspec.json.Encoder().encode

    def run(text: str) -> tuple[bytes, bytes]:
        text = clean(text)
        if repair.search(text) is not None:
            text = repair.sub("", text)
        text = simplify(PINYIN.sub("", text))
        words = rjieba.cut(text)
        category, confidence = classify(text)
        record = Record(
            text=text,
            found=personal_data(text),
            place=find_place(text),
            keywords=find_keywords(text),
            words=len(words),
            minhash=_minhash(words),
            category=category,
            confidence=confidence,
        )
        return to_json(record), encode(msgspec.to_builtins(record))

    return run


# ---------------------------------------------------------------- clean

_MARKUP = re.compile(r"<[a-zA-Z/!]|&[a-zA-Z#]")
_WIDE = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u3000\xa0]")
_BLANKS = re.compile(r"[ \t\r\n]{2,}|[\x00-\x08\x0b\x0c\x0e-\x1f]")
PINYIN = re.compile("[(（](?=[a-z]{0,4}[āáǎàōóǒòēéěèīíǐìūúǔùǖǘǚǜ])[a-zāáǎàōóǒòēéěèīíǐìūúǔùǖǘǚǜü]{1,6}[)）]")


def clean(text: str) -> str:
    """Markup, full-width letters and digits, blanks; each behind a gate, since most texts have none."""
    if _MARKUP.search(text) is not None:
        text = LexborHTMLParser(text).text(separator="\n")
    if _WIDE.search(text) is not None:
        text = _WIDE.sub(_narrow, text)
    return _BLANKS.sub(" ", text).strip()


def _narrow(match: re.Match[str]) -> str:
    character = match.group()
    return " " if character in "\u3000\xa0" else chr(ord(character) - 0xFEE0)


# ---------------------------------------------------------------- repair and simplify


def _mojibake_gate() -> re.Pattern[str]:
    """Private-use characters, replacement marks, and three in a row that GB2312 does not have."""
    rare = _ranges(character for character in map(chr, range(0x4E00, 0x9FA6)) if not _in_gb2312(character))
    return re.compile(f"[\ue000-\uf8ff\ufffd]|[{rare}](?=[{rare}][{rare}][^\u4e00-\u9fff])")


def _simplifier() -> Callable[[str], str]:
    """Convert behind a gate: only characters that it maps and that GB2312 lacks open it."""
    converter = opencc.OpenCC("t2s")
    han = [chr(code) for code in range(0x4E00, 0x9FA6)]
    traditional = [each for each in han if not _in_gb2312(each) and converter.convert(each) != each]
    gate = re.compile(f"[{_ranges(traditional)}]")

    def simplify(text: str) -> str:
        if len(gate.findall(text)) < 2:
            return text
        simplified: str = converter.convert(text)
        return simplified

    return simplify


def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _ranges(characters: Iterable[str]) -> str:
    """Write a class of characters as ranges, so that the compiled class stays small."""
    ranges: list[list[int]] = []
    for code in sorted(map(ord, characters)):
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


# ---------------------------------------------------------------- personal data

_CUE_WORDS = (
    "微信",
    "vx",
    "VX",
    "加v",
    "加V",
    "QQ",
    "qq",
    "扣扣",
    "叫",
    "姓名",
    "联系人",
    "投诉人",
    "反映人",
    "申请人",
    "本人",
)
_CUES = AhoCorasick(_CUE_WORDS)
_ACCOUNTS = frozenset(range(_CUE_WORDS.index("叫")))
_NUMBER = re.compile(r"[0-9][0-9 \-—.()（）]{5,}[0-9]")
_PLATE_HINT = re.compile("[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Za-z]")
_PLATE = re.compile("[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-Z][·. ]?[A-HJ-NP-Z0-9]{5,6}")
_MOBILE = re.compile(r"(?<![0-9])1[3-9][0-9][ \-.]?[0-9]{4}[ \-.]?[0-9]{4}(?![0-9])")
_LANDLINE = re.compile(r"(?<![0-9])0[1-9][0-9]{1,2}[ \-—]?[2-8][0-9]{6,7}(?![0-9])")
_RESIDENT = re.compile(r"(?<![0-9])[1-9][0-9]{16}[0-9Xx](?![0-9])")
_BANK = re.compile(r"(?<![0-9])[3-6](?:[ \-]?[0-9]){14,18}(?![0-9])")
_MAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+\-]{0,63}@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+")
_WECHAT = re.compile(
    r"(?:微信号?|[Vv][Xx]|加[vV])(?:同号)?[\s:：是为]{0,3}([A-Za-z][A-Za-z0-9_\-]{5,19})(?![A-Za-z0-9_])"
)
_QQ = re.compile(r"(?:[Qq]{2}|扣扣)(?:群|号码?)?[\s:：是为]{0,3}([1-9][0-9]{4,10})(?![0-9])")
_NAME = re.compile(
    "(?:我叫|姓名[:：]?|联系人[:：]?|投诉人[:：]?|本人[:：])"
    "([赵钱孙李周吴郑王冯陈张刘杨黄何林郭马高罗][\u4e00-\u9fa5]{1,2})(?=[，,。（( ]|$)"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def personal_data(text: str) -> list[tuple[str, int, int]]:
    """One prefilter, then exact patterns with their checks."""
    found: list[tuple[str, int, int]] = []
    if _NUMBER.search(text) is not None:
        found += [("resident", *match.span()) for match in _RESIDENT.finditer(text) if _is_resident(match.group())]
        found += [("bank", *match.span()) for match in _BANK.finditer(text)]
        for kind, pattern in (("mobile", _MOBILE), ("landline", _LANDLINE)):
            found += [(kind, *match.span()) for match in pattern.finditer(text)]
    if "@" in text:
        found += [("mail", *match.span()) for match in _MAIL.finditer(text)]
    if _PLATE_HINT.search(text) is not None:
        found += [("plate", *match.span()) for match in _PLATE.finditer(text)]
    cues = {index for index, _, _ in _CUES.find_matches_as_indexes(text)}
    if cues & _ACCOUNTS:
        for kind, pattern in (("wechat", _WECHAT), ("qq", _QQ)):
            found += [(kind, *match.span(1)) for match in pattern.finditer(text)]
    if cues - _ACCOUNTS:
        found += [("name", *match.span(1)) for match in _NAME.finditer(text)]
    return found


def _is_resident(number: str) -> bool:
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return "10X98765432"[sum(int(d) * w for d, w in zip(number, _WEIGHTS, strict=False)) % 11] == number[17].upper()


# ---------------------------------------------------------------- words


def _finder(words: Sequence[str]) -> Callable[[str], list[str]]:
    automaton = AhoCorasick(words, matchkind=MatchKind.LeftmostLongest)

    def find(text: str) -> list[str]:
        return [words[index] for index, _, _ in automaton.find_matches_as_indexes(text)]

    return find


def _gazetteer(places: Mapping[str, tuple[str, ...]]) -> Callable[[str], tuple[str, ...]]:
    """One automaton over the names of all levels; a deeper name counts only under the parents that were named."""
    names = list(places)
    automaton = AhoCorasick(names, matchkind=MatchKind.LeftmostLongest)

    def find(text: str) -> tuple[str, ...]:
        best: tuple[str, ...] = ()
        for index, _, _ in automaton.find_matches_as_indexes(text):
            path = places[names[index]]
            if len(path) > len(best) and path[: len(best)] == best:
                best = path
        return best

    return find


def keywords_of(texts: Sequence[str], count: int = KEYWORDS) -> list[str]:
    """Choose words of two to four characters, so many that about 22 stand in a text of 150 characters."""
    seen = {word for text in texts for word in rjieba.cut(text) if 2 <= len(word) <= 4 and not word.isascii()}
    chosen = [word for word in sorted(seen) if hash_of(word) % 11 < 4]
    rare = (f"{first}{second}" for first in "甲乙丙丁戊己庚辛壬癸" for second in map(chr, range(0x4E00, 0x5200)))
    return (chosen + list(rare))[:count]


def hash_of(word: str) -> int:
    """Pick the same words in every run: the language's own hash is salted."""
    return sum(ord(character) * 31**place for place, character in enumerate(word))


def _minhash(words: list[str]) -> bytes:
    sketch = rensa.RMinHash(PERMUTATIONS, 42)
    sketch.update(words)
    return np.asarray(sketch.digest(), dtype=np.uint32).tobytes()


# ---------------------------------------------------------------- a trained classifier


class Hashing(NamedTuple):
    """Constants of a multiplicative hash, as arrays so that numpy does not convert them each time."""

    first: Any = np.uint64(0x9E3779B97F4A7C15)
    second: Any = np.uint64(0xC2B2AE3D27D4EB51)
    mask: Any = np.uint64(CELLS - 1)
    shift: Any = np.uint64(33)


class _Classifier:
    """A linear model on hashed character 1- and 2-grams; its weights are random, only its speed is of interest."""

    def __init__(self, seed: int) -> None:
        chance = np.random.default_rng(seed)
        self._weights: NDArray[np.float32] = chance.standard_normal((CELLS, CLASSES)).astype(np.float32)
        self._hashing = Hashing()

    def __call__(self, text: str) -> tuple[int, float]:
        cells = self._cells(text)
        scores = self._weights.take(cells, 0).sum(0) / np.float32(max(len(cells), 1) ** 0.5)
        best = int(scores.argmax())
        return best, float(scores[best])

    def _cells(self, text: str) -> NDArray[np.int64]:
        first, second, mask, shift = self._hashing
        characters = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
        single = characters * first
        double = (single[:-1] ^ characters[1:]) * second
        cells: NDArray[np.int64] = ((np.concatenate((single, double)) >> shift) & mask).view(np.int64)
        return cells
