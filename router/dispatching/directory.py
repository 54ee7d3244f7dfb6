"""The directory of units (部门目录): who exists, what each is called, and which part of the city it answers for.

Rules name roles (CGJ, 城管局); a city has many units of one role, each with an area. `resolve` joins role and place:
the most specific unit wins (community before street before district before city-wide). Nothing found means triage.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from normalizer.appeal import Place
from router.dispatching.remembered import Area as Area  # a place as deep as it is known
from router.dispatching.remembered import ByPlace
from router.dispatching.sheet import BadTables, Written, read_layers, read_sheet, version_of

CODE = re.compile(r"[A-Z0-9_]{2,32}")
_PLACE_KIND = re.compile(r"(?:街道|社区|新区|区|县|镇|乡|村)$")
_LONGEST_PLACE = 10
KINDS = ("gov", "vert", "util", "group", "party", "terr", "na")

Places = Mapping[str, Collection[str]]  #: the streets of each district


class Liaison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """联络员: whom the centre calls about a case."""

    name: str
    phone: str


class Unit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """承办单位: one concrete unit with its own queue."""

    code: str
    name: str
    short: str
    role: str  #: which of the kinds it is; the packaged directory has one unit a role, of the same code
    area: str = ""
    kind: str = "gov"  #: gov 政府部门, vert 垂管, util 公用企业, group 群团, party 党委口, terr 属地, na 只告知
    aliases: list[str] = []  #: other names of the unit itself and of its own offices, old names too
    covers: list[str] = []  #: whom it answers for without being them: hospitals, property managers
    parent: str | None = None  #: its superior; a complaint about the unit goes there (promise 8)
    hotline: str | None = None
    liaison: Liaison | None = None
    duty_phone: str | None = None
    hours: str | None = None
    may_see: list[str] = []  #: placeholders of the matter that it may have lifted as lead: 门牌, 车牌; never the caller
    urgent_lane: bool = False
    fallback: bool = False  #: takes what triage left lying, in its area (promise 7)

    @property
    def names(self) -> Iterable[str]:
        """Everything the unit itself is called."""
        return (self.name, self.short, *self.aliases)


class Role(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of unit that has no city-wide one (区政府, 街道办, 社区): only what it is called."""

    code: str
    short: str
    kind: str = "terr"
    aliases: list[str] = []
    covers: list[str] = []

    @property
    def role(self) -> str:
        """Itself; a unit has the same field."""
        return self.code

    @property
    def names(self) -> Iterable[str]:
        """What it is called anywhere."""
        return (self.short, *self.aliases)


def area_of(text: str) -> Area:
    """Split "望湖区/柳荫街道" into its levels."""
    return tuple(part for part in text.split("/") if part)


def area_of_place(place: Place) -> Area:
    """Say how deep a place is known, from the district down; a gap ends it."""
    district, street, community = place.district, place.street, place.community
    if district is None:
        return ()
    if street is None:
        return (district,)
    return (district, street) if community is None else (district, street, community)


