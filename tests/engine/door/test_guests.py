from __future__ import annotations

from dataclasses import dataclass, field

from engine.door.guests import Guests
from engine.door.keys import Key
from engine.roles import Role


@dataclass(eq=False)
class Visitor:
    key: Key
    idle_since: float = 0.0
    ended: list[str] = field(default_factory=list)

    def end(self, reason: str) -> None:
        self.ended.append(reason)


ANNA, BO = Key(b"a", Role.VIEWER, "anna"), Key(b"b", Role.ADMIN, "bo")


def test_there_is_room_for_so_many_of_one_key_and_so_many_in_all() -> None:
    guests = Guests(most=3, most_of_one=2)
    with guests.entered(Visitor(ANNA)), guests.entered(Visitor(ANNA)):
        assert "ssh.sessions_per_key" in guests.why_full(ANNA)
        assert guests.why_full(BO) == ""
        with guests.entered(Visitor(BO)):
            assert "(ssh.sessions)" in guests.why_full(BO)
    assert guests.why_full(ANNA) == ""


def test_who_typed_nothing_for_too_long_is_let_go_and_nobody_else() -> None:
    guests, idle, busy = Guests(3, 3), Visitor(ANNA, idle_since=10.0), Visitor(BO, idle_since=20.0)
    with guests.entered(idle), guests.entered(busy):
        guests.end_idle(before=15.0)
    assert ["ssh.idle" in reason for reason in idle.ended] == [True]
    assert busy.ended == []
