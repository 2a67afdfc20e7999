"""The pytest plugin for job authors, used as they use it: in tests of their own."""

from __future__ import annotations

import pytest

pytest_plugins = "pytester"

REPORT = """
local job = core.job { every = "2m" }
function job.run(run)
  local toys, problem, code = core.shop.select("toys", { where = { stock = run.data.stock or 0 } })
  if not toys then
    core.log.error(problem)
    return job.EXIT, { code = code }
  end
  local config = core.data("config")
  local id = config:save { sold_out = #toys }
  core.log("found", #toys)
  return job.OK, { saved = config:get(id).sold_out, first = toys[1] and toys[1].name }
end
return job
"""

#: A plugin of the author's own, as a real one would reach a database.
SHOP = '''
from moontide import CoreCall, CoreModule, hookimpl

shop = CoreModule("shop", summary="A shop.")

@shop.function()
async def select(call: CoreCall, table: str, options: dict) -> list:
    """Reach out."""
    raise AssertionError("the real shop was asked")

@shop.function("selectOne")
def select_one(call: CoreCall, table: str) -> dict | None:
    """Reach out."""
    return {"name": "real " + table}

@hookimpl
def moontide_core_modules():
    return [shop]
'''


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with a job, and a plugin whose functions must not be reached by accident."""
    pytester.makeini("[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n")
    (pytester.mkdir("jobs") / "report.lua").write_text(REPORT)
    (pytester.path / "shop_plugin").mkdir()
    (pytester.path / "shop_plugin" / "shop.py").write_text(SHOP)
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture
        def job(job, request):
            folder = str(request.config.rootpath / "shop_plugin")
            return lambda *file, **more: job(*file, **{"settings": {"plugins_dir": folder}, **more})
        """
    )
    return pytester


def passes(project: pytest.Pytester, body: str) -> None:
    project.makepyfile("import pytest\nfrom moontide.testing import CoreError, FakeRows, Call\n\n" + body)
    result = project.runpytest_inprocess("-q")
    result.assert_outcomes(passed=1)


def test_a_job_runs_against_rows_that_the_test_gives(project: pytest.Pytester) -> None:
    passes(
        project,
        """
def test_report(job):
    run = job("report.lua", {"stock": 3}, shop=FakeRows({"name": "bear"}, {"name": "ball"}))
    assert run.returned == "OK"
    assert run.status == "COMPLETE"
    assert run.result == {"saved": 2, "first": "bear"}
    assert run.log == ["found 2"]
    assert run.called("shop.select") == [["toys", {"where": {"stock": 3}}]]
""",
    )


def test_calls_are_recorded_in_order_with_their_answers(project: pytest.Pytester) -> None:
    passes(
        project,
        """
def test_report(job):
    run = job("report.lua", shop=FakeRows())
    assert [call.function for call in run.calls] == ["shop.select", "data.save", "data.get"]
    assert run.calls[0] == Call("shop.select", ["toys", {"where": {"stock": 0}}], [])
    assert run.calls[2].answer["sold_out"] == 0
""",
    )


def test_answers_may_be_values_functions_and_errors(project: pytest.Pytester) -> None:
    passes(
        project,
        """
def test_report(job):
    assert job("report.lua", shop={"select": [{"name": "kite"}]}).result["first"] == "kite"
    by_call = job("report.lua", shop={"select": lambda table, options: [{"name": table}]})
    assert by_call.result["first"] == "toys"
    failed = job("report.lua", shop={"select": CoreError("the shop is closed", 815)})
    assert (failed.returned, failed.result, failed.log) == ("EXIT", {"code": 815}, ["the shop is closed"])
    assert failed.calls[0].error == "the shop is closed"
""",
    )


def test_nothing_is_reached_that_the_test_did_not_name(project: pytest.Pytester) -> None:
    passes(
        project,
        """
def test_report(job):
    run = job("report.lua")
    assert run.returned == "EXIT"
    assert run.log == ["core.shop.select has no answer in this test; give job(..., shop=...)"]
""",
    )


def test_a_module_named_as_real_is_reached(project: pytest.Pytester) -> None:
    (project.path / "jobs" / "one.lua").write_text(
        "local job = core.job()\\n"
        'function job.run() return job.OK, core.shop.selectOne("toys") end\\nreturn job'.replace("\\n", "\n")
    )
    passes(
        project,
        """
def test_one(job):
    run = job("one.lua", real=["shop"])
    assert run.result == {"name": "real toys"}
    assert run.calls == [Call("shop.selectOne", ["toys"], {"name": "real toys"})]
""",
    )


def test_values_may_be_as_large_as_in_the_engine(project: pytest.Pytester) -> None:
    (project.path / "jobs" / "large.lua").write_text(
        "local job = core.job()\n"
        "function job.run()\n"
        '  core.files.write("large.txt", ("x"):rep(3000000))\n'
        "  return job.OK\n"
        "end\n"
        "return job\n"
    )
    passes(
        project,
        """
def test_large(job):
    run = job("large.lua", files={"write": True})
    assert run.returned == "OK"
    assert [len(call.args[1]) for call in run.calls] == [3_000_000]
""",
    )


