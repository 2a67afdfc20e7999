"""What the tabs of a job's page say of its settings."""

from __future__ import annotations

import re

from engine.jobs.jobfile import SETTINGS
from tui.facts.jobtabs import BYTES, SECONDS


def test_the_units_of_all_settings_are_known() -> None:
    examples = {one.name: one.example for one in SETTINGS}
    assert {name for name, example in examples.items() if re.fullmatch(r'"\d+[smhd]"', example)} == SECONDS
    assert {name for name, example in examples.items() if re.fullmatch(r'"\d+[KMG]B"', example)} == BYTES
