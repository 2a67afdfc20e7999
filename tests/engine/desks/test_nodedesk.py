"""Which nodes are told of in the engine's status."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from engine.desks.nodedesk import mismatches_of, there
from engine.views import NodeView

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEADER = NodeView(
    "web1", "engine", "leading", "web1", "/srv", 1, "0.2.0", [], 10, [], 0, NOW, NOW, 0.0, 1.9, False
)


def other(name: str, **fields: object) -> NodeView:
    return replace(LEADER, name=name, state="standby", **fields)  # type: ignore[arg-type]


def test_nodes_that_are_as_the_leader_are_not_told_of() -> None:
    assert mismatches_of([LEADER, other("web2")]) == []


def test_another_version_and_a_clock_that_is_off_are_told_of() -> None:
    nodes = [other("gpu1", version="0.1.0", clock_ahead=-3.44), LEADER, other("gpu2", clock_ahead=2.1)]
    assert mismatches_of(nodes) == ["gpu1 is version 0.1.0", "gpu1 clock -3.4 s", "gpu2 clock +2.1 s"]


def test_nodes_that_are_gone_or_silent_do_not_count() -> None:
    lost = [replace(other(name, version="0.1.0"), state=name) for name in ("gone", "silent")]
    assert mismatches_of([LEADER, *lost]) == []
    assert there([LEADER, *lost]) == [LEADER]
