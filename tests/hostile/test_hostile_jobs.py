"""Every wall holds: each hostile job once, eight at a time, each followed by a benign one.

`make prove` also runs them in order and at random.
"""

from __future__ import annotations

import pytest

from tests.hostile.attack import read_corpus
from tests.hostile.campaign import opened

pytestmark = pytest.mark.long

SEED = 20260301


def test_no_hostile_job_gets_what_it_wants_and_benign_ones_go_on() -> None:
    attacks = read_corpus()
    with opened(attacks) as campaign:
        campaign.many_at_a_time(SEED)
        report = campaign.conclude()
    assert report.complaints == []
    assert report.tried >= 120
