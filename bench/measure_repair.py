"""How much of damaged real text comes back: prints counts only, never a text.

python bench/measure_repair.py [--data ../shared/data] [--count 2000] [--slips 2000] [--clean 20000]
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from time import process_time

from normalizer.steps.repair.apply import may_be_broken, repair_text
from normalizer.steps.repair.ruby import is_reading

SEED = 20261122
NEAR = 2
FILES = ("appeals_stream_4326.csv", "appeals_7class_raw_sample.csv")
READINGS = ("wǎng", "de", "shì", "fù", "lù", "jiē", "zhèn", "qū", "bù", "yǒu", "mín", "gōng", "xiǎo", "shi", "gong")


def sentences(data: Path) -> list[str]:
    csv.field_size_limit(10_000_000)
    found: set[str] = set()
    for name in FILES:
        with (data / name).open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                parts = re.split(r"(?<=[。！？])|\s*\n\s*", row["留言详情"])
                found.update(part.strip() for part in parts if 15 <= len(part.strip()) <= 120)
    made = sorted(found)
    Random(SEED).shuffle(made)
    return made


def distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for at, left in enumerate(one, 1):
        above, row = row, [at]
        for to, right in enumerate(other, 1):
            row.append(min(above[to] + 1, row[-1] + 1, above[to - 1] + (left != right)))
    return row[-1]


def sloppy(raw: bytes) -> str:
    return "".join(chr(one) if one in (129, 141, 143, 144, 157) else bytes((one,)).decode("cp1252") for one in raw)


WRONG: dict[str, Callable[[str], str]] = {
    "GBK as Latin-1": lambda text: text.encode("gbk").decode("latin-1"),
    "GBK as cp1252": lambda text: sloppy(text.encode("gbk")),
    "UTF-8 as Latin-1": lambda text: text.encode().decode("latin-1"),
    "UTF-8 as cp1252": lambda text: sloppy(text.encode()),
    "UTF-8 as Latin-1, twice": lambda text: text.encode().decode("latin-1").encode().decode("latin-1"),
    "UTF-8 as GBK": lambda text: text.encode().decode("gb18030"),
}


def damaged(texts: list[str], damage: Callable[[str], str], count: int) -> Iterator[tuple[str, str]]:
    """Damage as many as can be damaged without loss."""
    done = 0
    for text in texts:
        if done == count:
            return
        try:
            broken = damage(text)
        except (UnicodeError, IndexError):  # cannot be damaged so
            continue
        done += 1
        yield text, broken


def with_readings(text: str, chance: Random, table: dict[str, list[str]]) -> str:
    """Put readings behind characters as converters do: some toned, some toneless, some twice."""
    parts = []
    for character in text:
        known = table.get(character)
        parts.append(character)
        if known and chance.random() < 0.4:
            parts.append(f"({chance.choice(known)})" * chance.choice((1, 1, 1, 2)))
    return "".join(parts)


def readings_of(texts: list[str]) -> dict[str, list[str]]:
    seen = {character for text in texts for character in text if "\u4e00" <= character <= "\u9fff"}
    return {one: known for one in seen if (known := [reading for reading in READINGS if is_reading(one, reading)])}


def slipped(text: str, chance: Random, mark: bytes) -> str:
    """Lose the first byte of a character, leaving a mark or none."""
    raw = text.encode("gbk")
    leads, at = [], 0
    while at < len(raw):
        if raw[at] > 0x80:
            leads.append(at)
        at += 1 + (raw[at] > 0x80)
    lost = chance.choice(leads[1:])
    return (raw[:lost] + mark + raw[lost + 1 :]).decode("gb18030", "replace")


def measure_slips(name: str, texts: list[str], mark: bytes, count: int) -> None:
    chance = Random(SEED)
    pairs = list(damaged(texts, lambda text: slipped(text, chance, mark), count))
    begin = process_time()
    left = [distance(repair_text(broken).text, text) for text, broken in pairs]
    spent = (process_time() - begin) / max(1, len(pairs)) * 1e3
    near = sum(one <= NEAR for one in left) / len(left)
    exact = sum(one == 0 for one in left) / len(left)
    print(
        f"slipped, {name}: {len(left)} sentences, within two characters {near:.3f}, exact {exact:.3f}, {spent:.0f} ms"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--slips", type=int, default=2000)
    parser.add_argument("--clean", type=int, default=20_000)
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"{options.data} is not here: nothing to measure on")
        return 0
    texts = sentences(options.data)
    clean = texts[: options.clean]
    changed = [text for text in clean if repair_text(text).text != text]
    print(f"clean: {len(clean)} sentences, changed {len(changed)} (of these damaged before: look at them by hand)")
    begin = process_time()
    for text in clean:
        may_be_broken(text)
    print(f"the gate: {len(clean) / (process_time() - begin) / 1e6:.2f} million a second")
    sound = [text for text in texts if not may_be_broken(text)]
    for name, damage in WRONG.items():
        pairs = list(damaged(sound, damage, options.count))
        right = sum(repair_text(broken).text == text for text, broken in pairs)
        print(f"{name}: {len(pairs)} sentences, restored {right / len(pairs):.4f}")
    chance, table = Random(SEED), readings_of(sound[: options.count])
    pairs = [(text, with_readings(text, chance, table)) for text in sound[: options.count]]
    pairs = [(text, broken) for text, broken in pairs if text != broken]
    right = sum(repair_text(broken).text == text for text, broken in pairs)
    print(f"readings: {len(pairs)} sentences, restored {right / len(pairs):.4f}")
    if options.slips:
        measure_slips("marked", sound, b"?", options.slips)
        measure_slips("unmarked", sound, b"", options.slips)
    return 0


if __name__ == "__main__":
    sys.exit(main())
