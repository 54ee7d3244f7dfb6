"""The rules (派单目录): which role leads on a category, and the finer rules for where the category alone misleads.

A rule reads the appeal only and names roles, never units. Of the rules that hold, the one with the most conditions
wins, in whatever order they are written. Two that nothing tells apart and that name different leads are an error: at
load where their conditions are alike (router/dispatching/rule_sheet.py), and triage where an appeal meets both. A place
may have its own line for a category (router/dispatching/matrix.py).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from normalizer.appeal import Appeal, Evidence
from router.dispatching.directory import Area
from router.dispatching.matrix import Matrix, Seat
from router.dispatching.remembered import ByPlace
from router.dispatching.rule_texts import Parts, RuleText, Ruling, Thresholds, Tie

REACH = 16  #: how many characters "A…B" may have between A and B


class Words:
    """A condition on words: finds one of them in a text, the longest first."""

    __slots__ = ("_hints", "_plain", "_spread")

    def __init__(self, words: Iterable[str]) -> None:
        ordered = sorted(set(words), key=lambda word: (-len(word), word))
        self._plain = tuple(word for word in ordered if "…" not in word)
        self._spread = tuple((word.partition("…")[0], re.compile(_pattern(word))) for word in ordered if "…" in word)
        self._hints = _by_character({max(word.split("…"), key=len) for word in ordered})

    def may_stand_in(self, text: str) -> bool:
        """Say whether one may be found. A character is looked for in a sixth of the time that a word takes."""
        for character, words in self._hints:
            if character in text:
                for word in words:
                    if word in text:
                        return True
        return False

    def find(self, text: str) -> tuple[int, int] | None:
        """Give where one of the words stands. Looking for plain words is twenty times as fast as one pattern of all."""
        for word in self._plain:
            start = text.find(word)
            if start >= 0:
                return start, start + len(word)
        for first, pattern in self._spread:
            if first in text:
                found = pattern.search(text)
                if found:
                    return found.span()
        return None


def _by_character(words: Collection[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Group words by a character that they share, in as few groups as one finds by always taking the largest."""
    left, found = sorted(words), []
    while left:
        character = max(sorted({*"".join(left)}), key=lambda one: sum(one in word for word in left), default="")
        found.append((character, tuple(word for word in left if character in word)))
        left = [word for word in left if character not in word]
    return tuple(found)


def _pattern(word: str) -> str:
    return f"[^。！？!?\\n]{{0,{REACH}}}?".join(re.escape(part) for part in word.split("…"))


class Rule:
    """A finer rule, ready to be asked."""

    __slots__ = (
        "_barred",
        "_beside",
        "_needed",
        "_types",
        "assist",
        "id",
        "lead",
        "names_assistants",
        "weight",
        "why",
    )

    def __init__(
        self,
        source: RuleText,
        words: Callable[[Sequence[str]], Words],
        parts: Parts,
        beside: Sequence[Evidence] = (),
    ) -> None:
        """`beside` is what speaks for `parts` where the rule names no lead of its own: the place of a cell."""
        self.id = source.id
        self.why = source.why
        self.lead = source.lead or parts.lead
        self.assist = tuple(parts.assist if source.assist is None else source.assist)
        #: True where the rule itself names its assistants: a 举报 is shown to no others.
        self.names_assistants = source.assist is not None
        self._needed = [words(group) for group in (source.any, source.also) if group]
        self._barred = words(source.none) if source.none else None
        self._types = tuple(source.types)
        self._beside = beside if source.lead is None else ()
        self.weight = len(self._needed) + bool(source.none) + bool(source.types)

    def holds(self, appeal: Appeal, said: str) -> list[Evidence] | None:
        """Say by which words the rule holds; None: it does not. `said` is all of title and text."""
        for words in self._needed:
            if not words.may_stand_in(said):
                return None
        if self._types and appeal.request_type not in self._types:
            return None
        if (
            self._barred
            and self._barred.may_stand_in(said)
            and (self._barred.find(appeal.text) or self._barred.find(appeal.title))
        ):
            return None
        found = []
        for words in self._needed:
            evidence = _evidence(words, appeal, self.why)
            if evidence is None:
                return None
            found.append(evidence)
        return [*found, *self._beside] if self._beside else found


def _evidence(words: Words, appeal: Appeal, why: str) -> Evidence | None:
    for field, text in (("text", appeal.text), ("title", appeal.title)):
        span = words.find(text)
        if span:
            return Evidence(field=field, start=span[0], end=span[1], text=text[span[0] : span[1]], why=why)
    return None


