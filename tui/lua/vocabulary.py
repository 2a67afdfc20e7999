"""What may be written in a job file: completes what is typed, and tells of what stands under the cursor."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from engine.views import LuaClassView, LuaMemberView, LuaParameterView, SettingView
from tui.lua.place import CALLED, Chain, Frame, Place
from tui.lua.tokens import CONSTANTS, KEYWORDS

#: What names are by themselves: the table `core`, and the usual names of the job and of what its run gets.
ROOTS = {"core": "core", "job": "moontide.Job", "run": "moontide.Run"}
#: Names in a file are offered from this length on.
NAME_LENGTH = 3
#: Members of which this is said come last.
_LAST = "Not for jobs"

_NAME = re.compile(r"[A-Za-z_]\w*")
#: `local toys, problem = core.data(` and the like: a name, and the start of what it is set to.
_SET = r"\b{}(?:\s*,\s*\w+)*\s*=\s*([A-Za-z_]\w*(?:\s*[.:]\s*\w+)*)\s*([({{\"'\[])?"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One way to go on.

    Attributes:
        name: what is listed and compared with what is typed.
        insert: what takes the place of what is typed.
        about: its signature or type.
        doc: what it does.
    """

    name: str
    insert: str
    about: str = ""
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """Something with a name, explained: its signature, what it does, and each argument."""

    title: str
    doc: str
    arguments: Sequence[LuaParameterView] = ()


