"""The settings of a job file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import JobFileError
from engine.jobs.jobfile import SETTINGS, JobSettings, parse_settings
from engine.run import Limits
from engine.times.plan import coming
from engine.times.schedule import Interval

CEILINGS = Limits(wall_seconds=3600, memory_bytes=64 * 2**20)


def parsed(**raw: object) -> JobSettings:
    return parse_settings(raw, default_timezone="UTC", ceilings=CEILINGS)


def problem(**raw: object) -> str:
    with pytest.raises(JobFileError) as caught:
        parsed(**raw)
    return str(caught.value)


def test_no_settings_at_all_are_good_and_mean_a_job_on_demand() -> None:
    settings = parsed()
    assert settings.schedule() is None
    assert settings.active


def test_a_full_table_is_read() -> None:
    settings = parsed(
        every="2m",
        run_once=True,
        run_at_start=True,
        active=False,
        description="Mark sold-out toys",
        version=1.2,
        timezone="Europe/Berlin",
        timeout="30s",
        memory="16MB",
        tags={"team": "shop", "tries": 3, "loud": True},
    )
    assert settings == JobSettings(
        every=120.0,
        run_once=True,
        run_at_start=True,
        active=False,
        description="Mark sold-out toys",
        version="1.2",
        timezone="Europe/Berlin",
        timeout=30.0,
        memory=16 * 2**20,
        tags={"team": "shop", "tries": "3", "loud": "true"},
    )


def test_a_list_of_tags_names_tags_without_values() -> None:
    assert parsed(tags=["nightly", "shop"]).tags == {"nightly": "", "shop": ""}


def test_a_plain_number_is_an_interval_in_seconds() -> None:
    assert parsed(every=90).schedule() == Interval(90)


def test_a_cron_line_is_read_in_the_jobs_own_time_zone() -> None:
    schedule = parsed(cron="0 9 * * *", timezone="Europe/Berlin").schedule("UTC")
    assert schedule is not None
    assert schedule.words() == "cron 0 9 * * * (Europe/Berlin)"


def test_a_job_that_names_no_time_zone_gets_the_engines() -> None:
    settings = parse_settings({"cron": "@daily"}, default_timezone="Asia/Tokyo", ceilings=CEILINGS)
    schedule = settings.schedule()
    assert schedule is not None
    assert schedule.words() == "cron @daily (Asia/Tokyo)"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"evry": 1}, "unknown setting 'evry'; did you mean every?"),
        ({"Cron": "@daily"}, "unknown setting 'Cron'; did you mean cron?"),
        ({"zzz": 1}, "unknown setting 'zzz'; allowed are every, cron, at"),
        ({"every": True}, 'every = true: must be a number of seconds or text such as "2m"'),
        ({"every": "soon"}, "every = \"soon\": 'soon' is not a duration"),
        ({"every": 0.5}, "every = 0.5: an interval must be from 1s"),
        ({"every": b"\xff"}, "every = text that is not UTF-8: must be a number"),
        ({"every": float("nan")}, "every = nan: a duration must be a finite number"),
        ({"every": "1m", "cron": "@daily"}, "both every and cron are set"),
        ({"cron": 5}, "cron = 5: must be text such as"),
        ({"cron": "61 * * * *"}, "cron = \"61 * * * *\": cron minute field '61': 0-59 allowed"),
        ({"cron": "0 0 30 2 *"}, "can never match"),
        ({"timezone": "Mars"}, "timezone = \"Mars\": there is no time zone 'Mars'"),
        ({"timezone": 1}, "timezone = 1: must be text"),
        ({"run_once": True}, "run_once = true needs every, cron, at or run_at_start"),
        ({"run_once": "yes"}, 'run_once = "yes": must be true or false'),
        ({"active": 1}, "active = 1: must be true or false"),
        ({"description": 5}, "description = 5: must be text"),
        ({"description": "x" * 1001}, "at most 1000 characters"),
        ({"description": "\x1b[2J"}, "without control characters"),
        ({"version": {}}, "version = {}: must be text"),
        ({"tags": "shop"}, 'tags = "shop": must be a table such as'),
        ({"tags": {"a": {"b": 1}}}, "tags = { ... }: must be a table such as"),
        ({"tags": {"": "x"}}, "each name must be text"),
        ({"tags": [1, 2]}, "tags = { ... }: must be a table such as"),
        ({"tags": {f"tag{n}": "" for n in range(51)}}, "at most 50 tags"),
        ({"timeout": "2h"}, 'timeout = "2h" is above the operator\'s limit of 1 h (limits.timeout)'),
        ({"timeout": 0}, "timeout = 0: must be 100 ms or longer"),
        ({"memory": "1GB"}, 'memory = "1GB" is above the operator\'s limit of 64 MB (limits.memory)'),
        ({"memory": 10}, "memory = 10: must be 1 MB or more"),
        ({"memory": "lots"}, "'lots' is not a size"),
    ],
)
def test_a_wrong_setting_is_told_with_its_value_and_what_is_allowed(
    raw: dict[str, object], words: str
) -> None:
    assert words in problem(**raw)


def test_all_problems_are_told_at_once() -> None:
    told = problem(evry=1, active="no", timeout="2h")
    assert all(words in told for words in ("evry", "active", "timeout"))


def test_values_without_a_name_are_refused() -> None:
    with pytest.raises(JobFileError, match="stands without a name"):
        parse_settings({1: "2m"}, ceilings=CEILINGS)
    with pytest.raises(JobFileError, match="takes a table of named settings"):
        parse_settings(["2m"], ceilings=CEILINGS)  # type: ignore[arg-type]


def test_limits_are_the_operators_lowered_by_the_job() -> None:
    limits = parsed(timeout="30s", memory="16MB").limits(CEILINGS)
    assert (limits.wall_seconds, limits.memory_bytes) == (30.0, 16 * 2**20)
    assert limits.cpu_seconds == CEILINGS.cpu_seconds
    assert parsed().limits(CEILINGS) == CEILINGS


def test_limits_never_pass_a_ceiling_that_was_lowered_since() -> None:
    assert parsed(timeout="30m").limits(Limits(wall_seconds=60)).wall_seconds == 60


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "every": st.integers(1, 10**6),
            "run_at_start": st.booleans(),
            "active": st.booleans(),
            "description": st.text(alphabet="abc äöü\n", max_size=20),
            "timeout": st.floats(0.1, 3600),
            "memory": st.integers(2**20, 64 * 2**20),
            "tags": st.dictionaries(st.text("abc", min_size=1), st.text("abc", max_size=5), max_size=3),
        },
    )
)
def test_settings_as_plain_data_read_back_the_same(raw: dict[str, object]) -> None:
    settings = parsed(**raw)
    assert parsed(**settings.as_dict()) == settings


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([one.name for one in SETTINGS]),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(max_size=8),
            st.binary(max_size=4),
            st.lists(st.text(max_size=3), max_size=3),
            st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
        ),
    )
)
def test_any_value_is_either_read_or_refused_in_words(raw: dict[str, object]) -> None:
    try:
        settings = parsed(**raw)
    except JobFileError as error:
        told = str(error)
    else:
        told = settings.version + str(settings.as_dict())
    assert told


def test_plain_data_holds_every_setting_with_its_default() -> None:
    assert list(parsed().as_dict()) == [one.name for one in SETTINGS]
    assert parsed().as_dict()["active"] is True


@pytest.mark.parametrize("one", SETTINGS, ids=lambda one: one.name)
def test_every_setting_is_explained(one: object) -> None:
    assert getattr(one, "help", "").endswith(".")
    assert getattr(one, "example", "")


class TestSchedulesOfAJob:
    NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    def due(self, count: int, **raw: object) -> list[str]:
        schedule = parsed(**raw).schedule("UTC", job="report", named={"tea": "0 16 * * *"})
        assert schedule is not None
        return [due.strftime("%d %H:%M") for due in coming(schedule, self.NOON, count)]

    def test_several_cron_lines_make_one_schedule(self) -> None:
        assert self.due(3, cron=["0 13 * * *", "30 13 * * *"]) == ["02 13:00", "02 13:30", "03 13:00"]

    def test_a_named_schedule_is_the_operators_line(self) -> None:
        assert self.due(2, cron="cron.tea") == ["02 16:00", "03 16:00"]

    def test_an_unknown_name_tells_the_nearest(self) -> None:
        with pytest.raises(JobFileError, match=r"did you mean cron\.tea\?"):
            self.due(1, cron="cron.teas")

    def test_dates_are_read_in_the_jobs_zone(self) -> None:
        assert self.due(5, at="2026-03-02T18:00:00", timezone="Europe/Berlin") == ["02 17:00"]

    def test_dates_may_stand_beside_cron_lines(self) -> None:
        assert self.due(2, at=["2026-03-02T12:30:00"], cron="0 13 * * *") == ["02 12:30", "02 13:00"]

    def test_a_schedule_may_start_and_expire(self) -> None:
        raw = {"cron": "0 * * * *", "starts": "2026-03-02T15:00:00", "expires": "2026-03-02T17:00:00"}
        assert self.due(9, **raw) == ["02 15:00", "02 16:00"]

    def test_jitter_moves_all_due_times_by_the_same_part_of_it(self) -> None:
        schedule = parsed(cron="0 * * * *", jitter="10m").schedule("UTC", job="report")
        other = parsed(cron="0 * * * *", jitter="10m").schedule("UTC", job="other")
        assert schedule is not None
        assert other is not None
        first, second = coming(schedule, self.NOON, 2)
        assert second - first == timedelta(hours=1)
        assert timedelta() < (first - self.NOON) % timedelta(hours=1) < timedelta(minutes=10)
        assert first != other.first(self.NOON)

    @pytest.mark.parametrize(
        ("dst", "times"),
        [
            ("once", ["28 01:30", "29 01:00", "30 00:30"]),
            ("skip", ["28 01:30", "30 00:30", "31 00:30"]),
        ],
    )
    def test_a_time_in_the_gap_of_spring_is_made_up_for_or_left_out(self, dst: str, times: list[str]) -> None:
        schedule = parsed(cron="30 2 * * *", timezone="Europe/Berlin", dst=dst).schedule()
        assert schedule is not None
        start = datetime(2026, 3, 28, tzinfo=UTC)
        assert [due.strftime("%d %H:%M") for due in coming(schedule, start, 3)] == times

    @pytest.mark.parametrize(
        ("dst", "times"),
        [
            ("once", ["25 00:30", "26 01:30"]),
            ("skip", ["25 00:30", "26 01:30"]),
            ("both", ["25 00:30", "25 01:30"]),
        ],
    )
    def test_a_time_that_autumn_brings_twice_is_due_once_or_twice(self, dst: str, times: list[str]) -> None:
        schedule = parsed(cron="30 2 * * *", timezone="Europe/Berlin", dst=dst).schedule()
        assert schedule is not None
        start = datetime(2026, 10, 24, 12, tzinfo=UTC)
        assert [due.strftime("%d %H:%M") for due in coming(schedule, start, 2)] == times

    @pytest.mark.parametrize(
        ("raw", "words"),
        [
            ({"every": "2m", "at": "2026-03-02T18:00:00"}, "both every and at are set"),
            ({"at": "tomorrow"}, "is no date"),
            ({"cron": []}, "a list of 1 to 50"),
            ({"cron": ["0 9 * * *", "@every 5m"]}, "an interval cannot stand beside other schedules"),
            ({"jitter": "30s"}, "jitter needs every, cron or at"),
            ({"every": "2m", "jitter": "2d"}, "at most 24 h|at most 1 d"),
            ({"every": "2m", "dst": "never"}, 'must be "once", "skip" or "both"'),
            (
                {"every": "2m", "starts": "2026-03-02T18:00:00", "expires": "2026-03-02T18:00:00"},
                "expires must be later than starts",
            ),
        ],
    )
    def test_what_makes_no_schedule_is_told(self, raw: dict[str, object], words: str) -> None:
        with pytest.raises(JobFileError, match=words):
            parsed(**raw).schedule()


class TestGroups:
    @pytest.mark.parametrize(
        ("raw", "groups"),
        [("night", ("night",)), (["night", "shop", "night"], ("night", "shop")), ({}, ()), ([], ())],
    )
    def test_groups_are_a_name_or_a_list(self, raw: object, groups: tuple[str, ...]) -> None:
        settings = parsed(groups=raw)
        assert settings.groups == groups
        assert parse_settings(settings.as_dict()) == settings

    @pytest.mark.parametrize(
        "raw", ["", " night", "a\nb", 7, ["night", True], [""], {"night": True}, ["x"] * 21]
    )
    def test_what_names_no_group_is_refused(self, raw: object) -> None:
        with pytest.raises(JobFileError, match=r"^groups = .*must be"):
            parsed(groups=raw)


def test_single_instance_is_true_for_every_job() -> None:
    assert parse_settings({"single_instance": True}) == parse_settings({})


@pytest.mark.parametrize("value", [False, "true", 1])
def test_single_instance_cannot_be_switched_off(value: object) -> None:
    with pytest.raises(JobFileError, match=r'one home has one engine.*write overlap = "allow"'):
        parse_settings({"single_instance": value})
