"""Which unit answers, and why (派单决定). Pure: no I/O, no clock, no chance; the same input gives the same decision.

The order is the meaning: what is not ours to dispatch comes first (referrals, praise), then the source's own choice
where it stands, then the rules, then what upheld returns have taught of them. Unsure means triage, never a guess
(promise 7); nothing goes to the accused (promise 8).

`routing.confidence` is the confidence that the *unit* is right: the confidences of the categories that lead to it,
added up, at most 1. A source's own choice has 1. Chatter (`quality.is_appeal` false) is not decided at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from normalizer.appeal import Alternative, Appeal, DecidedBy, Mode, RequestType, Routing
from router.dispatch import Context, Decision, Outcome
from router.dispatching.accused import Accused, accused_by
from router.dispatching.choice import Choice, Unsure
from router.dispatching.directory import Area, Unit, area_of_place
from router.dispatching.lessons import PREFIX, Said, evidence_of
from router.dispatching.precedents import called
from router.dispatching.referral import Informed, informed_because
from router.dispatching.rule_texts import Ruling, Thresholds, Tie
from router.dispatching.rules import said_in
from router.dispatching.tables import Tables

ALTERNATIVES = 3
CONSULTATION = 2  #: so many upheld returns, and people settle it together (会商)

Scores = dict[str, float]

# Every decision asks for all of these, and a member of an enum is dear to look up.
_FOLLOW, _OBSERVE, _HISTORY = Mode.FOLLOW, Mode.OBSERVE, Mode.HISTORY
_REPORT, _PRAISE, _INVALID = RequestType.REPORT, RequestType.PRAISE, RequestType.INVALID
_DISPATCH, _TRIAGE, _OBSERVED = Outcome.DISPATCH, Outcome.TRIAGE, Outcome.OBSERVED
_BY_RULE, _BY_TRIAGE = DecidedBy.RULE, DecidedBy.TRIAGE


def decide(appeal: Appeal, context: Context, tables: Tables) -> Decision:
    """Decide on one appeal."""
    area, mode = area_of_place(appeal.place), context.mode
    said = said_in(appeal)
    accused = accused_by(appeal, said, tables.directory)
    placed = _placed(appeal, area, tables)
    ruling = tables.rules.rule_on(appeal, placed, said)
    scores = _scores(appeal, ruling, area, placed, tables)
    if mode is _FOLLOW:
        found = _follow(appeal, tables)
    else:
        found = _apply(ruling, appeal, area, tables, scores)
        if isinstance(found, Choice) and tables.lessons.knows_rule(found.rule):
            found = _taught(found, appeal, area, context, tables, accused=accused)
    if isinstance(found, Choice) and (accused is not None or context.returns):
        found = _allowed(found, accused, context)
    code, informed = _referral(appeal, found)
    routing, note = _routing(appeal, found, area, scores, tables, accused=accused)
    if informed is None:
        outcome, sentence = _DISPATCH if routing.lead else _TRIAGE, found.sentence + note
    else:
        outcome, sentence = informed.outcome, informed.sentence
    if mode is _OBSERVE or mode is _HISTORY:
        outcome, sentence = _OBSERVED, f"只比对，不派单：{sentence}"
    elif informed is not None:
        routing = _settled(routing)
    return Decision(outcome=outcome, routing=routing, code=code, sentence=sentence)


def _placed(appeal: Appeal, area: Area, tables: Tables) -> Area:
    """Say for which place the matrix is asked. Not for a 举报: a street lives door to door with the accused."""
    return area if tables.rules.placed and not _confidential(appeal) else ()


def _confidential(appeal: Appeal) -> bool:
    """Say whether few may see it."""
    return appeal.request_type is _REPORT or appeal.citizen.confidential


def ruled(appeal: Appeal, tables: Tables) -> tuple[str, Unit] | None:
    """Say which rule sends an appeal to which unit, whatever was learned since; None: the rules are not sure."""
    area = area_of_place(appeal.place)
    placed = _placed(appeal, area, tables)
    ruling = tables.rules.rule_on(appeal, placed)
    found = _apply(ruling, appeal, area, tables, _scores(appeal, ruling, area, placed, tables))
    return (found.rule, found.unit) if isinstance(found, Choice) else None


def _referral(appeal: Appeal, found: Choice | Unsure) -> tuple[str | None, Informed | None]:
    code = appeal.signals.referral
    if code is None:
        if appeal.request_type is _PRAISE:
            code = "praise"
        elif appeal.request_type is _INVALID:
            code = "N3"
        elif isinstance(found, Choice) and found.unit.kind == "na":
            code = "N1"  # discipline inspection and the courts answer on their own channels
        else:
            return None, None
    informed = informed_because(code)
    return (code, informed) if informed else (None, None)


def _follow(appeal: Appeal, tables: Tables) -> Choice | Unsure:
    handler = appeal.signals.handler
    if not handler:
        return Unsure("来源没有给出承办单位，请人工研判")
    unit = tables.directory.find(handler, appeal.place)
    if unit is None:
        return Unsure("来源给出的承办单位不在部门目录，请人工研判；可在目录里为单位补上别名")
    return Choice(
        unit=unit,
        decided_by=DecidedBy.SOURCE,
        rule="source",
        confidence=1.0,
        sentence=f"按来源的承办单位派给{unit.short}",
    )


def _apply(ruling: Ruling | Tie | None, appeal: Appeal, area: Area, tables: Tables, scores: Scores) -> Choice | Unsure:
    if ruling is None:
        return Unsure("分类尚未配置主办单位，请人工研判")
    if isinstance(ruling, Tie):
        return Unsure(f"规则{'、'.join(ruling.rules)}同样适用而主办不同，请人工研判", ruling.rules[0])
    units = tables.leading[area][ruling.lead]
    if len(units) != 1:
        called = tables.directory.called(ruling.lead)
        if units:
            return Unsure(f"同一地点有{len(units)}个{called}，请人工研判", ruling.rule)
        return Unsure(f"应由{called}办理，但诉求没有写明能够定到单位的地点，请人工研判", ruling.rule)
    unit = units[0]
    doubt = _doubt(unit, scores, tables.thresholds)
    if doubt:
        return Unsure(doubt, ruling.rule)
    why = f"：{ruling.why}" if ruling.why else ""
    return Choice(
        unit=unit,
        decided_by=_BY_RULE,
        rule=ruling.rule,
        confidence=_share(scores[unit.code]),
        sentence=f"按{appeal.category.code}（{appeal.category.name}）派给{unit.short}{why}",
        assist=ruling.assist,
        assist_named=ruling.named,
        evidence=ruling.evidence,
    )


def _doubt(unit: Unit, scores: Scores, limits: Thresholds) -> str | None:
    sure = scores[unit.code]
    if sure < limits.confidence:
        return f"分类把握不足（{sure:.2f}，应不低于{limits.confidence:.2f}），请人工研判"
    next_best = 0.0
    for code, score in scores.items():
        if score > next_best and code != unit.code:
            next_best = score
    if sure - next_best < limits.margin:
        return f"两个单位的把握相近（{sure:.2f}与{next_best:.2f}），请人工研判"
    return None


def _scores(appeal: Appeal, ruling: Ruling | Tie | None, area: Area, placed: Area, tables: Tables) -> Scores:
    """Add up, for each unit, the confidences of the categories that lead to it; the rule speaks for the first one."""
    first, leading = appeal.category, tables.leading[area]
    scores: Scores = {}
    if isinstance(ruling, Ruling):
        _add(scores, leading[ruling.lead], first.confidence)
    others = appeal.signals.runners_up
    if others:
        roles = tables.rules.leads[placed]
        for other in others:
            role = roles[other.code]
            if role is not None and other.code != first.code:
                _add(scores, leading[role], other.confidence)
    return scores


def _add(scores: Scores, units: Sequence[Unit], confidence: float) -> None:
    share = confidence / len(units) if units else 0.0
    for unit in units:
        code = unit.code
        scores[code] = scores[code] + share if code in scores else share


@lru_cache(maxsize=4096)  # rounding costs what four look-ups do, and most scores have few digits
def _share(score: float) -> float:
    return min(1.0, round(score, 4))


def _taught(
    choice: Choice, appeal: Appeal, area: Area, context: Context, tables: Tables, *, accused: Accused | None
) -> Choice:
    """Follow what upheld returns have taught, where the unit that it names may have this case (退单定责).

    A complaint about the rule's unit goes to its superior, lesson or not; a 举报 goes to nobody who lives door to door.
    """
    said = tables.lessons.says((choice.rule, called(choice.unit, area)), appeal)
    if said is None or (accused and choice.unit in accused):
        return choice
    unit = tables.meant(said.owner, area)
    if unit is None or unit.kind == "na" or (accused and unit in accused) or unit.code in context.returns:
        return choice
    if _confidential(appeal) and unit.kind in {"terr", "util"}:
        return choice
    return _learned(choice, unit, said, appeal)


def _learned(choice: Choice, unit: Unit, said: Said, appeal: Appeal) -> Choice:
    evidence = evidence_of(said, appeal, unit.short)
    return msgspec.structs.replace(
        choice,
        unit=unit,
        decided_by=DecidedBy.MODEL,
        rule=f"{PREFIX}{said.lesson}",
        confidence=said.confidence,
        sentence=f"按规则{choice.rule}应派{choice.unit.short}，{evidence[0].why}，改派{unit.short}",
        evidence=[*choice.evidence, *evidence],
    )


def _allowed(choice: Choice, accused: Accused | None, context: Context) -> Choice | Unsure:
    """Keep a complaint away from whom it is about (promise 8), and a case from whom it was rightly returned by."""
    unit = choice.unit
    if accused and unit in accused:
        superior = accused.superior_of(unit)
        if superior is None:
            return Unsure(f"诉求反映的是{unit.short}或其工作人员，不派给被反映单位，请人工研判", choice.rule)
        because = f"诉求反映的是{unit.short}或其工作人员，改派其上级{superior.short}"
        choice = msgspec.structs.replace(choice, unit=superior, assist=(), sentence=because)
    if choice.unit.code in context.returns:
        return Unsure(f"{choice.unit.short}的退单已经成立，请另行确定承办单位", choice.rule)
    if len(context.returns) >= CONSULTATION:
        return Unsure("已有两次退单成立，请会商确定承办单位", choice.rule)
    return choice


def _routing(
    appeal: Appeal, found: Choice | Unsure, area: Area, scores: Scores, tables: Tables, *, accused: Accused | None
) -> tuple[Routing, str]:
    if isinstance(found, Unsure):
        return _triaged(appeal, found, tables, accused, scores), ""
    assist, missing = _assistants(found, appeal, area, accused, tables)
    evidence = appeal.signals.evidence
    routing = Routing(
        lead=found.unit.code,
        assist=assist,
        district=appeal.place.district,
        decided_by=found.decided_by,
        rule=found.rule,
        confidence=found.confidence,
        evidence=[*evidence, *found.evidence] if found.evidence else evidence,
        alternatives=_alternatives(scores, found.unit.code, accused, tables),
        versions=tables.versions,
    )
    return routing, f"；协办的{'、'.join(missing)}因地点不明未派" if missing else ""


def _triaged(appeal: Appeal, unsure: Unsure, tables: Tables, accused: Accused | None, scores: Scores) -> Routing:
    return Routing(
        lead=None,
        assist=[],
        district=appeal.place.district,
        decided_by=_BY_TRIAGE,
        rule=unsure.rule,
        confidence=0.0,
        evidence=list(appeal.signals.evidence),
        alternatives=_alternatives(scores, None, accused, tables),
        versions=tables.versions,
    )


def _assistants(
    choice: Choice, appeal: Appeal, area: Area, accused: Accused | None, tables: Tables
) -> tuple[list[str], list[str]]:
    """Resolve the assisting roles; what cannot be resolved is dropped and named.

    A 举报 is confidential: only assistants that a finer rule names see it, and never a street, a community or a
    utility, who live door to door with the accused.
    """
    confidential = _confidential(appeal)
    if confidential and not choice.assist_named:
        return [], []
    found: list[str] = []
    missing: list[str] = []
    if not choice.assist:
        return found, missing
    responsible = tables.directory.at[area]
    for role in choice.assist:
        units = responsible[role]
        if len(units) != 1:
            missing.append(tables.directory.called(role))
            continue
        unit = units[0]
        if unit.code == choice.unit.code or unit.code in found or unit.kind == "na" or (accused and unit in accused):
            continue
        if confidential and unit.kind in ("terr", "util"):
            continue
        found.append(unit.code)
    return found, missing


def _alternatives(scores: Scores, lead: str | None, accused: Accused | None, tables: Tables) -> list[Alternative]:
    ranked = [(-score, code) for code, score in scores.items() if code != lead and score > 0.0]
    if accused:
        units = tables.directory.units
        ranked = [one for one in ranked if units[one[1]] not in accused]
    if not ranked:
        return []
    ranked.sort()
    return [Alternative(department=code, confidence=_share(-score)) for score, code in ranked[:ALTERNATIVES]]


def _settled(routing: Routing) -> Routing:
    """Where nobody had to choose, nobody is waited for: a referral without a unit is no triage."""
    if routing.decided_by is _BY_TRIAGE:
        return msgspec.structs.replace(routing, decided_by=_BY_RULE)
    return routing
