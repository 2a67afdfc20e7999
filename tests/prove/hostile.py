"""Hostile jobs against a real engine, and against one without walls."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.hostile.attack import read_corpus
from tests.hostile.campaign import Campaign, opened
from tests.hostile.control import run_control
from tests.prove.proof import Effort, Finding, Proof


def proofs() -> list[Proof]:
    """Return the rows about hostile jobs."""
    return [
        Proof("hostile jobs, in order", "one bad job touches no other", partial(_campaign, _in_order)),
        Proof("hostile jobs, at random", "nothing is left for the next run", partial(_campaign, _at_random)),
        Proof("hostile jobs, eight at a time", "bad jobs do not add up", partial(_campaign, _many)),
        Proof("control: an engine without walls", "the campaign sees what falls", _control),
    ]


def _in_order(campaign: Campaign, _seed: int) -> None:
    campaign.in_order()


def _at_random(campaign: Campaign, seed: int) -> None:
    campaign.at_random(seed)


def _many(campaign: Campaign, seed: int) -> None:
    campaign.many_at_a_time(seed)


def _campaign(order: Callable[[Campaign, int], None], effort: Effort) -> Finding:
    with opened(read_corpus()) as campaign:
        order(campaign, effort.seed)
        report = campaign.conclude()
    left_out = len(read_corpus()) - len(campaign.attacks)
    words = f"{report.tried} attacks, each followed by a benign job"
    words += f"; {left_out} left out for want of a server" if left_out else ""
    return Finding(words, tuple(report.complaints))


def _control(effort: Effort) -> Finding:
    control = run_control(read_corpus(), effort.seed)
    return Finding(f"{control}; these held: {', '.join(control.held)}", tuple(control.complaints))
