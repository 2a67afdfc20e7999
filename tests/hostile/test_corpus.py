"""The corpus is what it says: large, of every class, each attack once, each with its acceptable ends."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.hostile.attack import KINDS, BadHeader, read_attack, read_corpus


def test_every_class_has_attacks_and_together_they_are_many() -> None:
    counts = Counter(attack.kind for attack in read_corpus())
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 5
    assert counts.total() >= 120


def test_no_attack_is_there_twice() -> None:
    bodies = Counter(_code(attack.source) for attack in read_corpus())
    assert [code for code, count in bodies.items() if count > 1] == []
    tries = Counter(attack.tries for attack in read_corpus())
    assert [words for words, count in tries.items() if count > 1] == []


def _code(source: bytes) -> str:
    lines = [line for line in source.decode("utf-8", "replace").splitlines() if not line.startswith("-- ")]
    return re.sub(r"\s+", " ", " ".join(lines))


HEAD = "-- class: cpu\n-- tries: a loop\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("while true do end\n", "an empty line must follow"),
        ("\nwhile true do end\n", "needs one line `class`"),
        ("-- class: cpu\n\n", "needs one line `tries`"),
        (HEAD + "\n", "no line says how it may end"),
        (HEAD + "-- holds: ERROR\n\n", "does not end in JSON"),
        (HEAD + "-- holds: ERROR 5\n\n", "no status with words"),
        (HEAD + '-- holds: ERROR "x"\n\n', "no status with words"),
        (HEAD + '-- holds: FINE "words"\n\n', "no status with words"),
        (HEAD + "-- remark: none\n\n", "cannot read"),
        (HEAD + "-- needs: oracle\n-- holds: COMPLETE 1\n\n", "a service must be one of"),
        (HEAD + "-- holds: COMPLETE 1\nreturn 1\n", "an empty line must follow"),
        ("-- class: sql\n-- tries: a loop\n-- holds: COMPLETE 1\n\n", "it lies among cpu"),
    ],
)
def test_first_lines_that_say_less_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "cpu" / "loop.lua"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(BadHeader, match=words):
        read_attack(path)


def test_the_page_about_security_names_every_class() -> None:
    text = (Path(__file__).parents[2] / "docs" / "security.md").read_text("utf-8")
    assert [kind for kind in KINDS if f"`{kind}`" not in text] == []
