"""The desks at which operators may ask of a running engine, each given the parts that it speaks for."""

from __future__ import annotations

from collections.abc import Collection

from engine.assembly.works import Works
from engine.desks.alertdesk import AlertDesk
from engine.desks.auditdesk import AuditDesk
from engine.desks.desk import Desk
from engine.desks.drafts import DraftDesk
from engine.desks.enginedesk import Identity
from engine.desks.historydesk import HistoryDesk
from engine.desks.holddesk import HoldDesk
from engine.desks.ledgerdesk import LedgerDesk
from engine.desks.nodedesk import NodeDesk
from engine.desks.overviewdesk import OverviewDesk
from engine.desks.scheduledesk import ScheduleDesk
from engine.desks.statedesk import StateDesk
from engine.runs.job import StoredJob
from engine.runs.jobrows import stored_job
from engine.store.auditqueries import AuditQueries
from engine.store.history import History
from engine.store.indexer import Indexer
from engine.store.queries import Queries
from engine.store.timelines import Timelines

#: For more jobs than that all rows are read, not each one looked up.
LOOKED_UP = 1000


def make_desk(works: Works, *, identity: Identity, indexer: Indexer, nodes: NodeDesk) -> Desk:
    """Return the desk of an engine, with the desks for its subjects.

    Args:
        identity: which engine it speaks for.
        indexer: knows how far the search by words has come.
        nodes: the desk for engines and workers on the same database.
    """
    ground = works.ground
    schedules = ScheduleDesk(
        clock=ground.clock,
        find_job=works.catalog.job,
        timetable=works.timetable,
        chains=works.chains,
        planner=works.planner,
        journal=ground.journal,
        queries=ground.given,
    )
    return Desk(
        identity=identity,
        clock=ground.clock,
        catalog=works.catalog,
        scheduler=works.scheduler,
        dispatcher=works.dispatcher,
        planner=works.planner,
        journal=ground.journal,
        queries=ground.queries,
        history=_history(works, indexer),
        pool=ground.pool,
        plugins=ground.plugins,
        schedules=schedules,
        events=ground.events,
        source_bytes=ground.settings.source_bytes(),
        permissions=ground.settings.permissions,
        drafts=_drafts(works),
        states=_states(works),
        ledger=LedgerDesk(
            clock=ground.clock,
            catalog=works.catalog,
            queries=ground.slots,
            schedules=schedules,
            held=works.holds,
        ),
        overview=OverviewDesk(settings=ground.settings, jobs=works.catalog.jobs, folder=ground.folder),
        load_stored=lambda names: stored_jobs(ground.queries, names),
        held=works.holds,
        holds=_holds(works),
        alerts=AlertDesk(
            book=works.alert_book,
            stored=works.alert_queries,
            announcer=works.alerts.announcer,
            clock=ground.clock,
        ),
        audit=AuditDesk(AuditQueries(ground.database.reader)),
        nodes=nodes,
        releases=(works.release.letting_go, works.chains.letting_go),
    )


def _history(works: Works, indexer: Indexer) -> HistoryDesk:
    ground = works.ground
    return HistoryDesk(
        history=History(ground.database.reader),
        timelines=Timelines(ground.database.reader),
        clock=ground.clock,
        queries=ground.queries,
        indexer=indexer,
        jobs=works.catalog.jobs,
        folder=ground.folder,
        waits=works.dispatcher.waits,
        calls_of=works.dispatcher.calls_of,
    )


def _drafts(works: Works) -> DraftDesk:
    plugins = works.ground.plugins
    return DraftDesk(
        clock=works.ground.clock,
        files=works.catalog.files,
        modules=plugins.modules,
        added=plugins.additions.settings.values(),
    )


def _states(works: Works) -> StateDesk:
    ground = works.ground
    return StateDesk(
        clock=ground.clock,
        find_job=works.catalog.job,
        states=ground.states,
        most_bytes=ground.settings.run_limits().result_bytes,
    )


def _holds(works: Works) -> HoldDesk:
    return HoldDesk(
        clock=works.ground.clock,
        catalog=works.catalog,
        holds=works.holds,
        holding=works.holding,
        group_limits=works.ground.settings.limits.groups,
    )


def stored_jobs(queries: Queries, names: Collection[str] | None) -> dict[str, StoredJob]:
    """Return what the database remembers of at least these jobs (None: of all), by name."""
    few = names if names is not None and len(names) <= LOOKED_UP else None
    return {row.name: stored_job(row) for row in queries.jobs(few)}
