"""When jobs are due: intervals, cron lines, and clocks that are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.errors import ScheduleError
from engine.times.schedule import Cron, Dst, Interval, Schedule, parse_cron, parse_interval

NOW = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def due_between(schedule: Schedule, start: datetime, end: datetime) -> list[datetime]:
    """Return all due times in [start, end)."""
    found = []
    at = schedule.first(start - MICROSECOND)
    while at is not None and at < end:
        found.append(at)
        at = schedule.following(at, at)
    return found


def on_the_wall(schedule: Schedule, zone: str, start: datetime, end: datetime) -> list[str]:
    there = ZoneInfo(zone)
    return [due.astimezone(there).strftime("%H:%M%z") for due in due_between(schedule, start, end)]


class TestIntervals:
    def test_the_first_due_time_is_one_interval_away(self) -> None:
        assert parse_interval("2m").first(NOW) == NOW + timedelta(minutes=2)

    def test_due_times_stay_on_the_grid_of_the_earlier_ones(self) -> None:
        late = NOW + timedelta(minutes=7, seconds=1)
        assert Interval(120).following(NOW, late) == NOW + timedelta(minutes=8)

    def test_a_due_time_that_is_now_is_taken(self) -> None:
        assert Interval(120).following(NOW, NOW + timedelta(minutes=4)) == NOW + timedelta(minutes=6)

    def test_a_clock_that_was_set_back_does_not_bring_a_due_time_again(self) -> None:
        assert Interval(120).following(NOW, NOW - timedelta(hours=1)) == NOW + timedelta(minutes=2)

    def test_fractions_of_a_second_do_not_drift(self) -> None:
        due = Interval(1.1).following(NOW, NOW + timedelta(days=1000))
        assert due is not None
        assert (due - NOW) % timedelta(seconds=1.1) == timedelta()

    @pytest.mark.parametrize(("minutes", "count"), [(-1, 0), (0, 1), (1, 1), (2, 2), (7, 4)])
    def test_missed_due_times_are_counted_both_ends_included(self, minutes: int, count: int) -> None:
        assert Interval(120).missed(NOW, NOW + timedelta(minutes=minutes)) == count

    def test_the_last_missed_due_time_is_known(self) -> None:
        assert Interval(120).latest(NOW, NOW + timedelta(minutes=7)) == NOW + timedelta(minutes=6)

    @settings(deadline=None)
    @given(st.integers(1_000_000, 10**12), st.integers(0, 10**14))
    def test_the_next_due_time_is_the_one_after_the_last(self, step: int, passed: int) -> None:
        interval = Interval(step / 1_000_000)
        now = NOW + timedelta(microseconds=passed)
        latest, following = interval.latest(NOW, now), interval.following(NOW, now)
        assert following is not None
        assert latest <= now < following
        assert following - latest == timedelta(seconds=step / 1_000_000)

    @pytest.mark.parametrize("value", [0.5, 0, -1, "999ms", "100000d", 1e300])
    def test_too_short_and_too_long_ones_are_refused(self, value: object) -> None:
        with pytest.raises(ScheduleError, match="from 1s to 36500d"):
            parse_interval(value)

    def test_the_end_of_time_is_never_due(self) -> None:
        assert Interval(86_400).first(datetime.max.replace(tzinfo=UTC)) is None

    def test_it_says_what_it_is(self) -> None:
        assert parse_interval(5400).words() == "every 1h30m"


class TestCronLines:
    @pytest.mark.parametrize(
        ("line", "due"),
        [
            ("* * * * *", utc(2026, 3, 2, 12, 1)),
            ("*/15 9-17 * * MON-FRI", utc(2026, 3, 2, 12, 15)),
            ("0 */15 9-17 ? * MON-FRI", utc(2026, 3, 2, 12, 15)),
            ("*/10 * * * * *", utc(2026, 3, 2, 12, 0, 10)),
            ("30 5/20 * * * *", utc(2026, 3, 2, 12, 5, 30)),
            ("0 9 * * 0", utc(2026, 3, 8, 9)),
            ("0 9 * * 7", utc(2026, 3, 8, 9)),
            ("0 9 * * SAT-SUN", utc(2026, 3, 7, 9)),
            ("0 9 * * sun-mon", utc(2026, 3, 8, 9)),
            ("0 9 * * 5-7", utc(2026, 3, 6, 9)),
            ("0 0 1,15 * *", utc(2026, 3, 15)),
            ("0 0 ? jan,JUL ?", utc(2026, 7, 1)),
            ("0 0 29 2 *", utc(2028, 2, 29)),
            ("0 0 31 * *", utc(2026, 3, 31)),
            ("59 23 31 12 *", utc(2026, 12, 31, 23, 59)),
            ("  5   12  *  *  * ", utc(2026, 3, 2, 12, 5)),
            ("0 12 * * *", utc(2026, 3, 3, 12)),
            ("@yearly", utc(2027, 1, 1)),
            ("@annually", utc(2027, 1, 1)),
            ("@monthly", utc(2026, 4, 1)),
            ("@weekly", utc(2026, 3, 8)),
            ("@daily", utc(2026, 3, 3)),
            ("@Midnight", utc(2026, 3, 3)),
            ("@hourly", utc(2026, 3, 2, 13)),
        ],
    )
    def test_a_line_is_next_due(self, line: str, due: datetime) -> None:
        assert parse_cron(line).first(NOW) == due

    def test_both_day_fields_given_mean_either(self) -> None:
        days = [due.day for due in due_between(parse_cron("0 0 13 * FRI"), utc(2026, 3, 1), utc(2026, 4, 1))]
        assert days == [6, 13, 20, 27]
        days = [due.day for due in due_between(parse_cron("0 0 10 * FRI"), utc(2026, 3, 1), utc(2026, 4, 1))]
        assert days == [6, 10, 13, 20, 27]

    def test_a_day_field_of_every_single_day_is_not_given(self) -> None:
        assert parse_cron("0 0 */1 * MON").first(NOW) == utc(2026, 3, 9)

    def test_every_is_an_interval(self) -> None:
        assert parse_cron("@every 1h30m") == Interval(5400)

    def test_it_says_what_it_is_and_whose_clock_it_reads(self) -> None:
        assert (
            parse_cron("0  9 * * MON-FRI", "Europe/Berlin").words() == "cron 0 9 * * MON-FRI (Europe/Berlin)"
        )

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("61 * * * *", "minute field '61': 0-59 allowed"),
            ("60 * * * * *", "second field '60': 0-59 allowed"),
            ("* 24 * * *", "hour field '24': 0-23 allowed"),
            ("* * 0 * *", "day-of-month field '0': 1-31 allowed"),
            ("* * 32 * *", "day-of-month field '32': 1-31 allowed"),
            ("* * * 13 *", "month field '13': 1-12 or JAN-DEC allowed"),
            ("* * * * 8", "day-of-week field '8': 0-7 or SUN-SAT allowed"),
            ("* * * * FUNDAY", "day-of-week field 'FUNDAY'"),
            ("* * * MON *", "month field 'MON'"),
            ("MON * * * *", "minute field 'MON'"),
            ("? * * * *", "minute field '?'"),
            ("*/0 * * * *", "minute field '*/0': a step of 1-59"),
            ("*/60 * * * *", "minute field '*/60': a step of 1-59"),
            ("5-1 * * * *", "minute field '5-1': a range goes from the lower to the higher"),
            ("*-5 * * * *", "minute field '*-5'"),
            ("1-2-3 * * * *", "minute field '1-2-3'"),
            ("1, * * * *", "minute field ''"),
            ("-1 * * * *", "minute field '-1'"),
            ("1.5 * * * *", "minute field '1.5'"),
            ("H * * * *", "minute field 'H'"),
            ("* * L * *", "day-of-month field 'L'"),
            ("* * 15W * *", "day-of-month field '15W'"),
            ("* * * * 5#2", "day-of-week field '5#2'"),
            ("٣ * * * *", "minute field '٣'"),
            ("00000000001 * * * *", "minute field"),
            ("* * * *", "4 fields; write 5"),
            ("* * * * * * *", "7 fields; write 5"),
            ("", "0 fields; write 5"),
            ("@reboot", "allowed are @yearly"),
            ("@every", "is not a duration"),
            ("@every 0s", "from 1s"),
            ("0 0 30 2 *", "can never match"),
            ("0 0 31 4,6,9,11 *", "can never match"),
        ],
    )
    def test_garbage_is_an_error_that_names_the_field(self, line: str, words: str) -> None:
        with pytest.raises(ScheduleError) as caught:
            parse_cron(line)
        assert words in str(caught.value)

    @pytest.mark.parametrize("zone", ["Mars/Base", "", "../etc/passwd", "/etc/passwd", "Europe", "a\0b"])
    def test_an_unknown_time_zone_is_an_error(self, zone: str) -> None:
        with pytest.raises(ScheduleError, match="no time zone"):
            parse_cron("* * * * *", zone)

    @settings(deadline=None)
    @given(st.text(alphabet="0123456789*/-,?@ LWJANMOFRI#", max_size=24))
    def test_any_text_is_a_schedule_or_a_schedule_error(self, line: str) -> None:
        try:
            schedule = parse_cron(line)
        except ScheduleError:
            return
        assert schedule.first(NOW) is not None

    def test_the_end_of_time_is_never_due(self) -> None:
        schedule = parse_cron("* * * * *", "Pacific/Auckland")
        assert schedule.first(datetime.max.replace(tzinfo=UTC)) is None


class TestMissedCronTimes:
    def test_they_are_counted_both_ends_included(self) -> None:
        hourly = parse_cron("@hourly")
        assert hourly.missed(NOW, NOW + timedelta(hours=3)) == 4
        assert hourly.missed(NOW, NOW - timedelta(hours=1)) == 0

    def test_many_are_counted_without_looking_at_each(self) -> None:
        every_second = parse_cron("* * * * * *", "Europe/Berlin")
        assert every_second.missed(NOW, NOW + timedelta(days=3650)) == 3650 * 86_400 + 1

    def test_a_cron_line_that_is_seldom_due_is_counted_over_years(self) -> None:
        assert parse_cron("0 0 29 2 *").missed(utc(2028, 2, 29), utc(2100, 12, 31)) == 18

    @pytest.mark.parametrize("line", ["* * * * * *", "*/7 * * * *", "0 9 * * MON", "0 0 29 2 *"])
    def test_the_last_one_is_known_over_years(self, line: str) -> None:
        schedule = parse_cron(line, "America/New_York")
        due = schedule.first(NOW)
        assert due is not None
        now = NOW + timedelta(days=1500, seconds=12_345)
        latest = schedule.latest(due, now)
        following = schedule.following(latest, latest)
        assert following is not None
        assert latest <= now < following


class TestClocksGoForward:
    """In Berlin on 29 March 2026, 02:00 to 03:00 is not shown."""

    DAY = (utc(2026, 3, 28, 23), utc(2026, 3, 29, 22))

    def berlin(self, line: str) -> list[str]:
        return on_the_wall(parse_cron(line, "Europe/Berlin"), "Europe/Berlin", *self.DAY)

    def test_a_time_in_the_gap_is_due_once_at_the_first_instant_after_it(self) -> None:
        assert self.berlin("30 2 * * *") == ["03:00+0200"]

    def test_many_times_in_the_gap_are_due_together(self) -> None:
        assert self.berlin("*/10 2 * * *") == ["03:00+0200"]

    def test_a_time_in_the_gap_and_one_right_after_it_are_due_together(self) -> None:
        assert self.berlin("0 2,3 * * *") == ["03:00+0200"]

    def test_a_time_outside_it_is_due_as_ever(self) -> None:
        assert self.berlin("0 1,4 * * *") == ["01:00+0100", "04:00+0200"]

    def test_a_line_on_every_hour_has_no_due_time_for_the_hour_that_does_not_exist(self) -> None:
        assert self.berlin("30 * * * *")[:3] == ["00:30+0100", "01:30+0100", "03:30+0200"]
        assert len(self.berlin("30 * * * *")) == 23

    def test_a_line_on_every_other_hour_loses_none(self) -> None:
        assert self.berlin("0 */2 * * *")[:3] == ["00:00+0100", "03:00+0200", "04:00+0200"]

    def test_a_day_that_does_not_exist_costs_nothing_of_the_next(self) -> None:
        """Apia went from 29 to 31 December 2011."""
        schedule = parse_cron("30 */3 31 * *", "Pacific/Apia")
        assert schedule.first(utc(2011, 12, 27)) == utc(2011, 12, 30, 10, 30)

    def test_a_midnight_that_does_not_exist_is_made_up_for(self) -> None:
        due = on_the_wall(
            parse_cron("@midnight", "Africa/Cairo"),
            "Africa/Cairo",
            utc(2026, 4, 23, 20),
            utc(2026, 4, 24, 20),
        )
        assert due == ["01:00+0300"]


class TestClocksGoBack:
    """In Berlin on 25 October 2026, 02:00 to 03:00 is shown twice."""

    DAY = (utc(2026, 10, 24, 22), utc(2026, 10, 25, 23))

    def berlin(self, line: str) -> list[str]:
        return on_the_wall(parse_cron(line, "Europe/Berlin"), "Europe/Berlin", *self.DAY)

    def test_a_fixed_time_is_due_the_first_time_only(self) -> None:
        assert self.berlin("30 2 * * *") == ["02:30+0200"]

    def test_fixed_times_in_and_after_the_hour_are_due_once_each(self) -> None:
        assert self.berlin("*/30 2,3 * * *") == ["02:00+0200", "02:30+0200", "03:00+0100", "03:30+0100"]

    def test_one_armed_during_the_second_hour_does_not_take_it_for_the_first(self) -> None:
        second_hour = utc(2026, 10, 25, 1, 10)
        schedule = parse_cron("30 2 * * *", "Europe/Berlin")
        assert schedule.first(second_hour) == utc(2026, 10, 26, 1, 30)
        assert parse_cron("*/10 2,3 * * *", "Europe/Berlin").first(second_hour) == utc(2026, 10, 25, 2)

    def test_a_fixed_time_that_is_next_due_two_days_later_is_not_due_in_the_second_hour(self) -> None:
        schedule = parse_cron("5-10 1 */2 * *", "America/New_York")
        assert schedule.first(utc(2026, 11, 1, 5, 10)) == utc(2026, 11, 3, 6, 5)

    def test_a_line_on_every_hour_is_due_at_each_real_one(self) -> None:
        assert self.berlin("30 * * * *")[1:4] == ["01:30+0200", "02:30+0200", "02:30+0100"]
        assert len(self.berlin("30 * * * *")) == 25

    def test_a_line_on_every_minute_is_due_at_each_real_one(self) -> None:
        assert len(self.berlin("* * * * *")) == 25 * 60

    def test_an_hour_that_comes_back_from_the_next_day_is_due_at_each_real_minute(self) -> None:
        schedule = parse_cron("0,30 * 29 * *", "Africa/Cairo")
        due = on_the_wall(schedule, "Africa/Cairo", utc(2026, 10, 29, 20), utc(2026, 10, 30, 20))
        assert due == ["23:00+0300", "23:30+0300", "23:00+0200", "23:30+0200"]

    def test_a_step_of_hours_counts_both(self) -> None:
        assert self.berlin("0 */2 * * *")[:4] == ["00:00+0200", "02:00+0200", "02:00+0100", "04:00+0100"]


ZONES = [
    ("UTC", utc(2026, 3, 27)),
    ("Europe/Berlin", utc(2026, 3, 27)),
    ("Europe/Berlin", utc(2026, 10, 23)),
    ("America/New_York", utc(2026, 3, 6)),
    ("America/New_York", utc(2026, 10, 30)),
    ("Australia/Lord_Howe", utc(2026, 4, 3)),
    ("Australia/Lord_Howe", utc(2026, 10, 2)),
    ("Africa/Cairo", utc(2026, 4, 22)),
    ("Africa/Cairo", utc(2026, 10, 28)),
    ("America/Havana", utc(2026, 10, 30)),
    ("America/Sao_Paulo", utc(2018, 11, 2)),
    ("America/St_Johns", utc(2010, 11, 5)),
    ("Pacific/Apia", utc(2011, 12, 28)),
    ("Asia/Kathmandu", utc(2026, 3, 27)),
]

minutes = st.sampled_from(["*", "*/7", "0", "30", "0,30", "5-10", "59"])
hours = st.sampled_from(["*", "*/2", "*/3", "0", "1", "2", "0,12", "1-3", "23", "0-23"])
days = st.sampled_from(["*", "*", "*", "*/2", "1-7", "29"])
weekdays = st.sampled_from(["*", "*", "SUN", "SAT-SUN", "1-5"])


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(ZONES), minutes, hours, days, weekdays)
def test_due_times_are_those_found_by_looking_at_every_minute(
    place: tuple[str, datetime], minute: str, hour: str, day: str, weekday: str
) -> None:
    zone, start = place
    schedule = parse_cron(f"{minute} {hour} {day} * {weekday}", zone)
    assert isinstance(schedule, Cron)
    end = start + timedelta(days=3, hours=12)
    assert due_between(schedule, start, end) == minute_by_minute(schedule, ZoneInfo(zone), start, end)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(ZONES), minutes, hours, days, weekdays, st.integers(0, 4 * 86_400))
def test_missed_due_times_are_as_many_as_come_one_after_the_other(
    place: tuple[str, datetime], minute: str, hour: str, day: str, weekday: str, seconds: int
) -> None:
    zone, start = place
    schedule = parse_cron(f"{minute} {hour} {day} * {weekday}", zone)
    due = schedule.first(start)
    assert due is not None
    now = due + timedelta(seconds=seconds)
    missed = due_between(schedule, due, now + MICROSECOND)
    assert schedule.missed(due, now) == len(missed)
    assert schedule.latest(due, now) == missed[-1]


def minute_by_minute(schedule: Cron, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Return the due times by asking of each minute whether its wall time is allowed, slow and plain."""
    found: list[datetime] = []
    shown: set[datetime] = set()
    at = start - timedelta(days=1)
    wall = at.astimezone(zone).replace(tzinfo=None)
    while at < end:
        now_shown = at.astimezone(zone).replace(tzinfo=None)
        skipped = [wall + timedelta(minutes=n) for n in range(int((now_shown - wall).total_seconds() // 60))]
        made_up = not schedule.times.every_hour and any(allows(schedule, one) for one in skipped)
        again = now_shown in shown and not schedule.times.repeats
        if made_up or (allows(schedule, now_shown) and not again):
            found.append(at)
        shown.add(now_shown)
        wall, at = now_shown + timedelta(minutes=1), at + timedelta(minutes=1)
    return [due for due in found if due >= start]


def allows(schedule: Cron, wall: datetime) -> bool:
    times = schedule.times
    if not (times.hours >> wall.hour & 1 and times.minutes >> wall.minute & 1):
        return False
    day, weekday = bool(times.days >> wall.day & 1), bool(times.weekdays >> wall.isoweekday() % 7 & 1)
    if times.days_given and times.weekdays_given:
        return day or weekday
    return day and weekday


numbers = st.integers(0, 59)
lists_of_minutes = st.lists(numbers, min_size=1, max_size=3).map(lambda some: ",".join(map(str, some)))


moments = st.integers(946_684_800, 3_786_912_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@settings(deadline=None)
@given(
    st.one_of(minutes, lists_of_minutes),
    hours,
    st.sampled_from(["*", "1", "15", "31", "1-7", "28-30"]),
    st.sampled_from(["*", "2", "JAN-MAR", "*/5", "DEC"]),
    st.sampled_from(["*", "0", "7", "FRI", "1-5"]),
    moments,
)
def test_in_utc_due_times_are_those_of_croniter(
    minute: str, hour: str, day: str, month: str, weekday: str, now: datetime
) -> None:
    line = f"{minute} {hour} {day} {month} {weekday}"
    assume(line.split()[2:4] not in (["31", "2"],))
    try:
        ours = parse_cron(line).first(now)
    except ScheduleError:
        return
    assert ours == croniter(line, now).get_next(datetime)


@settings(deadline=None)
@given(
    st.sampled_from(["* * * * *", "30 2 * * *", "0 */2 * * *", "0 0 29 2 *", "0 9 * * MON"]),
    st.sampled_from([zone for zone, _ in ZONES]),
    moments,
)
def test_a_due_time_is_always_still_to_come(line: str, zone: str, now: datetime) -> None:
    schedule = parse_cron(line, zone)
    due = schedule.first(now)
    assert due is not None
    assert due > now
    assert due.tzinfo is UTC
    assert schedule.following(due, now) == schedule.first(due)


@given(
    st.sampled_from(["* * * * *", "*/7 * * * * *", "30 2 * * *", "0 3 29 2 *", "59 59 23 31 12 ?"]),
    st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"]),
    st.integers(0, 40 * 365 * 86_400 * 1_000_000),
)
def test_what_is_remembered_of_an_answer_is_what_is_found_again(
    line: str, zone: str, microseconds: int
) -> None:
    cron, now = parse_cron(line, zone), utc(1995, 1, 1) + timedelta(microseconds=microseconds)
    assert isinstance(cron, Cron)
    assert cron.first(now) == cron.first(now) == cron.after(now)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(list(Dst)),
    minutes,
    hours,
    days,
    st.lists(st.integers(0, 5 * 86_400 * 4), min_size=2, max_size=12),
)
def test_moments_in_any_order_have_the_due_times_that_come_one_after_the_other(
    place: tuple[str, datetime], dst: Dst, minute: str, hour: str, day: str, quarters: list[int]
) -> None:
    zone, start = place
    schedule = parse_cron(f"{minute} {hour} {day} * *", zone, dst)
    ordered = due_between(schedule, start, start + timedelta(days=9))
    for quarter in quarters:
        now = start + quarter * timedelta(seconds=0.25)
        coming = next((due for due in ordered if due > now), None)
        found = schedule.first(now)
        assert found == coming or (
            coming is None and found is not None and found >= start + timedelta(days=9)
        )


def test_jobs_with_the_same_line_share_one_schedule() -> None:
    assert parse_cron("0 3 * * *", "Europe/Berlin") is parse_cron("0 3 * * *", "Europe/Berlin")
    assert parse_cron("0 3 * * *", "Europe/Berlin") != parse_cron("0 3 * * *", "UTC")
