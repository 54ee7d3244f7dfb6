"""Tables are checked as a whole: every mistake is told at once, with its line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from normalizer.errors import TableError
from normalizer.table_files import PACKAGED
from normalizer.tables import load_tables

Written = Callable[[str, str], Path]


def test_the_packaged_tables_load_and_their_versions_follow_every_edit(written: Written) -> None:
    packaged = load_tables()
    text = (PACKAGED / "taxonomy.toml").read_text(encoding="utf-8")
    edited = load_tables(taxonomy=written("taxonomy.toml", text.replace('"路灯坏"', '"路灯坏", "路灯罢工"')))

    assert packaged.versions["taxonomy"] != edited.versions["taxonomy"]
    assert packaged.versions == load_tables().versions


def test_every_mistake_of_every_table_is_told_at_once(written: Written) -> None:
    text = (PACKAGED / "taxonomy.toml").read_text(encoding="utf-8")
    taxonomy = written(
        "taxonomy.toml", text.replace('category = "1204"', 'category = "9999"').replace('"0205"', '"0204"', 1)
    )
    places = written("places.toml", 'version = "1"\n[[poi]]\nname = "公园"\narea = "没有区"\n')
    words = written("words.toml", (PACKAGED / "words.toml").read_text(encoding="utf-8").replace('"P0"', '"P7"', 1))

    with pytest.raises(TableError) as caught:
        load_tables(taxonomy=taxonomy, places=places, words=words)

    told = "\n".join(caught.value.problems)
    assert "class code 0204 stands twice" in told
    assert "9999, which is no class" in told
    assert "places.toml:3: 公园: area '没有区'" in told
    assert "P7" in told
    assert any(problem.startswith("taxonomy.toml:") for problem in caught.value.problems)


def test_a_missing_file_and_broken_toml_are_told_together(written: Written, tmp_path: Path) -> None:
    with pytest.raises(TableError) as caught:
        load_tables(taxonomy=tmp_path / "nowhere.toml", places=written("places.toml", "version = "))

    assert len(caught.value.problems) == 2


def test_an_unknown_name_is_a_mistake(written: Written) -> None:
    with pytest.raises(TableError, match="unknown field"):
        load_tables(places=written("places.toml", 'version = "1"\ncitty = "云泽市"\n'))
