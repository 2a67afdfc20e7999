"""moontide.toml and the MOONTIDE_... variables."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest

from engine.errors import SettingsError
from engine.roles import Role
from engine.run import Limits
from engine.settings import allowed_of, load_settings, setting_fields, settings_template, variable_of


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("MOONTIDE_")]:
        monkeypatch.delenv(name)


def write(home: Path, text: str) -> None:
    (home / "moontide.toml").write_text(text, encoding="utf-8")


def problem(home: Path, text: str = "") -> str:
    write(home, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(home)
    return str(caught.value)


class TestFile:
    def test_without_a_file_the_defaults_serve(self, tmp_path: Path) -> None:
        settings = load_settings(tmp_path)
        assert settings.pool.size == 10
        assert settings.watch is None
        assert settings.run_limits() == Limits()
        assert settings.source_bytes() == 256 * 2**10

    def test_the_home_folder_holds_jobs_and_database(self, tmp_path: Path) -> None:
        settings = load_settings(tmp_path)
        assert settings.jobs_folder(tmp_path) == tmp_path / "jobs"
        assert settings.database_url(tmp_path) == f"sqlite:///{tmp_path}/moontide.db"

    def test_a_database_url_is_taken_as_it_is(self, tmp_path: Path) -> None:
        write(tmp_path, 'database = "postgresql+psycopg://host/name"')
        assert load_settings(tmp_path).database_url(tmp_path) == "postgresql+psycopg://host/name"

    def test_durations_and_sizes_are_written_for_people(self, tmp_path: Path) -> None:
        write(tmp_path, '[limits]\ntimeout = "1m30s"\ncpu = 5\nmemory = "16MB"\n[engine]\nstop_after = "2s"')
        settings = load_settings(tmp_path)
        limits = settings.run_limits()
        assert (limits.wall_seconds, limits.cpu_seconds, limits.memory_bytes) == (90, 5, 16 * 2**20)
        assert settings.engine.stop_after == 2

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("pol = 3", "unknown key pol; did you mean pool?"),
            ("[pool]\nsise = 3", "unknown key pool.sise; did you mean pool.size?"),
            ("qqqq = 3", "unknown key qqqq"),
            ("pool = 3", "pool must be a table, [pool]"),
            ('[pool]\nsize = "ten"', 'pool.size = "ten": allowed is a whole number, 0 or more'),
            ("[pool]\nsize = -1", "pool.size = -1: allowed is"),
            ("[pool]\nsize = true", "pool.size = true: allowed is"),
            ("[pool]\nsize = 2.5", "pool.size = 2.5: allowed is"),
            ("[limits]\ncalls = 0", "limits.calls = 0: allowed is a whole number, 1 or more"),
            ('[limits]\ntimeout = "soon"', 'limits.timeout = "soon": allowed is a duration such as "30s"'),
            ("[limits]\ncpu = 0", "limits.cpu = 0: allowed is a duration"),
            ('[limits]\nmemory = "lots"', 'limits.memory = "lots": allowed is a size such as "64MB"'),
            (
                '[limits]\nsource = "1MB"',
                'limits.source = "1MB": allowed is a size such as "64KB", at most 256KB',
            ),
            ("[limits.tags]\nshop = 0", 'limits.tags = {"shop": 0}: allowed is a table of tags'),
            ('[schedules]\ntea = "soon"', 'schedules = {"tea": "soon"}: allowed is a table of names'),
            ('timezone = "Mars"', 'timezone = "Mars": allowed is an IANA name'),
            ('watch = "maybe"', 'watch = "maybe": allowed is true or false'),
            ("jobs = ''", 'jobs = "": allowed is a path'),
            ("[plugins]\ndisable = [1]", "plugins.disable = [1]: allowed is a list of names"),
            ('[log]\nlevel = "loud"', 'log.level = "loud": allowed is "debug", "info"'),
            ('[api]\ntcp = "here"\ntoken = "x"', 'api.tcp = "here": allowed is "host:port"'),
            ('[api]\ntcp = "h:99999"\ntoken = "x"', 'api.tcp = "h:99999"'),
            ('[api]\ntcp = "127.0.0.1:7424"', "api.tcp is set without api.token"),
            (
                '[api.tokens]\nwall = { role = "king", token = "x" }',
                "api.tokens: allowed is a table of names",
            ),
            ('[api.tokens]\n"a b" = { role = "viewer", token = "x" }', "api.tokens: allowed is"),
            ('[api.tokens]\nwall = { role = "viewer", token = "" }', "api.tokens: allowed is"),
        ],
    )
    def test_a_wrong_key_is_told_with_its_value_and_what_is_allowed(
        self, tmp_path: Path, text: str, words: str
    ) -> None:
        assert words in problem(tmp_path, text)

    def test_all_wrong_keys_are_told_at_once(self, tmp_path: Path) -> None:
        told = problem(tmp_path, 'timezone = "Mars"\n[pool]\nsize = -1\nsise = 2')
        assert all(words in told for words in ("timezone", "pool.size = -1", "pool.sise"))

    def test_broken_toml_is_told_with_its_line(self, tmp_path: Path) -> None:
        assert "line 2" in problem(tmp_path, 'jobs = "jobs"\npool = = 3\n')

    @pytest.mark.parametrize("open", ["[", "{ a = "])
    def test_what_is_nested_without_end_is_told_with_its_file(self, tmp_path: Path, open: str) -> None:
        assert "moontide.toml: its tables or lists are nested too deep" in problem(
            tmp_path, f"a = {open * 5000}"
        )

    def test_a_number_without_end_is_told_with_its_file(self, tmp_path: Path) -> None:
        told = problem(tmp_path, f"pool.size = {'9' * 5000}")
        assert "moontide.toml: a number in it has more digits than can be read" in told

    @pytest.mark.parametrize("key", ["pool.size", "limits.timeout", "limits.memory", "engine.stop_after"])
    def test_a_number_larger_than_any_float_is_told_by_its_key(self, tmp_path: Path, key: str) -> None:
        assert key in problem(tmp_path, f"{key} = {'9' * 400}")

    def test_a_file_that_is_not_utf8_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "moontide.toml").write_bytes(b"# caf\xe9")
        with pytest.raises(SettingsError, match="not UTF-8"):
            load_settings(tmp_path)

    def test_a_file_that_cannot_be_read_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "moontide.toml").mkdir()
        with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
            load_settings(tmp_path)


class TestVariables:
    @pytest.mark.parametrize(
        ("key", "value", "wanted"),
        [
            ("pool.size", "3", 3),
            ("watch", "true", True),
            ("limits.timeout", "90", 90.0),
            ("limits.memory", "1GB", 2**30),
            ("plugins.disable", "slack, email", ["slack", "email"]),
            ("timezone", "Europe/Berlin", "Europe/Berlin"),
            ("log.level", "debug", "debug"),
        ],
    )
    def test_a_variable_sets_a_key(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str, wanted: object
    ) -> None:
        monkeypatch.setenv(variable_of(key), value)
        found: object = load_settings(tmp_path)
        for part in key.split("."):
            found = getattr(found, part)
        assert found == wanted

    def test_a_variable_wins_over_the_file_and_leaves_its_neighbours(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path, '[limits]\ntimeout = "5m"\ncpu = "1s"')
        monkeypatch.setenv("MOONTIDE_LIMITS__TIMEOUT", "10s")
        limits = load_settings(tmp_path).limits
        assert (limits.timeout, limits.cpu) == (10, 1)

    def test_an_empty_variable_is_as_if_it_were_not_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MOONTIDE_POOL__SIZE", "")
        assert load_settings(tmp_path).pool.size == 10

    def test_the_home_variable_is_no_setting(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MOONTIDE_HOME", "/somewhere")
        assert load_settings(tmp_path).jobs == "jobs"

    @pytest.mark.parametrize("name", ["MOONTIDE_POOL__SISE", "MOONTIDE_POOL", "moontide_pool__sise"])
    def test_an_unknown_variable_is_told_with_the_nearest_and_without_its_value(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setenv(name, "hush")
        told = problem(tmp_path)
        assert f"unknown variable {name}; did you mean MOONTIDE_POOL__SIZE?" in told
        assert "hush" not in told

    def test_a_bad_value_is_told_with_the_variable(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MOONTIDE_POOL__SIZE", "many")
        assert problem(tmp_path).startswith('MOONTIDE_POOL__SIZE: pool.size = "many": allowed is')


class TestSecrets:
    @pytest.mark.parametrize(
        "text",
        [
            '[api]\ntoken = ["hush"]',
            '[api]\ntcp = "x"\ntoken = "hush"',
            'api = "hush"',
            '[api.tokens]\nwall = { role = "king", token = "hush" }',
            '[api.tokens]\na = { role = "viewer", token = "hush" }\nb = { role = "admin", token = "hush" }',
            '[api]\ntoken = "hush"\ntokens.one = { role = "viewer", token = "hush" }',
            'database = "mysql://me:hush@host/x"',
            'pasword = "hush"',
            '[api]\npassword = "hush"',
        ],
    )
    def test_they_are_never_told_in_an_error_nor_its_traceback(self, tmp_path: Path, text: str) -> None:
        write(tmp_path, text)
        with pytest.raises(SettingsError) as caught:
            load_settings(tmp_path)
        assert "hush" not in "".join(traceback.format_exception(caught.value))

    def test_they_are_not_shown_when_settings_are_printed(self, tmp_path: Path) -> None:
        write(tmp_path, 'database = "postgresql://me:hush@host/x"\n[api]\ntcp = "[::1]:7424"\ntoken = "hush"')
        settings = load_settings(tmp_path)
        assert "hush" not in repr(settings) + str(settings)
        assert settings.api.token.get_secret_value() == "hush"


class TestTokens:
    def test_each_has_a_name_and_a_role_and_the_first_may_do_everything(self, tmp_path: Path) -> None:
        write(tmp_path, '[api]\ntcp = "h:1"\ntoken = "a"\ntokens.wall = { role = "viewer", token = "b" }')
        assert load_settings(tmp_path).api.bearers() == [("", "a", Role.ADMIN), ("wall", "b", Role.VIEWER)]

    def test_named_ones_alone_suffice_for_tcp_and_may_come_from_a_variable(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MOONTIDE_API__TOKENS", '{"wall": {"role": "operator", "token": "b"}}')
        write(tmp_path, '[api]\ntcp = "h:1"')
        assert load_settings(tmp_path).api.bearers() == [("wall", "b", Role.OPERATOR)]


class TestTemplate:
    def test_it_sets_nothing(self, tmp_path: Path) -> None:
        write(tmp_path, settings_template())
        assert load_settings(tmp_path).model_dump() == load_settings(tmp_path / "nowhere").model_dump()

    def test_what_it_has_as_defaults_are_the_defaults(self, tmp_path: Path) -> None:
        lines = settings_template().splitlines()
        set_all = [
            line.removeprefix("#") for line in lines if not line.startswith(("# ", "#watch", "#stubs"))
        ]
        write(tmp_path, "\n".join(set_all))
        assert len([line for line in set_all if " = " in line]) == len(list(setting_fields())) - 2
        assert load_settings(tmp_path).model_dump() == load_settings(tmp_path / "nowhere").model_dump()

    def test_it_explains_every_setting(self) -> None:
        for key, field in setting_fields():
            assert f"#{key.rpartition('.')[2]} = " in settings_template()
            assert field.description, key
            assert allowed_of(field), key
