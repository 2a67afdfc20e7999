"""Finding runs by words of their error and their log.

A run is indexed as a whole once it has ended; what is indexed is what the tables hold, so that the words can
be taken out of the index again when the run is removed. SQLite keeps an FTS5 index beside the tables,
PostgreSQL a table of its own with parts of the text. Both take the same words: letters and digits, whatever
their case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, TextClause, bindparam, column, table, text

from engine.errors import JobFileError
from engine.store.dialects import choose
from engine.store.models import RUN

MOST_WORDS = 20

_QUOTED_OR_NOT = re.compile(r'"([^"]*)"(\*?)|(\S+)')
_WORD = re.compile(r"[^\W_]+")

#: The length of a part on PostgreSQL, which counts words only up to 16383, and how far the next one reaches
#: back, so that nothing is torn.
_PART = 30_000
_OVERLAP = 500

_VIEW = """
CREATE VIEW run_text_source AS SELECT id, coalesce(error, '') || {newline} || coalesce(
  (SELECT {joined} FROM (
    SELECT text FROM log_line WHERE run_id = run.id AND number <= run.log_lines ORDER BY number
  ) AS line), '') AS body
FROM run WHERE finished IS NOT NULL AND (log_lines > 0 OR error IS NOT NULL)
"""

# What stands between words is made blank: PostgreSQL would take an address or a path as one word.
_PARTS = f"""
SELECT id, part, to_tsvector('simple', regexp_replace(
  substr(body, 1 + part * {_PART}, {_PART + _OVERLAP}), '[!-/:-@\\[-`{{-~]+', ' ', 'g'))
FROM run_text_source, generate_series(0, (length(body) - 1) / {_PART}) AS part
"""


@dataclass(frozen=True, slots=True)
class _Words:
    """How one database keeps the words.

    Attributes:
        create: statements that make the index, with the words of all runs there are.
        index: takes in the runs `ids`; one that is in stays.
        forget: takes out the runs `ids`.
        indexed: asks whether `run` is in.
        match: the condition on `run` that a phrase is in its words; `{name}` is the bound phrase.
        newest_first: the index can be gone through from the newest run on (see `newest_matching`).
    """

    create: tuple[str, ...]
    index: str
    forget: str
    indexed: str
    match: str
    newest_first: bool


# FTS5 must never be told of a text twice, nor to forget one that it was not told of.
_IS_INDEXED = "EXISTS (SELECT 1 FROM run_text_docsize AS known WHERE known.id = run_text_source.id)"

_FTS5 = _Words(
    create=(
        _VIEW.format(newline="char(10)", joined="group_concat(text, char(10))"),
        "CREATE VIRTUAL TABLE run_text USING fts5(body, content='run_text_source', content_rowid='id', "
        "tokenize='unicode61 remove_diacritics 0')",
        "INSERT INTO run_text (rowid, body) SELECT id, body FROM run_text_source",
    ),
    index="INSERT INTO run_text (rowid, body) SELECT id, body FROM run_text_source "
    f"WHERE id IN :ids AND NOT {_IS_INDEXED}",
    forget="INSERT INTO run_text (run_text, rowid, body) SELECT 'delete', id, body FROM run_text_source "
    f"WHERE id IN :ids AND {_IS_INDEXED}",
    indexed="SELECT 1 FROM run_text_docsize AS known WHERE known.id = run.id",
    match="run.id IN (SELECT rowid FROM run_text WHERE run_text MATCH :{name})",
    newest_first=True,
)

_TSVECTOR = _Words(
    create=(
        _VIEW.format(newline="chr(10)", joined="string_agg(text, chr(10))"),
        "CREATE TABLE run_text (run_id bigint, part integer, words tsvector, PRIMARY KEY (run_id, part))",
        "CREATE INDEX ix_run_text_words ON run_text USING gin (words)",
        f"INSERT INTO run_text {_PARTS}",
    ),
    index=f"INSERT INTO run_text {_PARTS} WHERE id IN :ids ON CONFLICT DO NOTHING",
    forget="DELETE FROM run_text WHERE run_id IN :ids",
    indexed="SELECT 1 FROM run_text AS known WHERE known.run_id = run.id",
    match="run.id IN (SELECT run_id FROM run_text WHERE words @@ to_tsquery('simple', :{name}))",
    newest_first=False,
)

#: FTS5's index as a table, for statements that are not written out.
_WORDS = table("run_text", column("rowid"))


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand side by side.

    Attributes:
        open_ended: the last one may go on.
    """

    words: tuple[str, ...]
    open_ended: bool = False