class Rules:
    """All rules of a city."""

    def __init__(
        self,
        version: str,
        categories: Mapping[str, Parts],
        finer: Sequence[RuleText],
        lists: Mapping[str, Sequence[str]],
        *,
        thresholds: Thresholds,
        above: Mapping[str, str] | None = None,
        matrix: Matrix | None = None,
    ) -> None:
        """`above` says which role stands in where a role has no unit at a place: 街道办 for 社区."""
        self.version = version
        self.categories = categories
        self.thresholds = thresholds
        self.above: Mapping[str, str] = above or {}
        self.texts = tuple(finer)
        plain = {
            code: Ruling(code, parts.lead, tuple(parts.assist), named=False, evidence=[], why=None)
            for code, parts in categories.items()
        }
        self.matrix = matrix or Matrix((), categories)
        self.placed = self.matrix.by_code  #: the categories of which some place has its own lead
        self._spell: Callable[[Sequence[str]], Words] = _once_each(lists)
        self._of_code: dict[str, list[RuleText]] = defaultdict(list)
        for text in finer:
            for code in text.category:
                self._of_code[code].append(text)
        self._everywhere: dict[str, tuple[list[Rule], Ruling]] = {
            code: (self._rules(code, categories[code]), plain[code]) for code in categories
        }
        self._seated: dict[tuple[str, str], tuple[list[Rule], Ruling]] = {
            (code, seat.place): self._seat(code, seat)
            for code, seats in self.matrix.by_code.items()
            for seat in seats.values()
        }
        #: Which role leads on a category at a place, as `role` says it.
        self.leads: ByPlace[str | None] = ByPlace(self._role)

    def _rules(self, code: str, parts: Parts, beside: Sequence[Evidence] = ()) -> list[Rule]:
        rules = [Rule(text, self._spell, parts, beside) for text in self._of_code.get(code, ())]
        return sorted(rules, key=lambda rule: (-rule.weight, rule.id))

    def _seat(self, code: str, seat: Seat) -> tuple[list[Rule], Ruling]:
        """Make the rules of a category as they are at one place: its cell stands for the category's line."""
        cell = seat.cell
        parts = Parts(lead=cell.lead, assist=cell.assist)
        beside = [Evidence(field="place", start=0, end=len(seat.place), text=seat.place, why=cell.why)]
        named = f"{code}@{seat.place}"
        ruling = Ruling(named, cell.lead, tuple(cell.assist), named=False, evidence=beside, why=cell.why)
        return self._rules(code, parts, beside), ruling

    def role(self, category: str, area: Area = ()) -> str | None:
        """Name the role that leads on a category at a place, finer rules aside."""
        return self.leads[area][category]

    def _role(self, category: str, area: Area) -> str | None:
        if category in self.placed:
            seat = self.matrix.at(category, area)
            if seat is not None:
                return seat.cell.lead
        parts = self.categories.get(category)
        return parts.lead if parts else None

    def rule_on(self, appeal: Appeal, area: Area = (), said: str | None = None) -> Ruling | Tie | None:
        """Find the most specific rule that holds; None: the category is in no rule. `said`: as `said_in` gives it."""
        code = appeal.category.code
        there = self._everywhere.get(code)
        if code in self.placed:
            seat = self.matrix.at(code, area)
            there = there if seat is None else self._seated[code, seat.place]
        if there is None:
            return None
        finer, plain = there
        if not finer:
            return plain
        if said is None:
            said = said_in(appeal)
        best: list[tuple[Rule, list[Evidence]]] = []
        for rule in finer:
            if best and rule.weight < best[0][0].weight:
                break
            evidence = rule.holds(appeal, said)
            if evidence is not None:
                best.append((rule, evidence))
        return _together(best) if best else plain


def said_in(appeal: Appeal) -> str:
    """Give title and text as one, to look for a word once."""
    return f"{appeal.text}\n{appeal.title}"


def _once_each(lists: Mapping[str, Sequence[str]]) -> Callable[[Sequence[str]], Words]:
    """Make the words of a condition, once however many places have rules of their own."""
    made: dict[tuple[str, ...], Words] = {}

    def words(group: Sequence[str]) -> Words:
        key = tuple(group)
        if key not in made:
            made[key] = Words(_spelled(group, lists))
        return made[key]

    return words


def _together(held: Sequence[tuple[Rule, list[Evidence]]]) -> Ruling | Tie:
    """Join rules of the same lead: the first by id names the ruling, each adds its assistants and its words."""
    first, its_words = held[0]
    if len(held) == 1:
        return Ruling(first.id, first.lead, first.assist, first.names_assistants, its_words, first.why)
    leads = {rule.lead for rule, _ in held}
    if len(leads) > 1:
        return Tie(tuple(rule.id for rule, _ in held), tuple(sorted(leads)))
    assist = tuple(dict.fromkeys(role for rule, _ in held for role in rule.assist))
    evidence = [item for _, found in held for item in found]
    named = all(rule.names_assistants for rule, _ in held)
    return Ruling(first.id, first.lead, assist, named=named, evidence=evidence, why=first.why)


def _spelled(words: Iterable[str], lists: Mapping[str, Sequence[str]]) -> Iterable[str]:
    for word in words:
        if word.startswith("@"):
            yield from lists[word[1:]]
        else:
            yield word
