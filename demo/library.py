r"""The texts of the demonstration, as people wrote them: demo/texts/*.txt, read once.

A file is made of sections `== 0104 物业管理与服务 ¦ 市住建局`: class, its name, and who usually answers. A line of a
section is `type | title | text`, the type with P0 or P1 behind it where it is urgent; `\n` in it is a line break, and
`{手机}`, `{身份证}`, `{邮箱}` are filled in by whoever tells it. chatter.txt holds one comment a line; edits.txt pairs
`type | title | before | after`, the class of both in its header.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent / "texts"
TYPES = ("consult", "help", "complain", "report", "suggest", "praise", "other", "invalid")


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """One appeal or comment; the class is the author's intention, for tests and figures, and is never sent."""

    category: str  #: of the 119 second-level classes; "" for chatter
    label: str = ""  #: the class by name, as a hotline's own tree would have it
    unit: str = ""  #: who usually answers
    type: str = "other"
    urgency: str = ""  #: P0, P1, or nothing
    title: str = ""
    body: str


class Edit(msgspec.Struct, frozen=True):
    """A text whose author corrects it later, so that another department must answer."""

    before: Text
    after: Text


class Library(msgspec.Struct, frozen=True):
    """Everything that people of the city say."""

    appeals: tuple[Text, ...]
    chatter: tuple[str, ...]
    edits: tuple[Edit, ...]


@cache
def load(folder: Path = FOLDER) -> Library:
    """Read all texts; a line that does not keep to the format is an error with file and number."""
    appeals = [
        text for path in sorted(folder.glob("appeals_*.txt")) for text in read_appeals(path.read_text("utf-8"), path)
    ]
    chatter = (folder / "chatter.txt").read_text("utf-8").splitlines()
    return Library(
        appeals=tuple(appeals),
        chatter=tuple(line for line in chatter if line and not line.startswith("#")),
        edits=tuple(read_edits((folder / "edits.txt").read_text("utf-8"), folder / "edits.txt")),
    )


def read_appeals(source: str, path: Path) -> list[Text]:
    """Read the sections of one file."""
    texts: list[Text] = []
    category = label = unit = ""
    for number, line in _lines(source):
        if line.startswith("=="):
            category, label, unit = _header(line)
            continue
        parts = _parts(line, 3, path, number)
        kind, _, urgency = parts[0].partition(" ")
        about = {"category": category, "label": label, "unit": unit}
        texts.append(Text(**about, type=kind, urgency=urgency, title=parts[1], body=parts[2]))
    return texts


def read_edits(source: str, path: Path) -> list[Edit]:
    """Read pairs: a header names the class before and after, `== 0203 > 0206 ¦ 市城管局`."""
    edits: list[Edit] = []
    first = second = unit = ""
    for number, line in _lines(source):
        if line.startswith("=="):
            classes, _, unit = line.removeprefix("==").partition("¦")
            first, second = (part.strip() for part in classes.split(">"))
            continue
        kind, title, before, after = _parts(line, 4, path, number)
        made = [
            Text(category=code, unit=unit.strip(), type=kind, title=title, body=body)
            for code, body in ((first, before), (second, after))
        ]
        edits.append(Edit(made[0], made[1]))
    return edits


def _lines(source: str) -> list[tuple[int, str]]:
    numbered = enumerate(source.splitlines(), start=1)
    return [(number, line) for number, line in numbered if line and not line.startswith("#")]


def _header(line: str) -> tuple[str, str, str]:
    name, _, unit = line.removeprefix("==").partition("¦")
    category, _, label = name.strip().partition(" ")
    return category, label.strip(), unit.strip()


def _parts(line: str, count: int, path: Path, number: int) -> list[str]:
    parts = [part.strip(" ").replace("\\n", "\n").replace("\\u3000", "\u3000") for part in line.split(" | ")]
    if len(parts) != count or parts[0].removesuffix(" P0").removesuffix(" P1") not in TYPES:
        raise ValueError(f"{path}:{number}: a line is `type | title | text`, the type one of {', '.join(TYPES)}")
    return parts
