"""Which unit answers, and why (派单决定). Pure: no I/O, no clock, no chance; the same input gives the same decision.

The order is the meaning: what is not ours to dispatch comes first (referrals, praise), then the source's own choice
where it stands, then the rules. Unsure means triage, never a guess (promise 7); nothing goes to the accused
(promise 8).

`routing.confidence` is the confidence that the *unit* is right: the confidences of the categories that lead to it,
added up, at most 1. A source's own choice has 1. Chatter (`quality.is_appeal` false) is not decided at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from normalizer.appeal import Alternative, Appeal, DecidedBy, Evidence, Mode, RequestType, Routing, Versions
from router.dispatch import Context, Decision, Outcome
from router.dispatching.directory import Directory, Unit
from router.dispatching.referral import Informed, informed_because
from router.dispatching.rules import Ruling, Tie
from router.dispatching.tables import Tables

ALTERNATIVES = 3

#: Categories that are about the staff of an office, whichever it is (工作人员作风, 纪检信访类).
_ABOUT_STAFF = frozenset({"1304", "1305"})
_BLAMING = (RequestType.COMPLAIN, RequestType.REPORT)

#: Words that turn the name of an office beside them into the accused.
_CONDUCT = (
    r"不作为|慢作为|乱作为|推诿|扯皮|踢皮球|吃拿卡要|收钱|收黑钱|好处费|受贿|索贿|包庇|保护伞|勾结|渎职|徇私|滥用职权|"
    r"(?:服务|工作)?态度(?:恶劣|很差|极差|太差|差|不好|蛮横|傲慢)|(?:暴力|野蛮|选择性|钓鱼|违规|粗暴)执法|乱罚款|打人|骂人"
)
_MISCONDUCT = re.compile(_CONDUCT)


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that would lead, before it is asked whether it may."""

    unit: Unit
    decided_by: DecidedBy
    rule: str
    confidence: float
    sentence: str
    assist: Sequence[str] = ()  #: roles
    assist_named: bool = False
    evidence: Sequence[Evidence] = ()


class Unsure(msgspec.Struct, frozen=True):
    """Why nobody was chosen."""

    sentence: str
    rule: str | None = None


def decide(appeal: Appeal, context: Context, tables: Tables) -> Decision:
    """Decide on one appeal."""
    scores = _scores(appeal, tables)
    avoid = _accused(appeal, tables.directory)
    found = _choose(appeal, context, tables, scores)
    if isinstance(found, Choice):
        found = _not_the_accused(found, appeal, avoid, tables)
    if isinstance(found, Choice) and found.unit.code in context.returns:
        found = Unsure(f"{found.unit.short}的退单已经成立，请另行确定承办单位", found.rule)
    code, informed = _referral(appeal, found)
    routing, note = _routing(appeal, tables, found, avoid, scores)
    outcome = informed.outcome if informed else Outcome.DISPATCH if routing.lead else Outcome.TRIAGE
    sentence = informed.sentence if informed else f"{found.sentence}{note}"
    if context.mode in (Mode.OBSERVE, Mode.HISTORY):
        outcome = Outcome.OBSERVED
        sentence = f"只比对，不派单：{sentence}"
    return Decision(outcome=outcome, routing=_settled(routing, outcome), code=code, sentence=sentence)


def _referral(appeal: Appeal, found: Choice | Unsure) -> tuple[str | None, Informed | None]:
    code = appeal.signals.referral
    if code is None and appeal.request_type is RequestType.PRAISE:
        code = "praise"
    if code is None and appeal.request_type is RequestType.INVALID:
        code = "N3"
    if code is None and isinstance(found, Choice) and found.unit.kind == "na":
        code = "N1"  # discipline inspection and the courts answer on their own channels
    if code is None:
        return None, None
    informed = informed_because(code)
    return (code, informed) if informed else (None, None)


