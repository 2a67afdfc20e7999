"""The tests in the guide for job authors are carried out as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest_plugins = "pytester"

GUIDE = (Path(__file__).parents[2] / "docs" / "testing-jobs.md").read_text("utf-8")


def blocks(fence: str) -> list[str]:
    return re.findall(rf"(?ms)^```{fence}\n(.*?)^```$", GUIDE)


def test_the_tests_of_the_guide_pass(pytester: pytest.Pytester) -> None:
    [report] = blocks("lua")
    tests = blocks("python test")
    pytester.makeini("[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n")
    (pytester.mkdir("jobs") / "report.lua").write_text(report, "utf-8")
    for number, text in enumerate(tests):
        (pytester.path / f"test_guide_{number}.py").write_text(text, "utf-8")
    wanted = sum(text.count("\ndef test_") + text.startswith("def test_") for text in tests)
    assert wanted >= 6
    pytester.runpytest_inprocess("-q").assert_outcomes(passed=wanted)
