"""What job files may name, read from the declarations."""

from __future__ import annotations

import pytest

from engine.calls.core import CoreCall, CoreModule
from engine.extensions.plugins import find_plugins, load_plugins
from engine.jobs.jobfile import SETTINGS
from engine.luaclasses import lua_classes
from engine.views import LuaClassView, LuaMemberView


@pytest.fixture(scope="module")
def classes() -> dict[str, LuaClassView]:
    own = [candidate for candidate in find_plugins() if candidate.built_in]
    return {one.name: one for one in lua_classes(load_plugins(candidates=own).modules)}


def member(one: LuaClassView, name: str) -> LuaMemberView:
    return next(member for member in one.members if member.name == name)


def test_core_holds_every_module_and_function_once(classes: dict[str, LuaClassView]) -> None:
    names = [member.name for member in classes["core"].members]
    assert {"job", "log", "data", "mysql", "json", "json_safe", "uuid", "NULL", "sleep"} <= set(names)
    assert len(names) == len(set(names))


def test_types_lead_from_one_table_to_the_next(classes: dict[str, LuaClassView]) -> None:
    for one in classes.values():
        for member in one.members:
            if (kind := member.type.removesuffix("[]")).startswith("core."):
                assert kind in classes, (one.name, member.name)


def test_a_function_tells_its_arguments_and_returns(classes: dict[str, LuaClassView]) -> None:
    copy = member(classes["core.files"], "copy")
    given = [(one.name, one.type, one.optional) for one in copy.parameters or []]
    assert given == [
        ("source", "string", False),
        ("destination", "string", False),
        ("overwrite", "boolean", True),
    ]
    assert copy.returns == ["boolean|nil", "string?", "integer?"]
    assert copy.doc.startswith("Copy a file")


def test_a_module_that_can_be_called_says_with_what(classes: dict[str, LuaClassView]) -> None:
    log = member(classes["core"], "log")
    assert (log.type, [one.name for one in log.parameters or []]) == ("core.log", ["..."])
    assert member(classes["core"], "jobs").parameters is None


def test_methods_are_known_for_such(classes: dict[str, LuaClassView]) -> None:
    message = classes["core.email.Message"]
    assert member(message, "send").method
    assert member(message, "to").method
    assert [one.name for one in member(message, "to").parameters or []] == ["..."]
    assert not member(classes["core.email"], "new").method


def test_the_job_has_its_codes_and_every_setting(classes: dict[str, LuaClassView]) -> None:
    assert {"OK", "STOP", "save_info", "hour"} <= {one.name for one in classes["moontide.Job"].members}
    assert [one.name for one in classes["moontide.JobSettings"].members] == [one.name for one in SETTINGS]
    assert member(classes["core"], "job").parameters[0].type == "moontide.JobSettings"  # type: ignore[index]


def test_a_strangers_module_is_there_with_its_functions() -> None:
    module = CoreModule("slack", summary="Speaks to Slack.")

    @module.function()
    def post(call: CoreCall, channel: str, text: str = "hello") -> bool:
        """Post a text.

        Args:
            channel: such as "#alerts".
        """
        return True

    classes = {one.name: one for one in lua_classes({"slack": module})}
    assert member(classes["core"], "slack").type == "core.slack"
    given = member(classes["core.slack"], "post").parameters or []
    assert [(one.name, one.optional, one.doc) for one in given] == [
        ("channel", False, 'such as "#alerts".'),
        ("text", True, ""),
    ]