def test_arguments_are_checked_as_in_the_engine(project: pytest.Pytester) -> None:
    (project.path / "jobs" / "wrong.lua").write_text(
        "local job = core.job()\nfunction job.run()\n"
        "local _, problem, code = core.shop.select(7)\nreturn job.OK, { problem, code } end\nreturn job"
    )
    passes(
        project,
        """
def test_wrong(job):
    run = job("wrong.lua", shop=FakeRows())
    assert run.result == ["core.shop.select: table must be a string, got a number", 801]
    assert run.calls == []
""",
    )


def test_a_failing_job_shows_its_error(project: pytest.Pytester) -> None:
    (project.path / "jobs" / "bad.lua").write_text(
        'local job = core.job()\nfunction job.run() error("no moon") end\nreturn job'
    )
    passes(
        project,
        """
def test_bad(job):
    run = job("bad.lua")
    assert (run.status, run.returned) == ("ERROR", None)
    assert "bad.lua:2: no moon" in run.error
""",
    )


def test_settings_of_the_engine_hold_for_the_run(project: pytest.Pytester) -> None:
    passes(
        project,
        """
def test_report(job, request):
    folder = str(request.config.rootpath / "shop_plugin")
    settings = {"plugins_dir": folder, "permissions": "declared"}
    run = job("report.lua", settings=settings, shop=FakeRows())
    assert run.returned == "EXIT"
    assert "job report may not use core.shop; its allow does not list shop" in run.log
""",
    )


def test_the_table_of_a_module_with_a_stand_in_is_only_checked(project: pytest.Pytester) -> None:
    (project.path / "jobs" / "ask.lua").write_text(
        "local job = core.job()\nfunction job.run()\n"
        'return job.OK, core.mysql.selectOne("shop", { tbl = "toys", where = { id = 4 } }) end\nreturn job'
    )
    passes(
        project,
        """
def test_ask(job):
    settings = {"mysql": {"shop": {"url": "mysql://nobody@127.0.0.1:9/shop"}}}
    assert job("ask.lua", settings=settings, mysql=FakeRows({"id": 4})).result == {"id": 4}
    with pytest.raises(Exception, match="unknown field"):
        job("ask.lua", settings={"mysql": {"shop": {"colour": 1}}}, mysql=FakeRows())
""",
    )


def test_mistakes_in_the_test_are_told(project: pytest.Pytester) -> None:
    passes(
        project,
        """
def test_mistakes(job):
    with pytest.raises(ValueError, match="there is no core module shopp; there are .*shop"):
        job("report.lua", shopp=FakeRows())
    with pytest.raises(ValueError, match="core.shop has no function find; there are select, selectOne"):
        job("report.lua", shop={"find": []})
    with pytest.raises(ValueError, match="must be a dict of answers"):
        job("report.lua", shop=42)
    with pytest.raises(Exception, match="no job file nowhere.lua: looked at .*jobs/nowhere.lua"):
        job("nowhere.lua")
""",
    )


def test_library_modules_of_the_jobs_folder_are_there(project: pytest.Pytester) -> None:
    (project.path / "scripts" / "lib").mkdir(parents=True)
    (project.path / "scripts" / "lib" / "money.lua").write_text("return { cents = 100 }")
    (project.path / "scripts" / "pay.lua").write_text(
        'local money = require "lib.money"\nlocal job = core.job()\n'
        "function job.run() return job.OK, money.cents end\nreturn job"
    )
    project.makeini("[pytest]\nmoontide_jobs = scripts\nasyncio_default_fixture_loop_scope = function\n")
    passes(project, "def test_pay(job):\n    assert job('pay.lua').result == 100\n")


def test_jobs_run_inside_asynchronous_tests_too(project: pytest.Pytester) -> None:
    passes(
        project,
        """
@pytest.mark.asyncio
async def test_report(job):
    assert job("report.lua", shop=FakeRows()).returned == "OK"
""",
    )


def test_fake_rows_answer_as_a_database_does() -> None:
    from moontide.testing import CoreError, FakeRows

    rows = FakeRows({"id": 1}, changed=7)
    assert rows.answer("selectOne", []) == {"id": 1}
    assert FakeRows().answer("selectOne", []) is None
    assert rows.answer("selectCount", []) == 1
    assert rows.answer("query", ["shop", " select 1"]) == [{"id": 1}]
    assert rows.answer("query", ["shop", "UPDATE toys SET a = 1"]) == 7
    assert rows.answer("update", []) == 7
    with pytest.raises(CoreError, match="FakeRows knows no answer to selectBatch"):
        rows.answer("selectBatch", [])
