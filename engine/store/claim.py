"""What a session does so that its writes on a shared database are neither repeated nor written too late.

Such a database is on a server. It may go away in the midst of a commit, and then nobody tells whether that
was committed. And other engines reach it: one that took the database over has closed the sessions before its
own, and nothing may be written for those any more.

Both hang on the session's row: each transaction begins with counting itself there, if the session is open.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update

from engine.errors import SessionClosed
from engine.store.models import SESSION
from engine.store.prepared import Prepared

_COUNT = Prepared(
    update(SESSION)
    .where(SESSION.c.id == bindparam("session_id"), SESSION.c.ended.is_(None))
    .values(commits=bindparam("number")),
    ("session_id", "number"),
)


def session_closed(session: int) -> SessionClosed:
    """Return the error of an engine whose session another one has closed."""
    return SessionClosed(
        f"another engine has taken the database over and closed session {session}; this engine ends"
    )


class Claim:
    """One session's right to write; used by the journal's thread alone."""

    def __init__(self, session: int) -> None:
        """Make a claim.

        Args:
            session: the id of a session that was begun.
        """
        self.session = session
        self._committed = 0

    def renew(self, connection: Connection) -> None:
        """Count the transaction that begins; it waits for one of the same session that has not ended yet.

        Raises:
            SessionClosed: another engine has closed the session.
        """
        # It comes before all else in a transaction: whoever closes the session waits here for what is under
        # way, and holds no row that this one could wait for.
        if _COUNT.execute(connection, [(self.session, self._committed + 1)]) == 0:
            raise session_closed(self.session)

    def note_committed(self) -> None:
        """Note that the transaction that was counted last is committed."""
        self._committed += 1

    def was_committed(self, connection: Connection) -> bool:
        """Return whether the transaction that was counted last is committed, after its end was not heard of.

        Raises:
            SessionClosed: the session's row is gone.
        """
        count = select(SESSION.c.commits).where(SESSION.c.id == self.session).with_for_update()
        commits = connection.scalar(count)
        if commits is None:
            raise session_closed(self.session)
        return int(commits) == self._committed + 1
