"""What job files may name, as values: for completion and help while somebody writes one.

They are read from the definition files for other editors (`engine.stubs`), so that all know the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from engine.calls.core import CoreModule
from engine.calls.signatures import Remark, remarks_of, split_type
from engine.jobs.additions import Setting
from engine.stubs import definitions
from engine.views import LuaClassView, LuaMemberView, LuaParameterView

_FUNCTION = re.compile(r"function (?P<owner>\w+(?:\.\w+)*)(?P<sign>[.:])(?P<name>\w+)\((?P<names>[^)]*)\)")
_FUN = re.compile(r"fun\((?P<given>.*)\)(?::\s*(?P<returned>.+))?$")


def lua_classes(modules: Mapping[str, CoreModule], added: Collection[Setting] = ()) -> list[LuaClassView]:
    """Return the tables that job files meet, with all that they hold, by the names that LuaLS gives them.

    `core` and `moontide.Job` are where one begins; the types of members lead to the others.

    Args:
        modules: what stands below `core`.
        added: settings of job files that plugins add.
    """
    classes: dict[str, LuaClassView] = {}
    callable_as: dict[str, LuaMemberView] = {}
    for text in definitions(modules, (), added).values():
        _read_file(text, classes, callable_as)
    _add_tables(classes)
    return [_with_calls(one, callable_as) for one in classes.values()]


def _add_tables(classes: Mapping[str, LuaClassView]) -> None:
    """Let `core` hold its tables that no field of it names, such as `core.json`."""
    core = classes["core"]
    known = {f"core.{member.name}" for member in core.members}
    for name in classes.keys() - known:
        if re.fullmatch(r"core\.\w+", name):
            core.members.append(LuaMemberView(name.removeprefix("core."), name, classes[name].doc))


def _read_file(text: str, classes: dict[str, LuaClassView], callable_as: dict[str, LuaMemberView]) -> None:
    #: The class that each local table of this file is.
    tables: dict[str, str] = {}
    for remark in remarks_of(text):
        if name := remark.class_name:
            tables[remark.table or name] = name
            _class(classes, name, remark.text()).members.extend(_fields(remark))
            if overloads := remark.values("overload"):
                callable_as[name] = _field("", overloads[0], "")
        elif found := _FUNCTION.match(remark.code):
            owner = tables.get(found["owner"], found["owner"])
            _class(classes, owner, "").members.append(_function(found, remark))


def _class(classes: dict[str, LuaClassView], name: str, doc: str) -> LuaClassView:
    known = classes.get(name, LuaClassView(name, "", []))
    classes[name] = replace(known, doc=known.doc or doc)
    return classes[name]


def _with_calls(one: LuaClassView, callable_as: Mapping[str, LuaMemberView]) -> LuaClassView:
    """Return a class whose tables that can be called too, such as `core.log`, say with what."""

    def called(member: LuaMemberView) -> LuaMemberView:
        how = callable_as.get(member.type)
        return member if how is None else replace(member, parameters=how.parameters, returns=how.returns)

    return replace(one, members=[called(member) for member in one.members])


def _fields(remark: Remark) -> Iterator[LuaMemberView]:
    for name, kind, words in remark.named("field"):
        yield _field(name.rstrip("?"), kind, words)


def _field(name: str, kind: str, words: str) -> LuaMemberView:
    found = _FUN.match(kind)
    if found is None:
        return LuaMemberView(name, kind, words)
    parameters = [_given(part) for part in _parts(found["given"])]
    method = bool(parameters) and parameters[0].name == "self"
    returns = _parts(found["returned"] or "")
    return LuaMemberView(name, "function", words, method, parameters[method:], returns)


def _given(part: str) -> LuaParameterView:
    name, _, kind = part.partition(":")
    return LuaParameterView(name.strip().rstrip("?"), kind.strip(), name.strip().endswith("?"), "")


def _parts(text: str) -> list[str]:
    """Return what commas separate, outside of all brackets."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "(<{") - (sign in ")>}")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts if part.strip()]


def _function(found: re.Match[str], remark: Remark) -> LuaMemberView:
    return LuaMemberView(
        name=found["name"],
        type="function",
        doc=remark.text(),
        method=found["sign"] == ":",
        parameters=[_parameter(*one) for one in _declared(remark, found["names"])],
        returns=[split_type(value)[0] for value in remark.values("return")],
    )


def _declared(remark: Remark, names: str) -> Iterable[tuple[str, str, str]]:
    return remark.named("param") or [(name, "any", "") for name in _parts(names)]


def _parameter(name: str, kind: str, words: str) -> LuaParameterView:
    return LuaParameterView(name.rstrip("?"), kind, name.endswith("?"), words)
