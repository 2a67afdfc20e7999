"""Jinja templates of one folder, rendered with plain data and without a way to anything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from jinja2 import BaseLoader, Environment, TemplateNotFound, TemplateSyntaxError
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from moontide.folders import ConfinedFolder, PathRefused, split_path

FAILED = 810
TOO_LARGE = 800
NO_FILE = 820

MOST_TEMPLATE_BYTES = 2**20

#: What a call can bring back to Lua.
MOST_TEXT_BYTES = 1_000_000

LONGEST_PROBLEM = 500

#: Templates whose values are escaped, by the end of their names.
ESCAPED = (".html", ".htm", ".xml", ".xhtml")


class RenderError(Exception):
    """A template could not be rendered; the text is for the job."""

    def __init__(self, problem: str, code: int = FAILED) -> None:
        super().__init__(problem)
        self.code = code


class Loader(BaseLoader):
    """Reads templates below one folder; links are not followed."""

    def __init__(self, folder: ConfinedFolder) -> None:
        self._folder = folder

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Return a template's text, its name, and a question whether the text is still the same.

        Raises:
            TemplateNotFound: it cannot be read; the message says why.
        """
        text = self._read(template)
        return text, template, lambda: self._read(template) == text

    def _read(self, template: str) -> str:
        try:
            return self._folder.read(split_path(template), MOST_TEMPLATE_BYTES).decode("utf-8")
        except PathRefused as error:
            raise TemplateNotFound(template, f"{template[:100]!r}: {error}") from error
        except UnicodeDecodeError as error:
            raise TemplateNotFound(template, f"{template!r} is not UTF-8 text; save it as UTF-8") from error
        except OSError as error:
            raise TemplateNotFound(
                template, f"there is no template {template!r} in the templates folder (links do not count)"
            ) from error


class PlainDataEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox; what a template names with a dot is a field of the data before anything else."""

    def __init__(self, folder: ConfinedFolder) -> None:
        super().__init__(loader=Loader(folder), autoescape=_is_escaped)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return `obj.attribute`; a table's field called `items` wins over Python's method."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def _is_escaped(name: str | None) -> bool:
    return name is not None and name.lower().endswith(ESCAPED)


def render(environment: Environment, name: str, values: dict[str, Any]) -> str:
    """Return a template's text with the values filled in.

    Raises:
        RenderError: says what is wrong, with the template and its line.
    """
    try:
        return _limited(environment, name, _as_text(values))
    except RenderError:
        raise
    except TemplateNotFound as error:
        raise RenderError(error.message or name, NO_FILE) from error
    except TemplateSyntaxError as error:
        raise RenderError(f"{error.name or name}, line {error.lineno}: {error.message}") from error
    except (MemoryError, OverflowError) as error:
        raise RenderError(f"{name} needs more memory than a template may have", TOO_LARGE) from error
    except Exception as error:
        # Whatever a template's expressions can raise is the template's mistake.
        raise RenderError(f"{_place(error.__traceback__) or name}: {_words_for(error)}") from error


def _limited(environment: Environment, name: str, values: dict[str, Any]) -> str:
    parts: list[str] = []
    room = MOST_TEXT_BYTES
    for part in environment.get_template(name).generate(values):
        room -= len(part.encode("utf-8", "replace"))
        if room < 0:
            raise RenderError(f"{name} gives more than {MOST_TEXT_BYTES} bytes; the limit", TOO_LARGE)
        parts.append(part)
    return "".join(parts)


def _as_text(value: Any) -> Any:
    """Return data with text in place of bytes, which are strings in Lua that are no UTF-8."""
    match value:
        case bytes():
            return value.decode("utf-8", "replace")
        case list():
            return [_as_text(item) for item in value]
        case dict():
            return {_as_text(key): _as_text(item) for key, item in value.items()}
        case _:
            return value


def _place(traceback: TracebackType | None) -> str | None:
    """Return template and line where an error came up; Jinja marks its own frames."""
    place = None
    while traceback is not None:
        known = traceback.tb_frame.f_globals
        if "__jinja_exception__" in known:
            place = f"{known['__file__']}, line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


def _words_for(error: Exception) -> str:
    words = error.message if isinstance(error, TemplateError) else str(error)
    if isinstance(error, RecursionError):
        words = "templates that include each other without end"
    return (words or type(error).__name__)[:LONGEST_PROBLEM]
