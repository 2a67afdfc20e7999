"""A campaign that sees nothing would prove nothing: without walls it must see most attacks succeed."""

from __future__ import annotations

import pytest

from engine.sandbox import nursery
from engine.settings import setting_fields
from tests.hostile.attack import KINDS, read_corpus
from tests.hostile.control import Control, run_control

pytestmark = pytest.mark.long


def test_without_walls_most_attacks_of_every_class_are_seen_to_succeed() -> None:
    control = run_control(read_corpus(), seed=1)
    print(f"{control}\nthese held: {', '.join(control.held)}")
    assert control.complaints == []


ALL_FALLEN = Control(tuple(f"{kind}/one" for kind in KINDS), (), harmed=1)


@pytest.mark.parametrize(
    ("control", "words"),
    [
        (Control(ALL_FALLEN.fallen, tuple(f"cpu/{n}" for n in range(20)), 1), "these held: cpu/0, cpu/1"),
        (Control(ALL_FALLEN.fallen[1:], (), 1), f"not one attack of the class {KINDS[0]}"),
        (Control(ALL_FALLEN.fallen, (), 0), "no touched canary"),
    ],
)
def test_a_campaign_that_sees_too_little_is_told(control: Control, words: str) -> None:
    assert ALL_FALLEN.complaints == []
    assert words in " ".join(control.complaints)


def test_no_setting_leads_to_another_zygote() -> None:
    assert nursery.ZYGOTE == ("-m", "engine.sandbox.zygote")
    assert [key for key, _field in setting_fields() if "zygote" in key] == []
