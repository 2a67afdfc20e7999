from __future__ import annotations

import os
from pathlib import Path

import asyncssh
import pytest

from engine.door.keys import KINDS, KeyFile, read_key
from engine.roles import Role


def public(kind: str = "ssh-ed25519") -> asyncssh.SSHKey:
    return asyncssh.generate_private_key(kind)


def line(key: asyncssh.SSHKey, role: str = "viewer", name: str = "anna") -> str:
    kind, text, *_ = key.export_public_key().decode().split()
    return f"{role} {kind} {text} {name}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.touch(0o600)
    return path


def test_a_key_is_found_with_its_role_and_name(path: Path) -> None:
    key, other = public(), public("ecdsa-sha2-nistp256")
    path.write_text(f"# people\n\n{line(key, 'operator')}{line(other, 'admin', 'bo@laptop')}")
    keys = KeyFile(path)
    found = keys.find(key.public_data)
    assert found is not None
    assert (found.role, found.name) == (Role.OPERATOR, "anna")
    assert keys.find(other.public_data) is not None
    assert keys.find(public().public_data) is None
    assert keys.problems() == []


def test_a_changed_file_counts_at_once(path: Path) -> None:
    key = public()
    path.write_text(line(key))
    keys = KeyFile(path)
    assert keys.find(key.public_data) is not None
    path.write_text("# nobody\n")
    assert keys.find(key.public_data) is None
    path.write_text(line(key, "admin"))
    found = keys.find(key.public_data)
    assert found is not None
    assert found.role is Role.ADMIN
    path.unlink()
    assert keys.find(key.public_data) is None
    assert "nobody can log in" in keys.problems()[0]


def test_of_two_lines_with_one_key_the_first_counts(path: Path) -> None:
    key = public()
    path.write_text(line(key, "viewer") + line(key, "admin"))
    found = KeyFile(path).find(key.public_data)
    assert found is not None
    assert found.role is Role.VIEWER


def test_a_bad_line_is_told_with_its_number_and_the_others_count(path: Path) -> None:
    key = public()
    path.write_text(f"viewer ssh-ed25519 AAAA\n{line(key)}")
    keys = KeyFile(path)
    assert keys.find(key.public_data) is not None
    (problem,) = keys.problems()
    assert f"{path}, line 1: it must be ROLE TYPE KEY NAME" in problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("king ssh-ed25519 AAAA anna", "'king' is no role; it must be viewer, operator, admin"),
        ("viewer ssh-dss AAAA anna", "keys of type 'ssh-dss' are not taken"),
        ("viewer ssh-ed25519 AAAA an;na", "the name 'an;na' must be letters"),
        ("viewer ssh-ed25519 A*AA anna", "cut off, or not one"),
        ("viewer ssh-ed25519 AAAAC3Nz anna", "not of type ssh-ed25519"),
        ("ssh-ed25519 AAAA anna", "it must be ROLE TYPE KEY NAME"),
    ],
)
def test_a_bad_line_is_told_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        read_key(text)


@pytest.mark.parametrize("kind", sorted(kind for kind in KINDS if not kind.startswith("sk-")))
def test_each_kind_of_key_is_taken(kind: str) -> None:
    key = public(kind)
    assert read_key(line(key)).blob == key.public_data


def test_a_file_that_others_can_write_opens_nothing(path: Path) -> None:
    key = public()
    path.write_text(line(key))
    path.chmod(0o620)
    keys = KeyFile(path)
    assert keys.find(key.public_data) is None
    assert "can be written by others (chmod 600)" in keys.problems()[0]
    path.chmod(0o600)
    assert keys.find(key.public_data) is not None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_opens_nothing(path: Path) -> None:
    path.write_text(line(public()))
    os.chown(path, 12345, 12345)
    assert "belongs to another user" in KeyFile(path).problems()[0]
