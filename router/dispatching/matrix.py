"""The matrix of place and category (条块结合): where a place has its own lead and assistants for a category.

A cell stands for the category's line of `[categories]`, at its place alone: 街道吹哨、部门报到 is a cell in which the
street leads and the bureau assists. Of several that fit, the deepest place decides, then the single category before the
whole class. A finer rule still wins where its words hold; what it does not say itself it takes from the cell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import msgspec

from router.dispatching.directory import Area, Directory, Places, area_flaws, area_of
from router.dispatching.sheet import Sheet

_CLASS = 2  #: digits of a whole class (大类)


class Cell(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cell as people write it, for one or several places and categories."""

    place: list[str]  #: "望湖区" or "望湖区/柳荫街道"
    category: list[str]  #: "0203", or "02" for its whole class
    lead: str  #: a role, or the code of one unit
    assist: list[str] = []
    why: str


class Seat(msgspec.Struct, frozen=True):
    """One cell at one place."""

    place: str
    cell: Cell


class Matrix:
    """All cells, found by category and place."""

    def __init__(self, cells: Iterable[Cell], codes: Iterable[str]) -> None:
        """`codes` are the categories that there are: a cell of a whole class stands for each of its own."""
        self.seats = [Seat(place, cell) for cell in cells for place in cell.place]
        self.by_code: dict[str, dict[Area, Seat]] = defaultdict(dict)
        known = sorted(codes)
        for length in (_CLASS, None):  # what is said of one category is laid over what is said of its class
            for seat in self.seats:
                for named in seat.cell.category:
                    if (len(named) == _CLASS) is (length == _CLASS):
                        for code in known:
                            if code.startswith(named):
                                self.by_code[code][area_of(seat.place)] = seat

    def at(self, code: str, area: Area) -> Seat | None:
        """Find the cell for a category at a place; None: the category's own line holds."""
        seats = self.by_code.get(code)
        if seats is None:
            return None
        return next((seats[area[:depth]] for depth in range(len(area), 0, -1) if area[:depth] in seats), None)


def read_matrix(
    sheets: Sequence[Sheet], codes: Collection[str], names: Collection[str], places: Places | None, problems: list[str]
) -> Matrix:
    """Read the cells of all layers; every problem is added to `problems`. `names` are the roles and units there are."""
    cells: list[Cell] = []
    taken: dict[tuple[str, str], int] = {}
    for sheet in sheets:
        for line, cell in sheet.entries("matrix", Cell, problems):
            problems.extend(sheet.says(line, f"[[matrix]]: {what}") for what in _flaws(cell, codes, names, places))
            for place, named in ((place, named) for place in cell.place for named in cell.category):
                if (place, named) in taken:
                    first = taken[place, named]
                    problems.append(sheet.says(line, f"[[matrix]]: {place} has {named} already, in line {first}"))
                taken[place, named] = line
            cells.append(cell)
    return Matrix(cells, codes)


def _flaws(cell: Cell, codes: Collection[str], names: Collection[str], places: Places | None) -> Iterable[str]:
    if not (cell.place and cell.category):
        yield "names no place or no category"
    if not cell.why.strip():
        yield "has no `why`: say in one sentence on what it rests"
    for place in cell.place:
        if not place:
            yield "has an empty place: what holds everywhere is written under [categories]"
        yield from area_flaws(place, places)
    for named in cell.category:
        if len(named) < _CLASS or not any(code.startswith(named) for code in codes):
            yield f"category {named} is not in [categories]"
    for name in (cell.lead, *cell.assist):
        if names and name not in names:
            yield f"{name!r} is neither a role nor a unit of the directory"


def unresolved(matrix: Matrix, directory: Directory) -> list[str]:
    """Name the cells whose lead has no unit, or several, at their place: their appeals would go to triage."""
    return [
        f"{seat.place}: {directory.called(seat.cell.lead)}({seat.cell.lead})"
        for seat in matrix.seats
        if len(directory.responsible(seat.cell.lead, area_of(seat.place))) != 1
    ]