class Vocabulary:
    """The tables, settings and jobs that a file may name."""

    def __init__(
        self,
        classes: Iterable[LuaClassView],
        settings: Iterable[SettingView] = (),
        jobs: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """Take what the engine declares.

        Args:
            jobs: gives the names of the jobs as they are when it is called.
        """
        self._classes = {one.name: one for one in classes}
        self._examples = {one.name: one.example for one in settings}
        self._jobs = jobs

    # Completion

    def suggestions(self, place: Place, text: str) -> list[Suggestion]:
        """Return how a place can go on, what begins as it does first.

        Args:
            text: all before the cursor, for what names were set to.
        """
        if place.in_comment:
            return []
        if place.in_string:
            return _fitting(place.word, self._job_names(place))
        if place.sign:
            return _fitting(place.word, self._members(place, text))
        fields = self._fields(place, text) if place.begins_entry else []
        return _fitting(place.word, fields or self._words(place, text))

    def _members(self, place: Place, text: str) -> list[Suggestion]:
        members = self._members_of(self._type_of(place.chain, text))
        if place.sign == ":":
            fitting = [one for one in members if one.parameters is not None]
        else:
            fitting = [one for one in members if not one.method]
        return [_suggested(one) for one in sorted(fitting, key=_rank)]

    def _fields(self, place: Place, text: str) -> list[Suggestion]:
        """Return the fields that the table at a place may have, without those that it has."""
        members = self._members_of(self._table_type(list(place.frames), text))
        return [self._field(one) for one in members]

    def _field(self, member: LuaMemberView) -> Suggestion:
        example = self._examples.get(member.name, "")
        about = f"{member.name}: {member.type}" + (f", such as {example}" if example else "")
        return Suggestion(member.name, f"{member.name} = ", about, member.doc)

    def _job_names(self, place: Place) -> list[Suggestion]:
        call = place.frames[-1] if place.frames else None
        if call is None or call.opener != "(" or not self._wants_job(call):
            return []
        return [Suggestion(name, name, "a job of this folder") for name in sorted(self._jobs())]

    def _wants_job(self, call: Frame) -> bool:
        """Return whether the argument being written is a job's name."""
        if call.chain[:2] != ("core", "jobs"):
            return False
        member = self._member(call.chain, "")
        given = (member.parameters if member else None) or []
        return call.index < len(given) and given[call.index].name == "name"

    def _words(self, place: Place, text: str) -> list[Suggestion]:
        """Return the names that can stand by themselves: the known, then those of the file, then Lua's."""
        roots = [Suggestion(name, name, kind, self._doc_of(kind)) for name, kind in ROOTS.items()]
        taken = {*ROOTS, *KEYWORDS, *CONSTANTS, place.word}
        own = {name for name in _NAME.findall(text) if len(name) >= NAME_LENGTH} - taken
        lua = sorted(KEYWORDS | CONSTANTS)
        return roots + [Suggestion(name, name) for name in [*sorted(own), *lua]]

    def _doc_of(self, kind: str) -> str:
        return self._classes[kind].doc if kind in self._classes else ""

    # Help

    def describe(self, place: Place, text: str) -> Described | None:
        """Return what is known of the name that a place ends with, or else of the call around it."""
        if place.word or place.chain:
            chain = (*place.chain, place.word) if place.word else place.chain
            if (member := self._member(chain, text)) is not None:
                return _described(chain, member)
            if place.begins_entry and (field := self._own_field(place, text)) is not None:
                return Described(f"{field.name}: {field.type}", field.doc)
        if place.call is not None and (member := self._member(place.call.chain, text)) is not None:
            return _described(place.call.chain, member)
        return None

    def _own_field(self, place: Place, text: str) -> LuaMemberView | None:
        members = self._members_of(self._table_type(list(place.frames), text))
        return next((one for one in members if one.name == place.word), None)

    # Types

    def _members_of(self, kind: str) -> list[LuaMemberView]:
        return self._classes[kind].members if kind in self._classes else []

    def _member(self, chain: Chain, text: str) -> LuaMemberView | None:
        """Return what a chain of names ends with, or None."""
        if len(chain) < 2:
            return None
        members = self._members_of(self._type_of(chain[:-1], text))
        return next((one for one in members if one.name == chain[-1]), None)

    def _type_of(self, chain: Chain, text: str) -> str:
        """Return the type of the value that a chain of names stands for; empty if it is not known."""
        if not chain:
            return ""
        if chain[-1] == CALLED:
            member = self._member(chain[:-1], text)
            return self._known(member.returns[0]) if member is not None and member.returns else ""
        if len(chain) == 1:
            return ROOTS.get(chain[0]) or self._type_of_local(chain[0], text)
        member = self._member(chain, text)
        return self._known(member.type) if member is not None else ""

    def _type_of_local(self, name: str, text: str) -> str:
        """Return the type of what a name was set to last above the cursor."""
        found = None
        for found in re.finditer(_SET.format(re.escape(name)), text):  # noqa: B007
            pass
        if found is None:
            return ""
        chain = tuple(_NAME.findall(found[1]))
        if chain[0] == name:
            return ""
        called = found[2] is not None and found[2] != "["
        return self._type_of((*chain, CALLED) if called else chain, text[: found.start()])

    def _table_type(self, frames: list[Frame], text: str) -> str:
        """Return the type of the innermost table that is open."""
        if not frames or frames[-1].opener != "{":
            return ""
        frame, around = frames[-1], frames[:-1]
        if frame.chain:
            return self._argument_type(frame.chain, 0, text)
        parent = around[-1] if around else None
        if parent is not None and parent.opener == "(":
            return self._argument_type(parent.chain, parent.index, text)
        if parent is not None and parent.opener == "{":
            return self._entry_type(self._table_type(around, text), parent.key)
        return ""

    def _argument_type(self, chain: Chain, index: int, text: str) -> str:
        member = self._member(chain, text)
        given = member.parameters if member is not None else None
        return self._known(given[index].type) if given and index < len(given) else ""

    def _entry_type(self, table: str, key: str) -> str:
        if not key:
            return table.removesuffix("[]")
        member = next((one for one in self._members_of(table) if one.name == key), None)
        return self._known(member.type) if member is not None else ""

    def _known(self, written: str) -> str:
        """Return the first of some alternatives that is a class, or a list of one: "core.pg.Change[]"."""
        for one in written.split("|"):
            if (bare := one.strip().removesuffix("?")).removesuffix("[]") in self._classes:
                return bare
        return ""


def signature(name: str, member: LuaMemberView) -> str:
    """Return how something is called, with what it gives: "core.uuid() → string"."""
    if member.parameters is None:
        return f"{name}: {member.type}"
    given = ", ".join(one.name + ("?" if one.optional else "") for one in member.parameters)
    returns = f" → {', '.join(member.returns)}" if member.returns else ""
    return f"{name}({given}){returns}"


def _described(chain: Chain, member: LuaMemberView) -> Described:
    owner = ".".join(name for name in chain[:-1] if name != CALLED)
    name = f"{owner}{':' if member.method else '.'}{member.name}"
    return Described(signature(name, member), member.doc, member.parameters or ())


def _suggested(member: LuaMemberView) -> Suggestion:
    return Suggestion(member.name, member.name, signature(member.name, member), member.doc)


def _rank(member: LuaMemberView) -> tuple[bool, str]:
    return member.doc.startswith(_LAST), member.name.lower()


def _fitting(word: str, suggestions: Iterable[Suggestion]) -> list[Suggestion]:
    """Return what begins with a word, then what holds it, whatever the case."""
    typed = word.lower()
    begin, hold = [], []
    for one in suggestions:
        name = one.name.lower()
        if name.startswith(typed):
            begin.append(one)
        elif typed in name:
            hold.append(one)
    return begin + hold