def _choose(appeal: Appeal, context: Context, tables: Tables, scores: Scores) -> Choice | Unsure:
    if context.mode is Mode.FOLLOW:
        return _follow(appeal, tables.directory)
    ruling = tables.rules.rule_on(appeal)
    if ruling is None:
        return Unsure("分类尚未配置主办单位，请人工研判")
    if isinstance(ruling, Tie):
        return Unsure(f"规则{'、'.join(ruling.rules)}同样适用而主办不同，请人工研判", ruling.rules[0])
    return _apply(ruling, appeal, tables, scores)


def _follow(appeal: Appeal, directory: Directory) -> Choice | Unsure:
    handler = appeal.signals.handler
    if not handler:
        return Unsure("来源没有给出承办单位，请人工研判")
    unit = directory.find(handler, appeal.place)
    if unit is None:
        return Unsure("来源给出的承办单位不在部门目录，请人工研判；可在目录里为单位补上别名")
    return Choice(
        unit=unit,
        decided_by=DecidedBy.SOURCE,
        rule="source",
        confidence=1.0,
        sentence=f"按来源的承办单位派给{unit.short}",
    )


def _apply(ruling: Ruling, appeal: Appeal, tables: Tables, scores: Scores) -> Choice | Unsure:
    directory = tables.directory
    units = directory.resolve(ruling.lead, appeal.place)
    called = directory.called(ruling.lead)
    if not units:
        return Unsure(f"应由{called}办理，但诉求没有写明能够定到单位的地点，请人工研判", ruling.rule)
    if len(units) > 1:
        return Unsure(f"同一地点有{len(units)}个{called}，请人工研判", ruling.rule)
    unit = units[0]
    sure = max(scores.get(unit.code, 0.0), appeal.category.confidence)
    limits = tables.thresholds
    if sure < limits.confidence:
        return Unsure(f"分类把握不足（{sure:.2f}，应不低于{limits.confidence:.2f}），请人工研判", ruling.rule)
    next_best = max((score for code, score in scores.items() if code != unit.code), default=0.0)
    if sure - next_best < limits.margin:
        return Unsure(f"两个单位的把握相近（{sure:.2f}与{next_best:.2f}），请人工研判", ruling.rule)
    why = f"：{ruling.why}" if ruling.why else ""
    return Choice(
        unit=unit,
        decided_by=DecidedBy.RULE,
        rule=ruling.rule,
        confidence=min(1.0, round(sure, 4)),
        sentence=f"按{appeal.category.code}（{appeal.category.name}）派给{unit.short}{why}",
        assist=ruling.assist,
        assist_named=ruling.named,
        evidence=ruling.evidence,
    )


Scores = dict[str, float]


def _scores(appeal: Appeal, tables: Tables) -> Scores:
    """Add up, for each unit, the confidences of the categories that lead to it."""
    category = appeal.category
    scores: Scores = {}
    for code, confidence in (
        (category.code, category.confidence),
        *((other.code, other.confidence) for other in appeal.signals.runners_up if other.code != category.code),
    ):
        role = tables.rules.role(code)
        units = tables.directory.resolve(role, appeal.place) if role else ()
        for unit in units:
            scores[unit.code] = scores.get(unit.code, 0.0) + confidence / len(units)
    return scores


def _accused(appeal: Appeal, directory: Directory) -> frozenset[str]:
    return directory.meant(appeal.signals.accused) if appeal.signals.accused else frozenset()


def _not_the_accused(choice: Choice, appeal: Appeal, avoid: frozenset[str], tables: Tables) -> Choice | Unsure:
    """Keep a complaint away from whom it is about: its superior takes it, or a person decides (promise 8)."""
    unit = choice.unit
    if unit.code not in avoid and not _blamed(unit, appeal, tables.directory):
        return choice
    superior = tables.directory.superior(unit.code, avoid)
    if superior is None or _blamed(superior, appeal, tables.directory):
        return Unsure(f"诉求反映的是{unit.short}或其工作人员，不派给被反映单位，请人工研判", choice.rule)
    return msgspec.structs.replace(
        choice,
        unit=superior,
        assist=(),
        sentence=f"诉求反映的是{unit.short}或其工作人员，改派其上级{superior.short}",
    )


