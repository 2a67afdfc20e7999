"""Who may run now."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runs.gate import EVERY, Admission, Gate, Obstacle, Overlap, job_label


@dataclass(frozen=True)
class Run:
    id: int
    job: str
    priority: int = 0
    labels: tuple[str, ...] = ()


def test_runs_start_while_permits_last_and_then_wait() -> None:
    gate: Gate[Run] = Gate(2)
    admissions = [gate.offer(Run(n, f"job{n}"), Overlap.QUEUE) for n in range(3)]
    assert admissions == [Admission.START, Admission.START, Admission.WAIT]


def test_a_gate_of_size_zero_has_no_limit() -> None:
    gate: Gate[Run] = Gate(0)
    admissions = {gate.offer(Run(n, f"job{n}"), Overlap.QUEUE) for n in range(500)}
    assert admissions == {Admission.START}


def test_a_job_never_runs_beside_itself() -> None:
    gate: Gate[Run] = Gate(10)
    first, second = Run(1, "a"), Run(2, "a")
    gate.offer(first, Overlap.QUEUE)
    assert gate.offer(second, Overlap.QUEUE) is Admission.WAIT
    assert gate.running == 1
    assert gate.leave(first) == [second]


def test_one_waiting_run_serves_for_all_coalesced_ones() -> None:
    gate: Gate[Run] = Gate(10)
    gate.offer(Run(1, "a"), Overlap.COALESCE)
    assert gate.offer(Run(2, "a"), Overlap.COALESCE) is Admission.WAIT
    assert gate.offer(Run(3, "a"), Overlap.COALESCE) is Admission.COALESCED
    assert gate.waiting == 1


def test_a_job_that_waits_for_a_permit_coalesces_too() -> None:
    gate: Gate[Run] = Gate(1)
    gate.offer(Run(1, "a"), Overlap.COALESCE)
    gate.offer(Run(2, "b"), Overlap.COALESCE)
    assert gate.offer(Run(3, "b"), Overlap.COALESCE) is Admission.COALESCED


def test_a_run_that_goes_on_from_before_counts_for_all_limits() -> None:
    gate: Gate[Run] = Gate(2, {"tag:shop": 1})
    before = Run(1, "a", labels=("tag:shop",))
    gate.take_in(before, Overlap.QUEUE)
    own, tagged, free = Run(2, "a"), Run(3, "b", labels=("tag:shop",)), Run(4, "c")
    offered = [gate.offer(run, Overlap.QUEUE) for run in (own, tagged, free)]
    assert offered == [Admission.WAIT, Admission.WAIT, Admission.START]
    assert gate.leave(before) == [own]
    assert gate.leave(own) == [tagged]


def test_waiting_runs_start_in_the_order_in_which_they_came() -> None:
    gate: Gate[Run] = Gate(1)
    runs = [Run(n, f"job{n}") for n in range(5)]
    for run in runs:
        gate.offer(run, Overlap.QUEUE)
    started = [gate.leave(run)[0].id for run in runs[:-1]]
    assert started == [1, 2, 3, 4]


def test_a_run_behind_its_own_job_holds_no_permit_and_blocks_nobody() -> None:
    gate: Gate[Run] = Gate(2)
    gate.offer(Run(1, "slow"), Overlap.QUEUE)
    gate.offer(Run(2, "slow"), Overlap.QUEUE)
    assert gate.offer(Run(3, "other"), Overlap.QUEUE) is Admission.START


def test_a_withdrawn_run_never_starts() -> None:
    gate: Gate[Run] = Gate(1)
    first, second, third = Run(1, "a"), Run(2, "b"), Run(3, "c")
    for run in (first, second, third):
        gate.offer(run, Overlap.QUEUE)
    assert gate.withdraw(second)
    assert gate.leave(first) == [third]


def test_a_run_that_holds_a_permit_cannot_be_withdrawn() -> None:
    gate: Gate[Run] = Gate(1)
    run = Run(1, "a")
    gate.offer(run, Overlap.QUEUE)
    assert not gate.withdraw(run)


def test_a_higher_priority_goes_first() -> None:
    gate: Gate[Run] = Gate(1)
    first = Run(1, "a")
    for run in (first, Run(2, "b"), Run(3, "c", priority=5), Run(4, "d", priority=5)):
        gate.offer(run)
    assert [run.id for run in gate.waiting_runs()] == [3, 4, 2]
    assert [run.id for run in gate.leave(first)] == [3]


def test_a_run_that_may_not_overlap_is_skipped() -> None:
    gate: Gate[Run] = Gate(10)
    gate.offer(Run(1, "a"), Overlap.SKIP)
    assert gate.offer(Run(2, "a"), Overlap.SKIP) is Admission.SKIPPED
    assert gate.waiting == 0


def test_runs_that_may_overlap_run_side_by_side() -> None:
    gate: Gate[Run] = Gate(10)
    assert {gate.offer(Run(n, "a"), Overlap.ALLOW) for n in range(5)} == {Admission.START}
    assert gate.runs_now("a")


def test_a_full_queue_takes_no_more() -> None:
    gate: Gate[Run] = Gate(10)
    admissions = [gate.offer(Run(n, "a"), Overlap.QUEUE, longest_queue=2) for n in range(4)]
    assert admissions == [Admission.START, Admission.WAIT, Admission.WAIT, Admission.FULL]


def test_a_label_limits_how_many_of_its_runs_go_on_at_once() -> None:
    gate: Gate[Run] = Gate(10, {"tag:shop": 2})
    runs = [Run(n, f"job{n}", labels=("tag:shop", "tag:free")) for n in range(4)]
    assert [gate.offer(run) for run in runs] == [Admission.START] * 2 + [Admission.WAIT] * 2
    assert gate.offer(Run(9, "other", labels=("tag:free",))) is Admission.START
    assert gate.leave(runs[0]) == [runs[2]]


def test_a_run_held_up_by_one_limit_does_not_keep_another_from_the_room_it_leaves() -> None:
    gate: Gate[Run] = Gate(10, {"x": 1, "y": 1})
    holds_x, holds_y = Run(1, "a", labels=("x",)), Run(2, "b", labels=("y",))
    wants_both, wants_x = Run(3, "c", labels=("x", "y")), Run(4, "d", labels=("x",))
    for run in (holds_x, holds_y, wants_both, wants_x):
        gate.offer(run)
    assert gate.leave(holds_x) == [wants_x]
    assert gate.leave(wants_x) == []
    assert gate.leave(holds_y) == [wants_both]


def test_no_run_with_a_closed_label_starts_until_it_is_opened() -> None:
    gate: Gate[Run] = Gate(10)
    first, second, other = Run(1, "a"), Run(2, "b", labels=("group:x",)), Run(3, "c")
    gate.close("group:x")
    gate.close(job_label("a"))
    assert [gate.offer(run) for run in (first, second, other)] == [
        Admission.WAIT,
        Admission.WAIT,
        Admission.START,
    ]
    assert gate.open("group:x") == [second]
    assert gate.open(job_label("a")) == [first]


def test_a_closed_gate_lets_those_that_run_go_on() -> None:
    gate: Gate[Run] = Gate(10)
    going, waiting = Run(1, "a"), Run(2, "a")
    gate.offer(going)
    gate.offer(waiting)
    gate.close(EVERY)
    assert gate.leave(going) == []
    assert gate.open(EVERY) == [waiting]


#: A label with a limit, one without, jobs' own, and that of all runs.
CLOSABLE = ("x", "z", job_label("job0"), job_label("job1"), job_label("job2"), EVERY)
LABELS = st.sampled_from([(), ("x",), ("y",), ("x", "y"), ("z",), ("y", "z")])
STEPS = st.tuples(
    st.sampled_from(["offer", "leave", "withdraw", "close", "open"]),
    st.integers(0, 5),
    st.sampled_from(Overlap),
    st.integers(0, 2),
    LABELS,
)


class Model:
    """The gate as a list that is looked through from the front each time."""

    def __init__(self, size: int, limits: dict[str, int]) -> None:
        self.size, self.limits = size, limits
        self.running: list[tuple[Run, Overlap]] = []
        self.waiting: list[tuple[Run, Overlap]] = []
        self.closed: set[str] = set()

    def startable(self, run: Run, overlap: Overlap) -> bool:
        if self.closed & {EVERY, job_label(run.job), *run.labels}:
            return False
        if self.size and len(self.running) >= self.size:
            return False
        if overlap is not Overlap.ALLOW and any(
            other.job == run.job and how is not Overlap.ALLOW for other, how in self.running
        ):
            return False
        used = [label for other, _ in self.running for label in other.labels]
        return all(used.count(label) < self.limits[label] for label in run.labels if label in self.limits)

    def admit(self) -> list[Run]:
        admitted = []
        for entry in sorted(self.waiting, key=lambda entry: (-entry[0].priority, entry[0].id)):
            if self.startable(*entry):
                self.waiting.remove(entry)
                self.running.append(entry)
                admitted.append(entry[0])
        return admitted

    def offer(self, run: Run, overlap: Overlap) -> Admission:
        waits = any(other.job == run.job for other, _ in self.waiting)
        runs = any(other.job == run.job for other, _ in self.running)
        if overlap is Overlap.COALESCE and waits:
            return Admission.COALESCED
        if overlap is Overlap.SKIP and (waits or runs):
            return Admission.SKIPPED
        self.waiting.append((run, overlap))
        return Admission.START if run in self.admit() else Admission.WAIT


@pytest.mark.parametrize("size", [1, 2, 3, 0])
@given(steps=st.lists(STEPS, max_size=80))
def test_the_gate_agrees_with_a_slow_and_simple_model(
    size: int, steps: list[tuple[str, int, Overlap, int, tuple[str, ...]]]
) -> None:
    limits = {"x": 1, "y": 2}
    gate: Gate[Run] = Gate(size, limits)
    model = Model(size, limits)
    for number, (step, pick, overlap, priority, labels) in enumerate(steps):
        if step == "offer":
            run = Run(number, f"job{pick}", priority, labels)
            assert gate.offer(run, overlap) is model.offer(run, overlap)
        elif step == "leave" and model.running:
            run, _ = model.running.pop(pick % len(model.running))
            assert gate.leave(run) == model.admit()
        elif step == "withdraw" and model.waiting:
            run, _ = model.waiting.pop(pick % len(model.waiting))
            assert gate.withdraw(run)
        elif step == "close":
            model.closed.add(CLOSABLE[pick])
            gate.close(CLOSABLE[pick])
        elif step == "open":
            model.closed.discard(CLOSABLE[pick])
            assert gate.open(CLOSABLE[pick]) == model.admit()
        assert gate.running == len(model.running)
        assert gate.waiting == len(model.waiting)
        assert {run.id for run in gate.waiting_runs()} == {run.id for run, _ in model.waiting}


def test_positions_tell_the_order_in_which_waiting_runs_start() -> None:
    gate: Gate[Run] = Gate(1)
    runs = [Run(number, f"job{number}", priority) for number, priority in enumerate([9, 0, 2, 1, 2, 0])]
    for run in runs:
        gate.offer(run, Overlap.QUEUE)
    positions, running, started = gate.positions(runs), runs[0], []
    while following := gate.leave(running):
        (running,) = following
        started.append(running.id)
    assert started == sorted(positions, key=positions.__getitem__)
    assert sorted(positions.values()) == [1, 2, 3, 4, 5]


def test_a_withdrawn_run_has_no_position_and_leaves_no_gap() -> None:
    gate: Gate[Run] = Gate(1)
    runs = [Run(number, f"job{number}") for number in range(4)]
    for run in runs:
        gate.offer(run, Overlap.QUEUE)
    gate.withdraw(runs[2])
    assert gate.positions(runs) == {1: 1, 3: 2}


def test_the_obstacle_of_a_run_is_the_limit_without_room_and_else_the_pool() -> None:
    gate: Gate[Run] = Gate(2, {"tag:shop": 1})
    shop, other = ("tag:shop",), ()
    for number, labels in enumerate([shop, other, shop, other]):
        gate.offer(Run(number, f"job{number}", labels=labels), Overlap.QUEUE)
    assert gate.obstacle(Run(2, "job2", labels=shop)) == Obstacle("tag:shop", 1, 1)
    assert gate.obstacle(Run(3, "job3")) == Obstacle(None, 2, 2)


def test_a_closed_label_is_an_obstacle_without_a_number() -> None:
    gate: Gate[Run] = Gate(2)
    gate.close(EVERY)
    gate.offer(Run(1, "a"), Overlap.QUEUE)
    assert gate.obstacle(Run(1, "a")) == Obstacle(EVERY, 0, None)
