"""A crontab becomes job files that say what could not be carried over."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engine.times.crontab import ImportedJob, read_crontab
from tests.lab import open_lab, open_pool, plugins_with

CRONTAB = """\
# Sales
SHELL=/bin/bash
MAILTO="boss@example.com"
CRON_TZ=Europe/Berlin

*/15 9-17 * * 1-5 /usr/local/bin/report.sh --fast
@daily  cd /srv && ./cleanup.py
@reboot /usr/bin/warm-up
0 25 * * * /bin/never
0 3 * * * /usr/local/bin/report.sh --slow
"""


def job(number: int, text: str = CRONTAB, *, system: bool = False) -> ImportedJob:
    return read_crontab(text, system=system)[number]


def test_every_line_with_times_becomes_a_job_named_after_its_command() -> None:
    jobs = read_crontab(CRONTAB)
    assert [(one.name, one.line) for one in jobs] == [
        ("report", 6),
        ("srv", 7),
        ("warm_up", 8),
        ("never", 9),
        ("report_2", 10),
    ]


def test_times_and_zone_are_carried_over() -> None:
    assert 'cron = "*/15 9-17 * * 1-5"' in job(0).text
    assert 'timezone = "Europe/Berlin"' in job(0).text
    assert "run_at_start = true" in job(2).text


def test_every_job_comes_switched_off() -> None:
    assert all("active = false" in one.text for one in read_crontab(CRONTAB))


def test_what_could_not_be_carried_over_is_said() -> None:
    assert job(0).problems == (
        "the command: a job cannot start programs",
        "the mail to boss@example.com: send one with core.email",
    )
    assert "cron hour field '25'" in job(3).problems[0]
    assert all(f"--   {problem}" in job(3).text for problem in job(3).problems)


def test_a_system_crontab_has_users() -> None:
    made = job(0, "17 * * * * root run-parts /etc/cron.hourly\n", system=True)
    assert made.name == "run_parts"
    assert "the user root: all jobs run in the engine's sandbox" in made.problems


def test_a_command_with_quotes_makes_a_good_file() -> None:
    made = job(0, '0 1 * * * echo "a\\"b" %input\n')
    assert "the input after % that cron gives to the command" in made.problems


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    names = [one.name for one in read_crontab(text)]
    assert len(names) == len(set(names))


async def test_every_file_that_is_made_can_be_declared(tmp_path: Path) -> None:
    nasty = '0 1 * * * echo ]] --[[ \'"\\n" \u202e\n@weekly \n* * * * * é\n'
    jobs, store = tmp_path / "jobs", tmp_path / "store"
    jobs.mkdir()
    store.mkdir()
    plugins = plugins_with()
    async with open_pool(plugins) as pool, open_lab(pool, plugins, jobs, store) as lab:
        for made in read_crontab(CRONTAB + nasty):
            found = await lab.declare(made.name, made.text)
            assert found.settings is not None, found.error
            assert not found.settings.active
