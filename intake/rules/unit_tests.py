"""Tests beside the rules (规则单元测试): `rules.tests.toml` beside `rules.toml` says who must get which text, and why.

Each is read as the street reads an appeal, then decided. A test of its own `category`, `place` or `type` does not rest
on the words for it. What the packaged rules say in their own examples (`[[rule]] test`) is asked too, as long as the
city has not taken that category or that rule into its own hands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from connectors.raw_appeal import RawAppeal, appeal_id
from intake.tables import BadTableFiles, Tables
from normalizer.appeal import Appeal, Category, Place, RequestType
from normalizer.errors import Unmappable
from normalizer.flow import normalize
from router.dispatch import Context, Decision, Outcome
from router.dispatching.decide import decide
from router.dispatching.directory import area_of
from router.dispatching.rule_sheet import read_rules
from router.dispatching.rule_texts import Example, RuleText, Ruling
from router.dispatching.rules import Rules
from router.dispatching.sheet import Sheet, Written, read_sheet

_REF_KEY = b"tests beside the rules: nothing made with this key is kept"
_SOURCE = "rules.tests"


class UnitTest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[test]]`: a text, and what must come of it. One of `lead`, `triage` and `code` is given."""

    why: str
    text: str
    title: str = ""
    category: str | None = None
    place: str | None = None  #: "望湖区/柳荫街道"; None: what the text says
    type: RequestType | None = None
    lead: str | None = None  #: code of the unit
    assist: list[str] | None = None  #: None: whoever it is
    triage: bool = False  #: 待研判: a person must decide
    code: str | None = None  #: answered at the desk or handed over: N1, 110, praise
    rule: str | None = None  #: the rule that must decide


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A test that does not hold."""

    where: str  #: file and line
    why: str
    expected: str
    came: str
    rule: str | None  #: which rule did it


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """What the tests came to."""

    tests: int
    broken: list[Broken]


def beside(rules: Path | None) -> Path | None:
    """Where the tests of a rules file are; None: it has none."""
    if rules is None:
        return None
    path = rules.with_name(f"{rules.stem}.tests.toml")
    return path if path.is_file() else None


def run_beside(path: Path | None, tables: Tables) -> Tested:
    """Run the tests of this file, and the examples of the rules.

    Raises:
        BadTableFiles: the tests themselves are wrong.
    """
    problems: list[str] = []
    tests = [] if path is None else read_tests(path, tables, problems)
    if problems:
        raise BadTableFiles(problems)
    return run_tests(tests, tables)


def read_tests(where: Path | Written, tables: Tables, problems: list[str]) -> list[tuple[str, UnitTest]]:
    """Read tests with the place where each stands; every problem is added to `problems`."""
    sheet = read_sheet(where, problems)
    if sheet is None:
        return []
    problems.extend(
        sheet.says(sheet.key_line(name), f"{name} is unknown: tests are written as [[test]]")
        for name in sorted(sheet.content.keys() - {"test"})
    )
    found = sheet.entries("test", UnitTest, problems)
    for line, test in found:
        problems.extend(sheet.says(line, f"[[test]]: {what}") for what in _flaws(test, tables))
    return [(_where(sheet, line), test) for line, test in found]


def run_tests(tests: Iterable[tuple[str, UnitTest]], tables: Tables) -> Tested:
    """Ask all tests, and the examples of the rules."""
    asked, broken = 0, []
    for where, test in tests:
        asked += 1
        found = _ask(where, test, tables)
        if found is not None:
            broken.append(found)
    examples = list(_examples(tables.router.rules))
    broken += [found for rule, one in examples if (found := _ask_example(rule, one, tables)) is not None]
    return Tested(tests=asked + len(examples), broken=broken)


def _where(sheet: Sheet, line: int) -> str:
    return f"{sheet.written.name}:{line}"


def _flaws(test: UnitTest, tables: Tables) -> Iterator[str]:
    if not test.why.strip() or not test.text.strip():
        yield "needs a text, and in `why` one sentence on what it is for"
    if (test.lead is not None) + test.triage + (test.code is not None) != 1:
        yield "says not exactly one of lead, triage = true and code"
    if test.lead is None and test.assist is not None:
        yield "names assistants without a lead"
    directory = tables.router.directory
    for unit in (test.lead, *(test.assist or ())):
        if unit is not None and unit not in directory:
            yield f"the directory has no unit {unit}"
    if test.category is not None and test.category not in tables.normalizer.classes:
        yield f"category {test.category} is not in the taxonomy"


# ---------------------------------------------------------------- asking


def _ask(where: str, test: UnitTest, tables: Tables) -> Broken | None:
    expected = _expected(test)
    try:
        item = _appeal(test, tables)
    except Unmappable as error:
        return Broken(where=where, why=test.why, expected=expected, came=f"规整不了：{error}", rule=None)
    if not item.quality.is_appeal:
        return Broken(where=where, why=test.why, expected=expected, came="非诉求", rule=None)
    decision = decide(item, Context(), tables.router)
    if _holds(test, decision):
        return None
    came = f"{_came(decision)}；分类{item.category.code}；{decision.sentence}"
    return Broken(where=where, why=test.why, expected=expected, came=came, rule=decision.routing.rule)


def _appeal(test: UnitTest, tables: Tables) -> Appeal:
    raw = RawAppeal(
        id=appeal_id(_SOURCE, "test"),
        source=_SOURCE,
        kind="line",
        channel="other",
        native_id="test",
        payload=msgspec.json.encode({"title": test.title, "text": test.text}),
        transport="import",
    )
    made = normalize(raw, tables.normalizer, _REF_KEY).appeal
    if test.category is not None:
        known = tables.normalizer.classes[test.category]
        category = Category(code=test.category, name=known.name, path=list(known.path), confidence=1.0)
        made = replace(made, category=category, signals=replace(made.signals, runners_up=[], referral=None))
        made = replace(made, quality=replace(made.quality, is_appeal=True))
    if test.place is not None:
        levels = [*area_of(test.place), None, None, None]
        place = Place(city=made.place.city, district=levels[0], street=levels[1], community=levels[2])
        made = replace(made, place=place)
    return made if test.type is None else replace(made, request_type=test.type)


def _holds(test: UnitTest, decision: Decision) -> bool:
    routing = decision.routing
    if test.rule is not None and routing.rule != test.rule:
        return False
    if test.code is not None:
        return decision.code == test.code
    if test.triage:
        return decision.outcome is Outcome.TRIAGE
    if decision.outcome is not Outcome.DISPATCH or routing.lead != test.lead:
        return False
    return test.assist is None or routing.assist == test.assist


def _expected(test: UnitTest) -> str:
    what = "待研判" if test.triage else f"不派单 {test.code}" if test.code else _units(test.lead, test.assist)
    return f"{what}（规则 {test.rule}）" if test.rule else what


def _came(decision: Decision) -> str:
    if decision.outcome is Outcome.DISPATCH:
        return _units(decision.routing.lead, decision.routing.assist)
    return "待研判" if decision.outcome is Outcome.TRIAGE else f"不派单 {decision.code}"


def _units(lead: str | None, assist: Sequence[str] | None) -> str:
    helped = "" if assist is None else f" 协办 {' '.join(assist) or '无'}"
    return f"主办 {lead}{helped}"


# ---------------------------------------------------------------- the rules' own examples


def _examples(rules: Rules) -> Iterator[tuple[RuleText, Example]]:
    """The examples of every rule; of a packaged one only where the category is still as packaged."""
    packaged = read_rules()
    ours = {rule.id: rule for rule in packaged.texts}
    for rule in rules.texts:
        for example in rule.test:
            code = example.category or (rule.category[0] if rule.category else "")
            if ours.get(rule.id) == rule and rules.categories.get(code) != packaged.categories.get(code):
                continue
            yield rule, example


def _ask_example(rule: RuleText, example: Example, tables: Tables) -> Broken | None:
    """Ask the rules alone, without a place: an example names roles."""
    code = example.category or rule.category[0]
    item = _appeal(UnitTest(why=rule.why, text=example.text, category=code, type=example.type), tables)
    ruling = tables.router.rules.rule_on(item)
    named = example.rule or rule.id
    expected = f"角色 {_units(example.lead, example.assist)}（规则 {named}）"
    if not isinstance(ruling, Ruling):
        came = "没有规则" if ruling is None else f"规则 {' '.join(ruling.rules)} 分不出先后"
        return Broken(where=f"[[rule]] {rule.id}", why=rule.why, expected=expected, came=came, rule=None)
    well = ruling.lead == example.lead and ruling.rule == named
    if well and (example.assist is None or list(ruling.assist) == example.assist):
        return None
    came = f"角色 {_units(ruling.lead, ruling.assist)}"
    return Broken(where=f"[[rule]] {rule.id}", why=rule.why, expected=expected, came=came, rule=ruling.rule)
