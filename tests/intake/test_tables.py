"""Every table that the settings can name is read, and a mistake in it is told with its file."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from intake.settings import TableFiles
from intake.tables import BadTableFiles, load_files


@pytest.mark.parametrize("name", TableFiles.__struct_fields__)
def test_a_table_that_is_no_toml_is_told_by_name(name: str, tmp_path: Path) -> None:
    broken = tmp_path / f"{name}.toml"
    broken.write_text("version = = 1\n", encoding="utf-8")
    with pytest.raises(BadTableFiles) as told:
        load_files(replace(TableFiles(), **{name: broken}))
    assert any(f"{name}.toml" in problem for problem in told.value.problems)


@pytest.mark.parametrize("name", ["words", "deadlines", "holidays"])
def test_an_own_copy_of_a_packaged_table_stands_in_for_it(name: str, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    packaged = root / ("normalizer" if name == "words" else "router") / "data" / f"{name}.toml"
    own = tmp_path / f"{name}.toml"
    own.write_text(packaged.read_text(encoding="utf-8"), encoding="utf-8")
    assert load_files(replace(TableFiles(), **{name: own})).router.directory.units