class Directory:
    """All units, found by code, by name, and by role and place."""

    def __init__(self, version: str, city: str, units: Sequence[Unit], kinds: Sequence[Unit | Role] = ()) -> None:
        """`kinds` come from the packaged directory: what a role is called anywhere, whatever this city says."""
        self.version = version
        self.city = city
        self.units: Mapping[str, Unit] = {unit.code: unit for unit in units}
        self._by_role: dict[str, dict[Area, list[Unit]]] = defaultdict(lambda: defaultdict(list))
        #: Who answers for a role at a place, as `responsible` says it.
        self.at: ByPlace[Sequence[Unit]] = ByPlace(self._most_specific)
        self._by_name: dict[str, list[Unit]] = defaultdict(list)
        self._covering: dict[str, list[Unit]] = defaultdict(list)
        self._roles_named: dict[str, set[str]] = defaultdict(set)
        for unit in units:
            self._by_role[unit.role][area_of(unit.area)].append(unit)
            for name in dict.fromkeys((unit.code, *unit.names)):
                self._by_name[name].append(unit)
            for name in unit.covers:
                self._covering[name].append(unit)
        self.kinds: Sequence[Unit | Role] = kinds or units
        for kind in self.kinds:
            for name in kind.names:
                self._roles_named[name].add(kind.role)
        self._short = {kind.role: kind.short for kind in (*units, *kinds)}

    def __len__(self) -> int:
        return len(self.units)

    def __contains__(self, code: object) -> bool:
        return code in self.units

    def get(self, code: str) -> Unit | None:
        """Find a unit by its code."""
        return self.units.get(code)

    @cached_property
    def roles(self) -> frozenset[str]:
        """The roles that have at least one unit."""
        return frozenset(self._by_role)

    @property
    def known_roles(self) -> frozenset[str]:
        """The roles that a rule may name: those with a unit, and those that any city may have."""
        return frozenset(self._short)

    def called(self, role: str) -> str:
        """Say what people call a role: 区政府 for QXZF."""
        return self._short.get(role, role)

    def resolve(self, role: str, place: Place) -> Sequence[Unit]:
        """Find the most specific units of a role for a place: none, one, or several that nothing tells apart."""
        return self.responsible(role, area_of_place(place))

    def responsible(self, role: str, area: Area) -> Sequence[Unit]:
        """Do the same for an area."""
        return self.at[area][role]

    def _most_specific(self, role: str, area: Area) -> Sequence[Unit]:
        areas = self._by_role.get(role, {})
        if not areas and role not in self._short and role in self.units:
            return (self.units[role],)  # a cell of the matrix may name one unit
        return next((areas[area[:depth]] for depth in range(len(area), -1, -1) if area[:depth] in areas), ())

    def find(self, name: str, place: Place) -> Unit | None:
        """Find the unit that a source's 承办单位 means, or None if nothing or several fit."""
        for spelling in self._spellings(name):
            unit = self._nearest(self._by_name.get(spelling, ()), place)
            if unit is not None:
                return unit
        for spelling in self._spellings(name):
            roles = self._roles_named.get(spelling, ())
            found = [unit for role in sorted(roles) for unit in self.resolve(role, place)]
            found = found or list(self._covering.get(spelling, ()))
            if len(found) == 1:
                return found[0]
        return None

    def meant(self, names: Iterable[str]) -> frozenset[str]:
        """Say which units a text may mean by these names, all of them: for keeping a complaint away from each."""
        return frozenset(unit.code for name in names for unit in self._all_meant(name))

    def has(self, role: str, area: Area) -> bool:
        """Say whether a role has a unit of exactly this area."""
        return area in self._by_role.get(role, ())

    def area_before(self, text: str, start: int) -> Area | None:
        """Read whose office a text names: the place right before an office's name, or None where none stands there."""
        for length in range(min(start, _LONGEST_PLACE), 0, -1):
            area = self._places.get(text[start - length : start])
            if area is not None:
                return area
        return None

    def superiors(self, unit: Unit) -> Iterable[Unit]:
        """Climb from a unit to its superiors, the nearest first; a ring ends the climb."""
        seen = {unit.code}
        above = self.units.get(unit.parent or "")
        while above is not None and above.code not in seen:
            seen.add(above.code)
            yield above
            above = self.units.get(above.parent or "")

    def fallback(self, place: Place) -> Unit | None:
        """Find who takes what triage left lying at this place (兜底单位), the most specific first."""
        area = area_of_place(place)
        for depth in range(len(area), -1, -1):
            for unit in self._fallbacks:
                if area_of(unit.area) == area[:depth]:
                    return unit
        return None

    def words_of(self, unit: Unit) -> frozenset[str]:
        """Everything a unit may be called in a text: its own names, and what its role is called anywhere."""
        return self._words[unit.code]

    @cached_property
    def _places(self) -> Mapping[str, Area]:
        """What may stand before an office's name: 望湖区, 望湖, 柳荫街道, 柳荫, 云泽市, 市."""
        found: dict[str, Area] = {"市": ()}
        if self.city:
            found |= {self.city: (), self.city.rstrip("市"): ()}
        for unit in self.units.values():
            area = area_of(unit.area)
            for depth in range(1, len(area) + 1):
                name = area[depth - 1]
                found.setdefault(name, area[:depth])
                short = _PLACE_KIND.sub("", name)
                if len(short) > 1:
                    found.setdefault(short, area[:depth])
        return found

    @cached_property
    def _fallbacks(self) -> list[Unit]:
        return sorted((unit for unit in self.units.values() if unit.fallback), key=lambda unit: unit.code)

    def _spellings(self, name: str) -> list[str]:
        plain = "".join(name.split())
        cut = [len(prefix) for prefix in (self.city, "市") if prefix and plain.startswith(prefix)]
        return [plain, *(plain[length:] for length in cut if len(plain) > length + 1)]

    def _nearest(self, units: Sequence[Unit], place: Place) -> Unit | None:
        if len(units) <= 1:
            return units[0] if units else None
        area = area_of_place(place)
        for depth in range(len(area), -1, -1):
            found = [unit for unit in units if area_of(unit.area) == area[:depth]]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def _all_meant(self, name: str) -> Iterable[Unit]:
        for spelling in self._spellings(name):
            exact = self._by_name.get(spelling)
            roles = self._roles_named.get(spelling, ())
            if exact or roles:
                # A bare kind of office (城管局) may be the city's, the district's or the street's: each of them.
                return [*(exact or ()), *(unit for unit in self.units.values() if unit.role in roles)]
        plain = self._spellings(name)[-1]
        return [unit for unit in self.units.values() if any(word in plain for word in self._words[unit.code])]

    @cached_property
    def _words(self) -> Mapping[str, frozenset[str]]:
        of_role = {role: self._words_of_role(role) for role in self.roles}
        return {unit.code: frozenset(unit.names) | of_role[unit.role] for unit in self.units.values()}

    def _words_of_role(self, role: str) -> frozenset[str]:
        return frozenset(name for name, roles in self._roles_named.items() if role in roles and len(name) > 1)


