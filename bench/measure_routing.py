"""How well appeals find their department: prints counts and scores only, never a text.

    python -m bench.measure_routing [--data ../shared/data] [--cases ../shared/domain/data/routing_cases.json]

Three measures, on the packaged tables (city-wide units only, no places):
  stream   of real letters: how many are routed, in triage, informed or handed over
  replies  letters whose answering department a signature or lead-in names: how often what was routed went there
  cases    the ambiguous cases of the domain notes: how often the lead is the expected one
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from connectors.raw_appeal import RawAppeal, appeal_id
from normalizer.flow import normalize
from normalizer.tables import Tables as NormalizerTables
from normalizer.tables import load_tables as load_normalizer_tables
from router.dispatch import Context, Decision, Outcome
from router.dispatching.decide import decide
from router.dispatching.tables import Tables, load_tables

KEY = b"measure" * 4

#: Whose signature means which units of the packaged directory. Where a city has one bureau for two of our kinds, and
#: for a utility that it supervises, the bureau signs; the notes of the domain (departments.json, 各地差异) say which.
DEPARTMENTS: dict[str, frozenset[str]] = {
    "教育局": frozenset({"JYJ"}),
    "住房和城乡建设局": frozenset({"ZJJ", "FGJ", "RQGS"}),
    "城市管理局": frozenset({"CGJ", "YLJ", "RLGS"}),
    "交通运输局": frozenset({"JTJ", "GJGS"}),
    "人力资源和社会保障局": frozenset({"RSJ"}),
    "公安局": frozenset({"GAJ", "JJZD"}),
    "自然资源和规划局": frozenset({"ZRZY"}),
    "生态环境局": frozenset({"HJJ"}),
    "卫生健康委": frozenset({"WJW"}),
    "水利局": frozenset({"SWJ", "GSGS"}),
    "医疗保障局": frozenset({"YBJ"}),
    "民政局": frozenset({"MZJ"}),
    "电力公司": frozenset({"GDGS"}),
    "商务局": frozenset({"SWUJ"}),
    "文旅广体局": frozenset({"WLJ", "TYJ"}),
    "农业农村局": frozenset({"NYJ"}),
    "市场监督管理局": frozenset({"SCJ"}),
    "应急管理局": frozenset({"YJJ"}),
    "林业局": frozenset({"LYJ", "YLJ"}),
    "司法局": frozenset({"SFJ"}),
    "财政局": frozenset({"CZJ"}),
    "发展和改革局": frozenset({"FGW"}),
    "税务局": frozenset({"SWJU"}),
    "消防": frozenset({"XFZD"}),
    "住房公积金": frozenset({"GJJ"}),
    "退役军人事务局": frozenset({"TYJR"}),
}
TERRITORIAL = frozenset({"乡镇政府", "街道办事处", "县区政府/党委", "开发区管委会"})
FIRM = frozenset({"signature", "lead-in"})


class Desk(msgspec.Struct, frozen=True):
    """Both rooms' tables."""

    normalizer: NormalizerTables
    router: Tables

    def decide(self, text: str, title: str = "") -> Decision:
        """Take one letter all the way."""
        payload = json.dumps({"text": text or title, "title": title}).encode()
        raw = RawAppeal(
            id=appeal_id("measure", "1"), source="measure", kind="line", channel="board", native_id="1", payload=payload
        )
        return decide(normalize(raw, self.normalizer, KEY).appeal, Context(), self.router)


def desk() -> Desk:
    normalizer = load_normalizer_tables()
    router = load_tables(taxonomy_version=normalizer.versions["taxonomy"], categories=normalizer.classes)
    return Desk(normalizer, router)


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(10_000_000)
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def measure_stream(at: Desk, path: Path, *, details: bool) -> None:
    begun = time.perf_counter()
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for row in rows_of(path):
        decision = at.decide(row["留言详情"], row["留言主题"])
        outcomes[decision.outcome.value] += 1
        if decision.outcome is Outcome.TRIAGE:
            reasons[f"{decision.sentence.split('（')[0]} {decision.routing.rule}"] += 1
        elif decision.code:
            reasons[f"code {decision.code}"] += 1
    total = sum(outcomes.values())
    shares = "  ".join(f"{name} {count} ({count / total:.1%})" for name, count in outcomes.most_common())
    print(f"stream   {total} letters in {time.perf_counter() - begun:.1f} s: {shares}")
    if details:
        for reason, count in reasons.most_common(40):
            print(f"         {count:5} {reason}")


def measure_replies(at: Desk, path: Path, *, details: bool) -> None:
    routed = right = total = 0
    unknown: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    open_: Counter[str] = Counter()
    for row in rows_of(path):
        name = row["dept_norm"]
        if row["dept_weak_src"] not in FIRM or name in TERRITORIAL:
            continue
        if name not in DEPARTMENTS:
            unknown[name] += 1
            continue
        total += 1
        decision = at.decide(row["留言详情"], row["留言主题"])
        lead = decision.routing.lead
        if decision.outcome is not Outcome.DISPATCH or lead is None:
            open_[f"{name} {decision.outcome.value} {decision.routing.rule}"] += 1
            continue
        routed += 1
        right += lead in DEPARTMENTS[name]
        if lead not in DEPARTMENTS[name]:
            wrong[f"{name} -> {lead} by {decision.routing.rule}"] += 1
    share = right / routed if routed else 0.0
    print(
        f"replies  {total} letters, {routed} routed ({routed / max(total, 1):.1%}), right {right}: accuracy {share:.3f}"
    )
    if unknown:
        print(f"         names without a code, left out: {sum(unknown.values())}")
    if details:
        for what, count in (*wrong.most_common(40), ("--", 0), *open_.most_common(40)):
            print(f"         {count:5} {what}")


def measure_cases(at: Desk, path: Path, *, details: bool) -> None:
    hits = total = triage = 0
    missed: Counter[str] = Counter()
    for case in json.loads(path.read_text("utf-8")):
        for example in case["examples"]:
            decision = at.decide(example["text"])
            total += 1
            hits += decision.routing.lead == example["lead"]
            triage += decision.routing.lead is None
            if decision.routing.lead != example["lead"]:
                missed[
                    f"{case['id']} {example['category']} {example['lead']} got {decision.routing.lead} "
                    f"{decision.routing.rule} {decision.sentence[:40]}"
                ] += 1
    print(f"cases    {total} sentences: lead right {hits}, in triage {triage} (territorial ones cannot be resolved)")
    if details:
        for what in missed:
            print(f"         {what}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cases", type=Path, default=Path("../shared/domain/data/routing_cases.json"))
    parser.add_argument("--details", action="store_true", help="also counts by reason and by rule")
    chosen = parser.parse_args()
    at = desk()
    for path, measure in (
        (chosen.data / "appeals_stream_4326.csv", measure_stream),
        (chosen.data / "appeals_with_replies.csv", measure_replies),
        (chosen.cases, measure_cases),
    ):
        if path.is_file():
            measure(at, path, details=chosen.details)
        else:
            print(f"{path.name} is not here: skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
