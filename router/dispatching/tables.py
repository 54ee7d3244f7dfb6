"""Everything a decision and a message are made with, loaded once and never changed: directory, rules, clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from normalizer.appeal import Versions
from router.cases.calendar import Calendar, load_calendar
from router.cases.claims import ClaimRules, load_claims
from router.cases.deadlines import Deadlines, load_deadlines
from router.dispatching.crosswalk import Crosswalk, load_crosswalks
from router.dispatching.directory import Area, Directory, Places, Unit, load_directory
from router.dispatching.lessons import NOTHING, Lessons
from router.dispatching.matrix import unresolved
from router.dispatching.precedents import OF_ITS_PLACE
from router.dispatching.remembered import ByPlace
from router.dispatching.rule_sheet import load_rules
from router.dispatching.rule_texts import Thresholds
from router.dispatching.rules import Rules
from router.dispatching.sheet import BadTables, Written, read_layers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """The router's tables. Another version of any of them is another `Tables`; they are told apart by identity."""

    directory: Directory
    rules: Rules
    taxonomy_version: str
    thresholds: Thresholds
    calendar: Calendar
    deadlines: Deadlines
    claims: ClaimRules
    crosswalks: Mapping[str, Crosswalk] = field(default_factory=dict)  #: by department
    texts: Mapping[str, Sequence[Written]] = field(default_factory=dict)  #: what `rules` and `directory` were read from
    ref_key: bytes = b""  #: derives a citizen's reference for each department
    lessons: Lessons = NOTHING  #: what upheld returns have taught (退单定责)
    versions: Versions = field(init=False)
    #: Who leads for a role at a place: its own unit, or that of the role above it (社区, 街道办, 区政府).
    leading: ByPlace[Sequence[Unit]] = field(init=False)

    def __post_init__(self) -> None:
        versions = Versions(
            taxonomy=self.taxonomy_version,
            directory=self.directory.version,
            rules=self.rules.version,
            model=self.lessons.name,
        )
        object.__setattr__(self, "versions", versions)
        object.__setattr__(self, "leading", ByPlace(self._climb))

    def _climb(self, role: str, area: Area) -> Sequence[Unit]:
        units = self.directory.responsible(role, area)
        seen = {role}
        while not units and role in self.rules.above and self.rules.above[role] not in seen:
            role = self.rules.above[role]
            seen.add(role)
            units = self.directory.responsible(role, area)
        return units

    def meant(self, name: str, area: Area) -> Unit | None:
        """Find the unit that a precedent names; None: there is none here, or several."""
        if not name.endswith(OF_ITS_PLACE):
            return self.directory.get(name)
        units = self.leading[area][name.removesuffix(OF_ITS_PLACE)]
        return units[0] if len(units) == 1 else None

    def gaps(self) -> list[str]:
        """Name the roles that rules send to and that no unit has: their appeals go to triage."""
        wanted = {parts.lead for parts in self.rules.categories.values()}
        wanted |= {rule.lead for rule in self.rules.texts if rule.lead}
        missing = sorted(f"{self.directory.called(role)}({role})" for role in wanted - self.directory.roles)
        return missing + unresolved(self.rules.matrix, self.directory)


def load_tables(
    *,
    taxonomy_version: str,
    directory: Path | None = None,
    rules: Path | None = None,
    texts: Mapping[str, Sequence[Written]] | None = None,
    holidays: Path | None = None,
    deadlines: Path | None = None,
    claims: Path | None = None,
    categories: Collection[str] | None = None,
    places: Places | None = None,
    city: str = "",
    thresholds: Thresholds | None = None,
    ref_key: bytes = b"",
) -> Tables:
    """Load and check all tables; each may be left out and is then the packaged one.

    `texts` are whole tables, the packaged layer first, that stand for the files of `rules` and `directory`.
    `categories` are the codes of the taxonomy in use and `places` the streets of each district: with them, what the
    files say of categories and areas is checked too. The front door has both.

    Raises:
        BadTables: with every problem of every file, each with file and line.
    """
    problems: list[str] = []
    given = texts or {}
    layers = {
        "directory": given.get("directory") or read_layers("directory.toml", directory, problems),
        "rules": given.get("rules") or read_layers("rules.toml", rules, problems),
    }
    units = load_directory(layers["directory"], places, problems, city)
    roles = units.known_roles if units else ()
    ruling = load_rules(layers["rules"], categories, roles, problems, units=units.units if units else (), places=places)
    calendar = load_calendar(holidays, problems)
    classes = load_deadlines(deadlines, problems)
    claim_rules = load_claims(claims, problems)
    crosswalks = load_crosswalks(directory, units, categories, problems)
    if problems or units is None or ruling is None or calendar is None or classes is None or claim_rules is None:
        raise BadTables(problems)
    return Tables(
        directory=units,
        rules=ruling,
        taxonomy_version=taxonomy_version,
        thresholds=thresholds or ruling.thresholds,
        calendar=calendar,
        deadlines=classes,
        claims=claim_rules,
        crosswalks=crosswalks,
        texts=layers,
        ref_key=ref_key,
    )