def parse_phrases(asked: str) -> tuple[Phrase, ...]:
    """Return what a run's text must hold.

    Args:
        asked: words, all of which must be there; those in double quotes, or joined by signs as in
            `api.example.com`, side by side. An asterisk ends a word that may go on.

    Raises:
        JobFileError: there is no word in it, or there are too many.
    """
    phrases = []
    for quoted, star, plain in _QUOTED_OR_NOT.findall(asked):
        words = tuple(_WORD.findall(quoted or plain))
        if words:
            phrases.append(Phrase(words, bool(star) or plain.endswith("*")))
    if not phrases:
        raise JobFileError(f"text {asked[:60]!r} holds no word to search for: give letters or digits")
    if sum(len(phrase.words) for phrase in phrases) > MOST_WORDS:
        raise JobFileError(f"text holds more than {MOST_WORDS} words to search for")
    return tuple(phrases)


def matching(dialect: str, phrases: Sequence[Phrase]) -> list[TextClause]:
    """Return conditions on runs whose error and log hold all of the phrases."""
    match = _words_of(dialect).match
    in_words = choose(dialect, sqlite=_for_fts5, postgresql=_for_tsquery)
    conditions = []
    for number, phrase in enumerate(phrases):
        name = f"phrase_{number}"
        condition = text(match.format(name=name))
        conditions.append(condition.bindparams(**{name: in_words(phrase)}))
    return conditions


def goes_newest_first(dialect: str) -> bool:
    """Whether `newest_matching` can be asked of a database."""
    return _words_of(dialect).newest_first


def newest_matching(query: Select[Any], phrases: Sequence[Phrase], before_id: int | None) -> Select[Any]:
    """Return a query of runs with those only whose error and log hold all of the phrases, the newest first.

    SQLite goes through its index of words from the newest run on: with a limit it stops there, where
    `matching` would have it gather all runs with the words first.

    Args:
        query: of the table of runs; it has no order.
        before_id: only runs with an id below this one.
    """
    words = " ".join(map(_for_fts5, phrases))
    # The plus keeps it from the opposite way: each run looked up in the index.
    joined = _WORDS.join(RUN, text("run.id = +run_text.rowid"))
    matches = text("run_text MATCH :words").bindparams(words=words)
    query = query.select_from(joined).where(matches)
    if before_id is not None:
        query = query.where(_WORDS.c.rowid < before_id)
    return query.order_by(_WORDS.c.rowid.desc())


def _for_fts5(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"' + ("*" if phrase.open_ended else "")


def _for_tsquery(phrase: Phrase) -> str:
    return " <-> ".join(phrase.words).lower() + (":*" if phrase.open_ended else "")


def create_index(connection: Connection) -> None:
    """Make the index, with the words of all runs there are."""
    for statement in _words_of(connection.dialect.name).create:
        connection.exec_driver_sql(statement.replace("%", "%%"))


def index_runs(connection: Connection, run_ids: Sequence[int]) -> None:
    """Take the words of ended runs into the index; those that are there stay."""
    _execute(connection, _words_of(connection.dialect.name).index, run_ids)


def forget_runs(connection: Connection, run_ids: Sequence[int]) -> None:
    """Take the words of runs out of the index; their rows and log lines must still be there."""
    _execute(connection, _words_of(connection.dialect.name).forget, run_ids)


def unindexed(connection: Connection) -> list[tuple[int, int]]:
    """Return ended runs that have words and are not in the index, with their numbers of log lines."""
    indexed = _words_of(connection.dialect.name).indexed
    rows = connection.execute(
        text(
            "SELECT id, log_lines FROM run WHERE finished IS NOT NULL "
            f"AND (log_lines > 0 OR error IS NOT NULL) AND NOT EXISTS ({indexed}) ORDER BY id"
        )
    )
    return [(row[0], row[1]) for row in rows]


def _execute(connection: Connection, statement: str, run_ids: Sequence[int]) -> None:
    bound = text(statement).bindparams(bindparam("ids", expanding=True))
    connection.execute(bound, {"ids": list(run_ids)})


def _words_of(dialect: str) -> _Words:
    return choose(dialect, sqlite=_FTS5, postgresql=_TSVECTOR)
