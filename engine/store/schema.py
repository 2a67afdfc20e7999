"""Bringing a database to the schema of this version."""

from __future__ import annotations

import sys
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from engine.errors import NewerDatabase, StoreError
from engine.store.database import open_database
from engine.store.dialects import translate
from engine.store.migrations import HEAD
from engine.store.snapshot import has_snapshot, lay_out, taken_of
from engine.version import VERSION

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(writer: Engine) -> None:
    """Make the tables, or change those of an older version, in one transaction.

    Raises:
        NewerDatabase: a newer Moontide made the database.
        StoreUnavailable: the database cannot be written.
        StoreError: it is none of ours, or refused.
    """
    try:
        with writer.begin() as connection:
            revision = stored_revision(connection)
            if revision != HEAD:
                _upgrade(connection, revision)
    except DBAPIError as error:
        raise translate(error) from error


def stored_revision(connection: Connection) -> str | None:
    """Return the revision of a database's schema; None if it is empty.

    Raises:
        StoreError: it holds tables, but not ours.
    """
    tables = inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        if tables:
            raise StoreError(
                f"the database holds tables that are not Moontide's ({', '.join(tables[:3])}); "
                "choose an empty one"
            )
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def build(connection: Connection) -> None:
    """Make the tables in an empty database, inside the connection's transaction."""
    _upgrade(connection, None)


def _upgrade(connection: Connection, revision: str | None) -> None:
    if revision is None and has_snapshot(connection):
        lay_out(connection)
    else:
        revise(connection, revision)


def revise(connection: Connection, revision: str | None = None, *, to: str = "head") -> None:
    """Go through the revisions that a database lacks, inside the connection's transaction.

    Args:
        revision: where it stands; None if it is empty.
        to: where to go.

    Raises:
        NewerDatabase: a newer Moontide made the database.
    """
    # Imported here: alembic takes a tenth of a second that a start with a present schema can save.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise NewerDatabase(
            f"the database was made by a newer Moontide (revision {revision}); this one is "
            f"{VERSION}; upgrade Moontide or restore a backup"
        )
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def main(path: Path) -> None:
    """Write the snapshot of what the revisions make."""
    database = open_database("sqlite://")
    with database.writer.begin() as connection:
        revise(connection)
        path.write_text(taken_of(connection), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
