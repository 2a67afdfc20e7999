"""Every file that a command reads, with contents that nobody would write, and some that somebody might."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hostile import filefuzz
from tests.hostile.filefuzz import Case

pytestmark = pytest.mark.long

#: For each kind; `make prove` tries far more.
EXAMPLES = 12


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[filefuzz.Shell]:
    with filefuzz.shell(tmp_path_factory.mktemp("files")) as shell:
        yield shell


@pytest.mark.parametrize("case", filefuzz.CASES, ids=lambda case: case.name)
def test_no_content_of_a_file_crashes_a_command_or_leaves_something_half_done(
    shell: filefuzz.Shell, case: Case
) -> None:
    report = filefuzz.try_case(case, shell, EXAMPLES)
    assert list(report.complaints.values()) == []
    # Else all are refused at the first look, and nothing behind it is tried.
    assert set(report.codes) >= case.codes
