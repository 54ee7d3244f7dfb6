"""How well the normalizer reads real letters: prints counts and scores only, never a text.

python bench/measure_normalizer.py [--data ../shared/data] [--cases ../shared/domain/data/routing_cases.json]
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from connectors.raw_appeal import RawAppeal, appeal_id
from normalizer.appeal import Appeal
from normalizer.flow import normalize
from normalizer.tables import Tables, load_tables

KEY = b"measure" * 4
NONE = "其他"


def read(tables: Tables, text: str, title: str = "", channel: str = "board") -> Appeal:
    payload = json.dumps({"text": text or title, "title": title}).encode()
    raw = RawAppeal(
        id=appeal_id("measure", "1"), source="measure", kind="line", channel=channel, native_id="1", payload=payload
    )
    return normalize(raw, tables, KEY).appeal


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(10_000_000)
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def label_of(tables: Tables, appeal: Appeal) -> str:
    """The best class that falls into one of the seven."""
    for code in (appeal.category.code, *(other.code for other in appeal.signals.runners_up)):
        label = tables.classes[code].teddy
        if label is not None:
            return label
    return NONE


def f1(pairs: Iterable[tuple[str, str]]) -> tuple[float, float, dict[str, tuple[float, float, int]]]:
    right: Counter[str] = Counter()
    given: Counter[str] = Counter()
    meant: Counter[str] = Counter()
    for truth, found in pairs:
        meant[truth] += 1
        given[found] += 1
        right[truth] += truth == found
    each = {}
    for label, count in meant.items():
        precision = right[label] / given[label] if given[label] else 0.0
        recall = right[label] / count
        each[label] = (precision, recall, count)
    scores = [2 * p * r / (p + r) if p + r else 0.0 for p, r, _ in each.values()]
    return sum(scores) / len(scores), sum(right.values()) / sum(meant.values()), each


def measure_classes(tables: Tables, path: Path, *, detail: bool) -> None:
    codes: Counter[tuple[str, str, str]] = Counter()
    pairs, sure = [], defaultdict(list)
    for row in rows_of(path):
        appeal = read(tables, row.get("留言详情") or row.get("text") or "", row.get("留言主题") or "")
        label = label_of(tables, appeal)
        pairs.append((row["label"], label))
        codes[(row["label"], label, appeal.category.code)] += row["label"] != label
        sure[min(9, int(appeal.category.confidence * 10))].append(row["label"] == label)
    macro, accuracy, each = f1(pairs)
    print(f"{path.name}: {len(pairs)} letters, macro-F1 {macro:.3f}, accuracy {accuracy:.3f}")
    for label, (precision, recall, count) in sorted(each.items()):
        print(f"  {label} P {precision:.2f} R {recall:.2f} ({count})")
    print("  by confidence:", {f"{k / 10:.1f}": (len(v), round(sum(v) / len(v), 2)) for k, v in sorted(sure.items())})
    if detail:
        for (truth, found, code), count in codes.most_common(40):
            print("   ", truth, "->", found, code, tables.classes[code].name, count)


def measure_chatter(tables: Tables, path: Path) -> None:
    kept: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for row in rows_of(path):
        kind = row["kind"]
        seen[kind] += 1
        kept[kind] += read(tables, row["TEXT"], channel="news_comment").quality.is_appeal
    appeals, chatter = (kept[kind] / seen[kind] for kind in ("appeal", "chatter"))
    print(f"{path.name}: appeals kept {appeals:.3f}, chatter let through {chatter:.3f}")


def measure_cases(tables: Tables, path: Path, *, detail: bool) -> None:
    hits = near = total = 0
    for case in json.loads(path.read_text(encoding="utf-8")):
        for example in case["examples"]:
            total += 1
            appeal = read(tables, example["text"], channel="hotline")
            hits += appeal.category.code == example["category"]
            near += example["category"] in (appeal.category.code, *(one.code for one in appeal.signals.runners_up))
            if detail and appeal.category.code != example["category"]:
                print("   ", case["id"], example["category"], "->", appeal.category.code)
    print(f"{path.name}: category right {hits}/{total}, among the candidates {near}/{total}")


def measure_stream(tables: Tables, path: Path) -> None:
    types: Counter[str] = Counter()
    urgency: Counter[str] = Counter()
    referral: Counter[str] = Counter()
    accused = unsure = total = located = 0
    for row in rows_of(path):
        appeal = read(tables, row["留言详情"], row["留言主题"])
        total += 1
        types[appeal.request_type] += 1
        urgency[appeal.deadline_class] += 1
        referral[appeal.signals.referral or "-"] += 1
        accused += bool(appeal.signals.accused)
        unsure += appeal.category.confidence < 0.5
        located += appeal.place.district is not None
    print(f"{path.name}: {total} letters; confidence below 0.5: {unsure / total:.2f}")
    print(f"  accused {accused}, located {located / total:.2f}")
    print("  types", dict(types.most_common()))
    print("  deadlines", dict(urgency.most_common()), "referrals", dict(referral.most_common()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cases", type=Path, default=Path("../shared/domain/data/routing_cases.json"))
    parser.add_argument("--detail", action="store_true")
    options = parser.parse_args()
    tables = load_tables()
    if options.cases.exists():
        measure_cases(tables, options.cases, detail=options.detail)
    if not options.data.is_dir():
        print(f"{options.data} is not here: nothing to measure on")
        return 0
    measure_classes(tables, options.data / "appeals_7class_raw_sample.csv", detail=options.detail)
    measure_chatter(tables, options.data / "appeal_or_chatter.csv")
    measure_stream(tables, options.data / "appeals_stream_4326.csv")
    return 0


if __name__ == "__main__":
    sys.exit(main())
