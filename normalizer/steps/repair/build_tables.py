"""Make the small tables of the repair anew: `python -m normalizer.steps.repair.build_tables` (needs pypinyin, MIT).

`odd.txt` are the Han characters that nobody writes today, as the inside of a regular expression's class: the gate needs
them at start, and must not load the whole model for it. `readings.txt.gz` has a line a syllable: the syllable without
its tone, and all characters that have it. Nothing of pypinyin is needed at run time.
"""

from __future__ import annotations

import gzip
import unicodedata
from collections import defaultdict
from importlib import import_module

from normalizer.steps.repair.characters import DATA, HAN, characters, ranges

#: Nothing is read aloud that is neither in GBK nor its Traditional form.
_EXTENSION = range(0x3400, 0x4DB6)


def plain(reading: str) -> str:
    """Take the tone from a reading: lǜ is lv."""
    parts = unicodedata.normalize("NFD", reading.replace("ü", "v").replace("ê", "e"))
    folded = "".join(one for one in parts if not unicodedata.combining(one) or one == "\u0308")
    return folded.replace("u\u0308", "v").replace("\u0308", "")


def odd() -> str:
    """Gather what is not in use."""
    used = characters().common()
    return ranges(chr(code) for code in HAN if chr(code) not in used)


def readings() -> str:
    """Gather the characters of every syllable."""
    table: dict[int, str] = import_module("pypinyin.pinyin_dict").pinyin_dict
    by_syllable: dict[str, list[str]] = defaultdict(list)
    for code in sorted(code for code in table if code in HAN or code in _EXTENSION):
        for syllable in sorted({plain(reading) for reading in table[code].split(",")}):
            by_syllable[syllable].append(chr(code))
    return "".join(f"{name} {''.join(some)}\n" for name, some in sorted(by_syllable.items()) if name.isascii())


def main() -> None:
    """Write both."""
    (DATA / "odd.txt").write_text(odd(), encoding="utf-8")
    (DATA / "readings.txt.gz").write_bytes(gzip.compress(readings().encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
