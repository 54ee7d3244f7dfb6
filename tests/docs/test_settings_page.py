"""docs/settings.md names every setting, with the default that it has and an example that passes the check."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.answering.table import AnswerTable
from connectors.registry import REGISTRY
from connectors.source import Source
from intake import settings, tables
from intake.door.settings import DoorSettings
from intake.exchange.settings import Exchange
from intake.pushing.settings import Push
from intake.rules.unit_tests import read_tests
from router.dispatching.crosswalk import FOLDER
from router.dispatching.sheet import DATA
from tests.docs.pages import SETTINGS, Block, blocks, rows

KINDS = {name: kind.settings for name, kind in REGISTRY.items()}
SECTIONS: dict[str, type[msgspec.Struct]] = {
    "`[database]`": settings.Database,
    "`[broker]`": settings.Broker,
    "`[tables]`": settings.TableFiles,
    "`[keys]`": settings.Keys,
    "`[retention]`": settings.Retention,
    "`[release]`": settings.ReleaseLimits,
    "`[returns]`": settings.Returns,
    "`[demo]`": settings.Demo,
    "`[door]`": DoorSettings,
    "`[[push]]`": Push,
    "`[[exchange]]`": Exchange,
    "`[[source]]`": Source,
    "`write_back`": AnswerTable,
    **{f"`{name}`": kind for name, kind in KINDS.items()},
}
REQUIRED, NONE = "必填", "—"


def value(cell: str) -> Any:
    """Read a cell as the TOML that an operator would copy."""
    return tomllib.loads(f"x = {cell.strip('`')}")["x"]


def own_fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """The fields that a section must explain; what every source has stands under [[source]]."""
    shared = {} if kind is Source or not issubclass(kind, Source) else dict(_fields(Source))
    return {name: field for name, field in _fields(kind).items() if _differs(field, shared.get(name))}


def _fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _differs(field: msgspec.structs.FieldInfo, shared: msgspec.structs.FieldInfo | None) -> bool:
    return shared is None or field.default != shared.default


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_section_explains_every_setting_with_its_default_and_an_example(heading: str) -> None:
    wanted = own_fields(SECTIONS[heading])
    told = {row[0].strip("`"): row for row in rows(SETTINGS, heading)}
    assert told.keys() == wanted.keys()
    for name, (_, meaning, unit, default, example) in told.items():
        field = wanted[name]
        assert meaning, name
        assert unit, name
        if default == REQUIRED:
            assert field.required, name
        else:
            found = default_of(field)
            assert default == NONE if found is None else value(default) == _plain(found), name
        msgspec.convert(value(example), field.type, dec_hook=_path)


def test_the_top_level_is_told_too() -> None:
    named = {row[0].strip("`") for row in rows(SETTINGS, "顶层")}
    parts = {heading.strip("`[]") for heading in SECTIONS if heading.startswith("`[")}
    assert named | parts == set(settings._TOP)


@pytest.mark.parametrize("block", [*blocks("toml")], ids=str)
def test_a_block_of_toml_is_settings_or_a_table_that_can_be_used(block: Block, tmp_path: Path) -> None:
    file = tmp_path / (Path(block.file).name or "intake.toml")
    file.write_text(block.text, encoding="utf-8")
    if Path(block.file).parent.name == FOLDER:
        (tmp_path / FOLDER).mkdir()
        file.rename(tmp_path / FOLDER / file.name)
        directory = tmp_path / "directory.toml"
        directory.write_bytes((DATA / "directory.toml").read_bytes())
        assert tables.load_files(settings.TableFiles(directory=directory)).router.crosswalks[file.stem].own("0205")
    elif block.file.endswith(".tests.toml"):
        problems: list[str] = []
        assert read_tests(file, tables.load_files(settings.TableFiles()), problems)
        assert problems == []
    elif block.file:
        tables.load_files(settings.TableFiles(**{file.stem: file}))
    else:
        read = settings.load(file, {"HOTLINE_KEY": "k", "APP_KEYS": "k"}, KINDS)
        assert read.sources or read.exchanges


def _plain(found: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(found)) if isinstance(found, tuple | msgspec.Struct) else found


def _path(kind: type, written: object) -> object:
    assert kind is Path
    return Path(str(written))
