"""Key files: for their owner alone, made once, and told apart by number."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from intake.keys import KeysError, add_master, load_keys, make_keys


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    make_keys(tmp_path / "keys")

    files = sorted((tmp_path / "keys").iterdir())

    assert [each.name for each in files] == ["master-1.key", "ref-1.key"]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_making_them_again_changes_nothing(tmp_path: Path) -> None:
    assert make_keys(tmp_path) == make_keys(tmp_path)


def test_many_that_make_them_at_once_end_with_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make_keys, [tmp_path] * 8))

    assert all(each == made[0] for each in made)


def test_a_new_master_leaves_the_old_one_and_the_reference_key(tmp_path: Path) -> None:
    before = make_keys(tmp_path)

    after = add_master(tmp_path)

    assert (after.master, after.ref_key, after.ref_version) == (2, before.ref_key, 1)
    assert after.masters[1] == before.masters[1]


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    make_keys(tmp_path)
    (tmp_path / "ref-1.key").chmod(0o644)

    with pytest.raises(KeysError, match="chmod 600"):
        load_keys(tmp_path)


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    make_keys(tmp_path)
    (tmp_path / "master-1.key").write_bytes(b"short")

    with pytest.raises(KeysError, match="backup"):
        load_keys(tmp_path)


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="make setup"):
        load_keys(tmp_path)


def test_their_print_shows_no_key(tmp_path: Path) -> None:
    assert repr(make_keys(tmp_path)) == "Keys(masters=[1], refs=[1])"