def load_directory(
    layers: Sequence[Written], places: Places | None, problems: list[str], city: str = ""
) -> Directory | None:
    """Read a directory, the packaged one and perhaps a city's own; every problem is added to `problems`.

    A city's own replaces the packaged units; what roles are called anywhere is said by both.
    """
    sheets = [sheet for sheet in (read_sheet(layer, problems) for layer in layers) if sheet is not None]
    if len(sheets) < len(layers) or not sheets:
        return None
    packaged, sheet = sheets[0], sheets[-1]
    kinds: list[Unit | Role] = [unit for _, unit in packaged.entries("unit", Unit, problems)]
    for each in dict.fromkeys(sheets):
        kinds += [role for _, role in each.entries("role", Role, problems)]
    found = sheet.entries("unit", Unit, problems)
    if not found:
        problems.append(sheet.says(1, "has no [[unit]]: a city without units can dispatch nothing"))
    version = sheet.content.get("version")
    if not isinstance(version, str) or not version:
        problems.append(sheet.says(sheet.key_line("version"), 'version is missing: write version = "…"'))
    problems.extend(sheet.says(line, what) for line, what in _contradictions(found, places))
    named = version_of([sheet]) if len(sheets) == 1 else f"{version}-{version_of(sheets).rpartition('-')[2]}"
    return Directory(named, str(sheet.content.get("city") or city), [unit for _, unit in found], kinds)


def read_directory(path: Path | None = None, places: Places | None = None) -> Directory:
    """Read a directory alone.

    Raises:
        BadTables: with everything that is wrong.
    """
    problems: list[str] = []
    layers = read_layers("directory.toml", path, problems)
    directory = load_directory(layers, places, problems) if not problems else None
    if problems or directory is None:
        raise BadTables(problems)
    return directory


def _contradictions(found: Sequence[tuple[int, Unit]], places: Places | None) -> Iterable[tuple[int, str]]:
    codes = {unit.code: unit for _, unit in found}
    first: dict[str, int] = {}
    named: dict[tuple[str, str], str] = {}
    for line, unit in found:
        if not CODE.fullmatch(unit.code):
            yield line, f"code {unit.code!r} is none: 2 to 32 of A-Z, 0-9 and _ (it names a queue)"
        if unit.code in first:
            yield line, f"code {unit.code} is taken by the unit of line {first[unit.code]}"
        first.setdefault(unit.code, line)
        yield from ((line, f"unit {unit.code}: {what}") for what in _flaws(unit, codes, places))
        for name in dict.fromkeys(unit.names):
            other = named.setdefault((unit.area, name), unit.code)
            if other != unit.code:
                yield line, f"unit {unit.code}: {name} already names {other} in the same area"


def _flaws(unit: Unit, codes: Mapping[str, Unit], places: Places | None) -> Iterable[str]:
    if not unit.name or not unit.short:
        yield "name and short must not be empty"
    if not CODE.fullmatch(unit.role):
        yield f"role {unit.role!r} is none: 2 to 32 of A-Z, 0-9 and _"
    if unit.kind not in KINDS:
        yield f"kind {unit.kind!r} is unknown; one of {' '.join(KINDS)}"
    if unit.parent is not None and unit.parent not in codes:
        yield f"parent {unit.parent!r} is no unit of this directory"
    if _in_a_ring(unit, codes):
        yield "stands above itself: follow its parents"
    if not all(unit.may_see):
        yield "may_see has an empty word: name the placeholders, as 门牌 or 车牌"
    yield from area_flaws(unit.area, places)


def _in_a_ring(unit: Unit, codes: Mapping[str, Unit]) -> bool:
    seen = {unit.code}
    above = unit.parent
    while above is not None and above in codes:
        if above in seen:
            return above == unit.code
        seen.add(above)
        above = codes[above].parent
    return False


def area_flaws(text: str, places: Places | None) -> Iterable[str]:
    """Say what is wrong with an area as people wrote it."""
    area = area_of(text)
    if "/".join(area) != text or len(area) > 3:  # noqa: PLR2004 - district, street, community
        yield f'area {text!r} is not "", "district", "district/street" or "district/street/community"'
    elif places is not None and area:
        if area[0] not in places:
            yield f"area {text!r}: the places have no district {area[0]}"
        elif len(area) > 1 and area[1] not in places[area[0]]:
            yield f"area {text!r}: {area[0]} has no street {area[1]}"
