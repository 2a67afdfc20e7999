"""What commands print: tables for people, plain lines for pipes, JSON for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from engine.cli.words import clean, colour, icon, json_clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


#: Columns whose text may go over several lines.
FREE_TEXT = ("REASON", "ERROR")


#: Columns and fields that hold a status, which gets its icon and colour.
STATES = ("STATUS", "NOW", "ENDED", "status", "now")


def on_terminal() -> bool:
    """Return whether a person watches standard output."""
    return sys.stdout.isatty()


def console() -> Console:
    """Return rich's console on standard output, without any style where NO_COLOR asks for none."""
    from rich.console import Console

    return Console(color_system=None if os.environ.get("NO_COLOR") else "auto", highlight=False)


def print_json(value: object) -> None:
    """Write one JSON document and nothing else; indented for a terminal, which it cannot steer."""
    import msgspec

    text = msgspec.json.encode(value)
    if on_terminal():
        text = msgspec.json.format(text, indent=2)
    sys.stdout.write(json_clean(text.decode()) + "\n")


#: Which columns (by position) a table keeps on a terminal of at least so many characters, widest first.
Widths = tuple[tuple[int, tuple[int, ...]], ...]


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str, widths: Widths = ()
) -> None:
    """Write a table: drawn on a terminal, otherwise one line for each row with tabs between the cells.

    Args:
        columns: the headings.
        rows: the cells; a cell that is a status gets its icon and colour on a terminal.
        empty: what a person reads instead of a table without rows.
        widths: which columns a terminal keeps; all without.
    """
    table = [[clean(cell) for cell in row] for row in rows]
    if not on_terminal():
        lines = ("\t".join(map(_flat, row)) for row in (columns, *table))
        sys.stdout.writelines(f"{line}\n" for line in lines)
    elif table:
        out = console()
        out.print(drawn(*fitting(columns, table, widths, out.width)))
    else:
        print(empty)


def fitting(
    columns: Sequence[str], rows: Iterable[Sequence[str]], widths: Widths, width: int
) -> tuple[Sequence[str], Iterable[Sequence[str]]]:
    """Return the columns and cells that a terminal of this width has room for."""
    keep = next((positions for least, positions in widths if width >= least), range(len(columns)))
    return [columns[i] for i in keep], [[row[i] for i in keep] for row in rows]


def drawn(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Any:
    """Return a rich table; texts are shown as they are, never read as markup."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column not in FREE_TEXT)
    for row in rows:
        table.add_row(*map(_cell, columns, row))
    return table


def _cell(column: str, text: str) -> Text:
    from rich.text import Text

    if column not in STATES:
        return Text(text)
    return Text(f"{icon(text)} {text}".strip(), style=colour(text))


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Write names and values, one pair a line; values of several lines are set in."""
    pairs = [(name, clean(value)) for name, value in fields]
    if not on_terminal():
        for name, value in pairs:
            print(f"{name}\t{_flat(value)}")
        return
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        indented = value.replace("\n", "\n" + " " * (width + 2))
        lead = f"{name:<{width}}  "
        if name in STATES:
            print_styled(lead, f"{icon(value)} {value}", colour(value))
        else:
            print_styled(lead, indented, "")


def print_styled(lead: str, text: str, style: str) -> None:
    """Write a line whose second part has a style on a terminal."""
    if not on_terminal():
        print(lead + text)
        return
    from rich.text import Text

    console().print(Text(lead) + Text(text, style=style), soft_wrap=True)


def complain(message: object) -> None:
    """Write an error to standard error."""
    print(f"moontide: {clean(str(message))}", file=sys.stderr)


def _flat(cell: str) -> str:
    return cell.replace("\t", " ").replace("\n", "\\n")
