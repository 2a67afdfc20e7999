"""What requests may hold that the engine can carry on with: numbers and times within bounds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

#: The largest whole number that SQLite keeps.
LARGEST = 2**63 - 1

#: A whole number that SQLite keeps.
Number = Annotated[int, Field(ge=-LARGEST - 1, le=LARGEST)]

_FIRST, _LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)


def _within_reach(moment: datetime) -> datetime:
    """Return a time that can be moved to any time zone, and some days in both directions."""
    if not _FIRST <= moment <= _LAST:
        raise ValueError("must be a time from the year 2 to 9998")
    return moment


#: A time with an offset.
Moment = Annotated[AwareDatetime, AfterValidator(_within_reach)]