def _blamed(unit: Unit, appeal: Appeal, directory: Directory) -> bool:
    """Say whether the text itself complains about this unit's conduct, whatever the normalizer saw."""
    if appeal.request_type not in _BLAMING and appeal.category.code not in _ABOUT_STAFF:
        return False
    texts = [text for text in (appeal.text, appeal.title) if _MISCONDUCT.search(text)]
    if not texts:
        return False
    pattern = _conduct_of(directory.words_of(unit))
    return any(pattern.search(text) for text in texts)


@lru_cache(maxsize=2048)
def _conduct_of(words: frozenset[str]) -> re.Pattern[str]:
    names = "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
    return re.compile(rf"(?:{names})[^。！？!?，,；;\n]{{0,12}}(?:{_CONDUCT})")


def _routing(
    appeal: Appeal, tables: Tables, found: Choice | Unsure, avoid: frozenset[str], scores: Scores
) -> tuple[Routing, str]:
    versions = tables.versions
    if isinstance(found, Unsure):
        return _triaged(appeal, found, scores, versions), ""
    assist, missing = _assistants(found, appeal, avoid, tables)
    routing = Routing(
        lead=found.unit.code,
        assist=assist,
        district=appeal.place.district,
        decided_by=found.decided_by,
        rule=found.rule,
        confidence=found.confidence,
        evidence=[*appeal.signals.evidence, *found.evidence],
        alternatives=_alternatives(scores, found.unit.code),
        versions=versions,
    )
    return routing, f"；协办的{'、'.join(missing)}因地点不明未派" if missing else ""


def _triaged(appeal: Appeal, unsure: Unsure, scores: Scores, versions: Versions) -> Routing:
    return Routing(
        lead=None,
        assist=[],
        district=appeal.place.district,
        decided_by=DecidedBy.TRIAGE,
        rule=unsure.rule,
        confidence=0.0,
        evidence=list(appeal.signals.evidence),
        alternatives=_alternatives(scores, None),
        versions=versions,
    )


def _assistants(choice: Choice, appeal: Appeal, avoid: frozenset[str], tables: Tables) -> tuple[list[str], list[str]]:
    """Resolve the assisting roles; what cannot be resolved is dropped and named.

    A 举报 is confidential: only assistants that a finer rule names see it, and never a street, a community or a
    utility, who live door to door with the accused.
    """
    confidential = appeal.request_type is RequestType.REPORT or appeal.citizen.confidential
    if confidential and not choice.assist_named:
        return [], []
    found: list[str] = []
    missing: list[str] = []
    for role in choice.assist:
        units = tables.directory.resolve(role, appeal.place)
        if len(units) != 1:
            missing.append(tables.directory.called(role))
            continue
        unit = units[0]
        if unit.code == choice.unit.code or unit.code in found or unit.code in avoid or unit.kind == "na":
            continue
        if confidential and unit.kind in ("terr", "util"):
            continue
        if _blamed(unit, appeal, tables.directory):
            continue
        found.append(unit.code)
    return found, missing


def _alternatives(scores: Scores, lead: str | None) -> list[Alternative]:
    ranked = sorted(((-score, code) for code, score in scores.items() if code != lead and score > 0.0))
    return [
        Alternative(department=code, confidence=min(1.0, round(-score, 4))) for score, code in ranked[:ALTERNATIVES]
    ]


def _settled(routing: Routing, outcome: Outcome) -> Routing:
    """Where nobody had to choose, nobody is waited for: a referral without a unit is no triage."""
    if outcome in (Outcome.INFORMED, Outcome.HANDED_OVER) and routing.decided_by is DecidedBy.TRIAGE:
        return msgspec.structs.replace(routing, decided_by=DecidedBy.RULE)
    return routing
