"""Plugins add to job files; what is broken in them becomes words or a line in the log, and stops nobody."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import JobFileError, PluginError
from engine.extensions.plugins import Plugins, load_plugins
from engine.jobs.additions import NOTHING_ADDED, JobSetting
from engine.jobs.jobfile import JobSettings, parse_settings
from engine.jobs.policies import GO_ON, Failure, OutcomePolicy, Verdict
from engine.rules.lifecycle import at_start
from engine.rules.outcome import after_run
from engine.run import Outcome
from engine.states import JobStatus, RunStatus, Trigger
from engine.stubs import definitions
from engine.times.schedule import Schedule
from tests.engine.extensions.test_plugins import stranger
from tests.engine.strangers.additions import LATE

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return load_plugins(candidates=[stranger("additions")])


def read(plugins: Plugins, **raw: object) -> JobSettings:
    return parse_settings(raw, additions=plugins.additions)


def schedule(plugins: Plugins, **raw: object) -> Schedule:
    made = read(plugins, **raw).schedule(additions=plugins.additions)
    assert made is not None
    return made


def test_what_has_a_taken_name_is_not_used_and_told(plugins: Plugins) -> None:
    [view] = plugins.views
    assert view.status == "loaded"
    assert view.reason.split("; ")[0] == "the setting retries of job files is taken already"
    assert [word for word in ("cron", '"continue"', "'two words'") if word not in view.reason] == []
    assert view.adds == [
        "setting owner",
        "setting weight",
        "setting patience",
        "setting odd",
        "schedule strange",
        "on_error broken",
    ]
    assert read(plugins, cron="@daily", on_error="continue", retries=2).retries == 2


def test_settings_have_their_values_or_defaults(plugins: Plugins) -> None:
    settings = read(plugins, owner="ann", weight=3, patience="5m")
    assert settings.added == {"owner": "ann", "weight": 3.0, "patience": 300.0, "odd": None, "strange": None}
    assert read(plugins).added["patience"] == 60.0


def test_settings_stand_among_the_others_as_plain_data(plugins: Plugins) -> None:
    settings = read(plugins, owner="ann", every="2m")
    assert settings.as_dict()["owner"] == "ann"
    assert read(plugins, **settings.as_dict()) == settings


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"owner": "carl"}, 'owner = "carl": must be "ann" or "bob"'),
        ({"owner": 3}, 'owner = 3: must be "ann" or "bob"'),
        ({"weight": True}, "weight = true: must be a number"),
        ({"patience": "soon"}, "'soon' is not a duration"),
        ({"owne": "ann"}, "unknown setting 'owne'; did you mean owner?"),
        ({"odd": 1}, "odd = 1: could not be read by plugin additions: TypeError"),
        ({"strange": "raise"}, 'strange = "raise": could not be read by plugin additions: RuntimeError'),
        ({"every": "2m", "strange": "x"}, "both every and strange are set; keep one of them"),
        ({"jitter": "2m"}, "jitter needs every, cron, at or strange"),
        ({"on_error": "explode"}, 'on_error = "explode": must be one of deactivate, continue, broken'),
    ],
)
def test_a_wrong_value_is_told_in_words(plugins: Plugins, raw: dict[str, object], words: str) -> None:
    with pytest.raises(JobFileError) as caught:
        read(plugins, **raw)
    assert words in str(caught.value)


@pytest.mark.parametrize("how", ["broken", "stuck"])
def test_a_schedule_that_cannot_work_is_refused_with_the_file(plugins: Plugins, how: str) -> None:
    with pytest.raises(JobFileError, match="strange: plugin additions could not make a schedule of it"):
        schedule(plugins, strange=how)


def test_a_schedule_that_breaks_later_is_not_due_any_more(
    plugins: Plugins, caplog: pytest.LogCaptureFixture
) -> None:
    made = schedule(plugins, strange="late")
    assert made.following(NOW, NOW) == NOW + timedelta(days=1)
    with caplog.at_level(logging.ERROR):
        assert made.following(LATE, LATE) is None
    assert "plugin additions failed to tell when 'strange late' is due" in caplog.text


def test_what_was_missed_is_counted_one_by_one(plugins: Plugins) -> None:
    made = schedule(plugins, strange="fine")
    assert made.missed(NOW, NOW + timedelta(days=3)) == 4
    assert made.latest(NOW, NOW + timedelta(days=3, hours=1)) == NOW + timedelta(days=3)


def after_failure(settings: JobSettings, **more: object) -> tuple[JobStatus, datetime | None]:
    before = at_start(None, settings, settings.schedule(), now=NOW, session=7).state
    state = after_run(
        before,
        settings,
        settings.schedule(),
        Outcome(RunStatus.ERROR, error="no moon"),
        started=NOW,
        finished=NOW + timedelta(minutes=1),
        session=7,
        trigger=Trigger.SCHEDULE,
        **more,  # type: ignore[arg-type]
    )
    assert state.error == "no moon"
    return state.status, state.next_due


def test_a_policy_that_raises_deactivates_the_job(plugins: Plugins, caplog: pytest.LogCaptureFixture) -> None:
    settings = read(plugins, every="1h", on_error="broken")
    assert after_failure(settings, on_error=plugins.additions.policies)[0] is JobStatus.INACTIVE
    assert "plugin additions failed to decide by on_error = 'broken'" in caplog.text


def test_a_policy_whose_plugin_is_gone_deactivates_the_job(plugins: Plugins) -> None:
    assert after_failure(read(plugins, every="1h", on_error="broken"))[0] is JobStatus.INACTIVE


@given(st.timedeltas(timedelta(days=-2), timedelta(days=400)))
def test_a_verdict_is_obeyed_whenever_its_moment_is(distance: timedelta) -> None:
    verdict = Verdict(active=True, sleep_until=NOW + distance)
    policy = OutcomePolicy(name="rest", decide=lambda failure: verdict, help="Rests.")
    additions = NOTHING_ADDED.with_policy(policy, "tests")
    settings = parse_settings({"every": "1h", "on_error": "rest"}, additions=additions)
    status, due = after_failure(settings, on_error=additions.policies)
    if distance > timedelta(minutes=1):
        assert (status, due) == (JobStatus.SLEEPING, NOW + distance)
    else:
        assert (status, due) == (JobStatus.WAITING, NOW + timedelta(hours=1))


def test_a_policy_knows_the_run_and_the_settings_of_its_job(plugins: Plugins) -> None:
    seen: list[Failure] = []

    def decide(failure: Failure) -> Verdict:
        seen.append(failure)
        return GO_ON

    additions = plugins.additions.with_policy(OutcomePolicy(name="look", decide=decide, help="."), "tests")
    settings = parse_settings({"every": "1h", "on_error": "look", "owner": "ann"}, additions=additions)
    assert after_failure(settings, on_error=additions.policies)[0] is JobStatus.WAITING
    assert (seen[0].status, seen[0].settings["owner"], seen[0].settings["every"]) == ("ERROR", "ann", 3600)


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"name": "two words", "type": str}, "must have a Lua name"),
        ({"name": "tuples", "type": tuple}, "type must be one of bool, int"),
        ({"name": "weight", "type": float, "default": "heavy"}, "'heavy' is not a number"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_where_it_is_declared(
    about: dict[str, object], reason: str
) -> None:
    with pytest.raises(PluginError, match=reason):
        JobSetting(help="Odd.", example="1", **about)  # type: ignore[arg-type]


def test_added_settings_are_completed_in_editors(plugins: Plugins) -> None:
    text = definitions({}, [], plugins.additions.settings.values())["job.lua"]
    assert "---@field owner? string Who answers.\n" in text
    assert "---@field patience? number|string How long to wait.\n" in text
