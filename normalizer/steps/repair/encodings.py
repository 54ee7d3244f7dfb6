"""Text that was decoded with the wrong table (乱码): its bytes are all there, and are decoded anew.

ÖÐÎÄ is GBK (or Big5) read as Latin-1 or cp1252, ä¸­æ–‡ is UTF-8 read so, 浣犲ソ is UTF-8 read as GBK. What was read
wrongly twice is turned back twice. Where bytes were lost on the way, what is left is decoded and the gap is shown (�).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from normalizer.steps.repair.characters import HAN, characters
from normalizer.steps.repair.spots import Repaired, Spot

#: How often one text may have been read wrongly.
TIMES = 3
#: Of what is decoded, this much must be Chinese: words of other languages in Latin letters become no Chinese.
CHINESE = 0.6
#: How much better a text must read for each of its characters, as natural logarithm.
GAIN = 1.0
#: At least this share of the characters must be whole where bytes were lost.
WHOLE = 0.8
_LEAST = 2

_CP1252 = {
    bytes((code,)).decode("cp1252"): code for code in range(0x80, 0xA0) if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_HIGH = f"\x80-\xff{''.join(_CP1252)}"
#: A run that Latin letters begin, in which only what Latin-1 and cp1252 have stands.
_LATIN = re.compile("[\x80-\x9f\xa1-\xaf\xb2-\xb6\xb8-\xd6\xd8-\xf6\xf8-\xff]")  # · × ÷ ° are at home in Chinese
_RUN = re.compile(f"[{_HIGH}](?:[{_HIGH}\x20-\x7e]*[{_HIGH}])?[@-~]?")
_LETTERS = re.compile("[\xc0-\xd6\xd8-\xf6\xf8-\xff]|[\xa1-\xff][\xa1-\xff]")
_NO_ASCII = re.compile("[^\x00-\x7f]")
#: The letters of readings.
_SPOKEN = frozenset("àáèéêìíòóùúü")
_BYTES = str.maketrans({character: chr(code) for character, code in _CP1252.items()})
_PUNCTUATION = frozenset("，。！？；：、“”‘’（）《》【】—…·\u3000")


def reencode(text: str) -> Repaired:
    """Decode anew what was decoded with the wrong table; what reads no better so stays."""
    spots: list[Spot] = []
    for _ in range(TIMES):
        made = _from_latin(text) if _LATIN.search(text) is not None else Repaired(text)
        if not made.spots:
            made = _from_gbk(text)
        if not made.spots:
            break
        text = made.text
        spots += made.spots
    return Repaired(text, tuple(spots))


def _from_latin(text: str) -> Repaired:
    """Turn runs of Latin letters back into their bytes and read those."""
    parts: list[str] = []
    spots: list[Spot] = []
    done = 0
    for run in _RUN.finditer(text):
        if _LETTERS.search(run[0]) is None:
            continue
        for end in (run.end(), run.end() - 1):  # a letter behind may be the second byte of a character, or its own
            decoded = _decoded(text[run.start() : end].translate(_BYTES).encode("latin-1", "replace"), run[0])
            if decoded is not None:
                parts += (text[done : run.start()], decoded)
                spots.append(Spot("latin1", run.start(), end))
                done = end
                break
    return Repaired("".join((*parts, text[done:])), tuple(spots)) if spots else Repaired(text)


def _decoded(raw: bytes, run: str) -> str | None:
    """Read bytes as what they are: UTF-8 proves itself, of GBK and Big5 the one that reads better is meant."""
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return decoded if any(not character.isascii() for character in decoded) else None
    if not _may_be_gbk(run):
        return None
    best: tuple[float, str] | None = None
    for table in ("gb18030", "big5hkscs"):
        try:
            decoded = raw.decode(table)
        except UnicodeDecodeError:
            continue
        if _chinese(decoded) >= CHINESE:
            score = _rate(decoded)
            best = (score, decoded) if best is None or score > best[0] else best
    return best[1] if best is not None else None


def _may_be_gbk(run: str) -> bool:
    """Tell GBK and Big5 from readings (mín) and from words of other languages: those are mostly ASCII."""
    high = _NO_ASCII.findall(run)
    letters = sum(one.isalpha() for one in run) - sum(one.isalpha() for one in high)
    return len(_LETTERS.findall(run)) >= _LEAST and len(high) >= letters and not _SPOKEN.issuperset(high)


def _chinese(text: str) -> float:
    """Say which share of what is not ASCII is Chinese that people write."""
    high = [character for character in text if not character.isascii()]
    if not high:
        return 0.0
    used = _used()
    return sum(character in used or character in _PUNCTUATION for character in high) / len(high)


@lru_cache(maxsize=1)
def _used() -> frozenset[str]:
    return frozenset(characters().common())


def _rate(text: str) -> float:
    return characters().score(text) / max(1, len(text))


def _from_gbk(text: str) -> Repaired:
    """Turn a text back into the bytes of GBK and read those as UTF-8: the whole, else line by line."""
    if _LEADS.search(text) is None:
        return Repaired(text)
    whole = _utf8_of(text)
    if whole is not None:
        return Repaired(whole, (Spot("utf8_as_gbk", 0, len(text)),))
    if "\n" not in text:
        return Repaired(text)
    lines: list[str] = []
    spots: list[Spot] = []
    at = 0
    for line in text.split("\n"):
        made = _utf8_of(line)
        if made is not None:
            spots.append(Spot("utf8_as_gbk", at, at + len(line)))
        lines.append(line if made is None else made)
        at += len(line) + 1
    return Repaired("\n".join(lines), tuple(spots)) if spots else Repaired(text)


def _of_leads() -> Iterator[str]:
    """Name what the first two bytes of a Han character or of Chinese punctuation make in GBK."""
    for lead in (0xE3, *range(0xE4, 0xEA), 0xEF):
        for second in range(0x80, 0xC0):
            yield bytes((lead, second)).decode("gb18030", "ignore")


_GAPS = re.compile("[\ufffd?]*\ufffd[\ufffd?]*")
#: Stands for a byte that is gone: no part of UTF-8.
_GONE = b"\xff"


#: The first byte of UTF-8's Han characters, read as GBK with any second one: a third of such a text begins so.
_LEADS = re.compile(f"[{''.join(_of_leads())}]")
_SHARE = 8


def _may_be_utf8(text: str) -> bool:
    """Look whether enough characters are such as a first byte makes: no honest text is full of them."""
    leads = len(_LEADS.findall(text))
    return leads > 0 and _SHARE * leads >= len(text) - len(text.encode("ascii", "ignore"))


def _utf8_of(text: str) -> str | None:
    if text.isascii() or not _may_be_utf8(text):
        return None
    # A byte that had no partner was decoded as � (or ?), and is gone.
    try:
        raw = b"".join(_GONE if one == "\ufffd" else one.encode("gb18030") for one in text)
    except UnicodeEncodeError:
        return None
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        return _with_gaps(raw, text)
    return decoded if _chinese(decoded) >= CHINESE and _rate(decoded) > _rate(text) + GAIN else None


def _with_gaps(raw: bytes, text: str) -> str | None:
    """Read what is left where single bytes were lost; a gap stays a gap."""
    decoded = _GAPS.sub("\ufffd", raw.decode("utf-8", "replace"))
    han = sum(ord(character) in HAN for character in decoded)
    lost = decoded.count("\ufffd")
    if not han or han < WHOLE * (han + lost):
        return None
    left = decoded.replace("\ufffd", "")
    return decoded if _chinese(left) >= CHINESE and _rate(left) > _rate(text) + GAIN else None
