"""A campaign that sees nothing would prove nothing: without walls it must see most attacks succeed."""

from __future__ import annotations

import pytest

from engine.sandbox import nursery
from engine.settings import setting_fields
from tests.hostile.attack import read_corpus
from tests.hostile.control import run_control

pytestmark = pytest.mark.long

QUICK = ("environment", "bytecode", "network")


def test_without_walls_most_attacks_are_seen_to_succeed() -> None:
    control = run_control([attack for attack in read_corpus() if attack.kind in QUICK], seed=1)
    print(control)
    assert control.share(("environment", "bytecode")) > 0.6, str(control)
    assert control.fallen["network"] > 0, str(control)
    assert control.harmed > 0


def test_no_setting_leads_to_another_zygote() -> None:
    assert nursery.ZYGOTE == ("-m", "engine.sandbox.zygote")
    assert [key for key, _field in setting_fields() if "zygote" in key] == []
