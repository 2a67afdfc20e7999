from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.desks.difference import Code, compare

texts = st.lists(st.sampled_from(["a", "b", "", "local x = 1"]), max_size=8).map("\n".join)


def test_equal_code_has_no_difference() -> None:
    code = Code("run 1", {"a.lua": "x\n"})
    assert compare(code, Code("now", dict(code.files))).files == []


def test_a_change_is_a_unified_diff_of_that_file_alone() -> None:
    before = Code("run 1", {"a.lua": "one\ntwo\n", "lib/x.lua": "same\n"})
    after = Code("run 2", {"a.lua": "one\n2\n", "lib/x.lua": "same\n"})
    found = compare(before, after)
    assert [one.path for one in found.files] == ["a.lua"]
    assert found.files[0].diff == ("--- a.lua (run 1)\n+++ a.lua (run 2)\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n")


def test_a_file_that_one_side_lacks_is_compared_with_nothing() -> None:
    found = compare(Code("run 1", {"lib/x.lua": "gone\n"}), Code("now", {}))
    assert found.files[0].diff == "--- lib/x.lua (run 1)\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n"


@settings(max_examples=30, deadline=None)
@given(before=texts, after=texts)
def test_patch_makes_the_later_text_of_the_earlier_one(
    tmp_path_factory: pytest.TempPathFactory, before: str, after: str
) -> None:
    found = compare(Code("run 1", {"a.lua": before}), Code("run 2", {"a.lua": after}))
    path: Path = tmp_path_factory.mktemp("patch") / "a.lua"
    path.write_text(before)
    for one in found.files:
        subprocess.run(["patch", "-s", str(path)], input=one.diff.encode(), check=True)
    assert path.read_text() == after
