from __future__ import annotations

import stat
from pathlib import Path

import pytest

from engine.door.hostkey import host_key
from engine.errors import SettingsError


def test_the_key_is_made_once_for_the_engines_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    made = host_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert host_key(path).public_data == made.public_data
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "key"
    host_key(path)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="can be read by others"):
        host_key(path)


def test_a_file_that_is_no_key_and_a_folder_that_is_not_there_are_named(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch(0o600)
    with pytest.raises(SettingsError, match="holds no usable private key"):
        host_key(path)
    with pytest.raises(SettingsError, match="cannot be written"):
        host_key(tmp_path / "none" / "key")
