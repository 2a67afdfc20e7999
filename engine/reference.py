"""The reference page of the core modules, made from their declarations.

python -m engine.reference docs/core/reference.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from engine.calls.core import CoreModule
from engine.calls.signatures import (
    LuaTypes,
    Remark,
    Signature,
    facade_remarks,
    lua_literal,
    one_line,
    signature_of,
    split_doc,
)
from engine.extensions.plugins import find_plugins, load_plugins

HEAD = """\
# Reference of the core modules

This page is made from the declarations in the code by `python -m engine.reference docs/core/reference.md`.
Each function gives `nil, message, code` when it fails, besides what stands here. How to use the modules, with
examples, is in [job-files.md](../job-files.md#the-core-table).
"""

ALWAYS_ALLOWED = 'Every job may use it, also with `permissions = "declared"`.'


def reference(modules: Mapping[str, CoreModule]) -> str:
    """Return the page about some core modules, in the order of their names."""
    pages = ["\n".join(_module(module)) for _, module in sorted(modules.items())]
    return "\n".join([HEAD, *pages]).rstrip() + "\n"


def _module(module: CoreModule) -> Iterator[str]:
    yield f"## core.{module.name}\n"
    yield f"{_escaped(module.summary)}\n"
    if module.free:
        yield f"{ALWAYS_ALLOWED}\n"
    if module.settings is not None:
        yield from _settings(module.name, module.settings)
    remarks = facade_remarks(module)
    types = LuaTypes(f"core.{module.name}.")
    signatures = [signature_of(function, types) for function in module.functions.values()]
    if remarks:
        yield from _facade(module, remarks)
    else:
        for signature in signatures:
            yield from _function(signature)
    named = "\n".join(line for remark in remarks for line in remark.lines)
    for name, kind in types.structs.items():
        # What a facade keeps to itself is nothing for a job's author.
        if not remarks or name in named:
            yield from _struct(name, kind)


def _settings(module: str, kind: Any) -> Iterator[str]:
    table = f"[{module}]"
    if get_origin(kind) is dict:
        table, kind = f"[{module}.NAME]", get_args(kind)[1]
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return
    words = split_doc(kind.__doc__ or "")[1]
    rows = [(one.encode_name, _default(one), words.get(one.name, "")) for one in msgspec.structs.fields(kind)]
    yield f"Its table in moontide.toml is `{table}`:\n"
    yield from _table(("key", "default", "is"), rows)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if field.default is not msgspec.NODEFAULT:
        return f"`{lua_literal(field.default)}`"
    return "`{}`"


def _function(signature: Signature) -> Iterator[str]:
    names = ", ".join(one.name for one in signature.parameters)
    yield f"### {signature.name}({names})\n"
    yield f"{_escaped(signature.doc)}\n"
    if signature.parameters:
        rows = (
            (
                one.name,
                f"`{_cell(one.type)}`",
                "required" if one.default is None else f"`{_cell(one.default)}`",
                one.doc,
            )
            for one in signature.parameters
        )
        yield from _table(("argument", "type", "default", "is"), rows)
    if signature.returns:
        yield f"Returns {', '.join(f'`{one}`' for one in signature.returns)}.\n"


def _facade(module: CoreModule, remarks: Sequence[Remark]) -> Iterator[str]:
    own = f"core.{module.name}"
    table = next((one.table for one in remarks if one.class_name == own and one.table), own)
    for remark in remarks:
        if remark.name:
            title = remark.code.removeprefix("function ").removesuffix(" end")
            yield from _remark(title.replace(f"{table}.", f"{own}.", 1), remark)
        elif remark.text() or remark.named("field"):
            yield from _remark(remark.class_name or own, remark)


def _remark(title: str, remark: Remark) -> Iterator[str]:
    yield f"### {title}\n"
    text = remark.text()
    if text:
        yield f"{_escaped(text)}\n"
    for tag, head in (("field", "field"), ("param", "argument")):
        rows = [(name.rstrip("?"), f"`{_cell(kind)}`", words) for name, kind, words in remark.named(tag)]
        if rows:
            yield from _table((head, "type", "is"), rows)
    returns = remark.values("return")
    if returns:
        yield f"Returns {', '.join(f'`{one}`' for one in returns)}.\n"


def _struct(name: str, kind: type[msgspec.Struct]) -> Iterator[str]:
    doc, words = split_doc(kind.__doc__ or "")
    types = LuaTypes(name.removesuffix(kind.__name__))
    yield f"### The table {name}\n"
    yield f"{_escaped(doc)}\n"
    rows = (
        (one.encode_name, f"`{_cell(types.of(one.type))}`", _cell(_default(one)), words.get(one.name, ""))
        for one in msgspec.structs.fields(kind)
    )
    yield from _table(("field", "type", "default", "is"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield the lines of a table; a last column in which nothing stands is left out."""
    cells = [(f"`{first}`", *map(one_line, rest)) for first, *rest in rows]
    width = len(head) if any(row[-1] for row in cells) else len(head) - 1
    yield f"| {' | '.join(head[:width])} |"
    yield f"|{' --- |' * width}"
    for row in cells:
        yield f"| {' | '.join(row[:width])} |".replace("  ", " ")
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _escaped(text: str) -> str:
    """Return text whose signs Markdown leaves as they are."""
    return text.replace("<", "&lt;").strip()


def main(path: Path) -> None:
    """Write the page about the engine's own modules."""
    own = [candidate for candidate in find_plugins() if candidate.built_in]
    path.write_text(reference(load_plugins(candidates=own).modules), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
