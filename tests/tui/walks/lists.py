"""Walks through the screens that are lists."""

from __future__ import annotations

from dataclasses import replace

from tests.tui.walks.hand import Hand, Walk
from tui.screens.alerts import AlertsScreen
from tui.screens.audit import AuditScreen
from tui.screens.coming import ComingScreen
from tui.screens.groups import GroupsScreen
from tui.screens.jobs import JobsScreen
from tui.screens.ledger import LedgerScreen
from tui.screens.library import LibraryScreen
from tui.screens.listpage import ListPage
from tui.screens.nodes import NodesScreen
from tui.screens.runs import RunsScreen
from tui.screens.schedules import SchedulesScreen
from tui.screens.settings import SettingsScreen


async def alerts(hand: Hand) -> None:
    await hand.does("o", "jobs › report")
    await hand.back("what is wrong with jobs now")
    await hand.does("l", "runs › 6")
    await hand.back("what is wrong with jobs now")
    await hand.does("x", "Acknowledge that report is failing?")
    await hand.back("what is wrong with jobs now")
    await hand.does("space", "•")
    await hand.does("v", "those that are over too")


async def audit(hand: Hand) -> None:
    await hand.does("slash", "Enter asks the engine")
    await hand.press("escape")
    await hand.does("o", "jobs › report")
    await hand.back("what operators did")
    await hand.does("escape", gone="what operators did")


async def coming(hand: Hand) -> None:
    await hand.does("o", "jobs › ")


async def groups(hand: Hand) -> None:
    await hand.does("p", "Enable group night?")
    await hand.back("disk is full")
    await hand.does("z", "Pause group night?")
    await hand.back("disk is full")
    await hand.does("o", "group:night")


async def jobs(hand: Hand) -> None:
    await hand.does("slash", "status:inactive")
    await hand.press("escape")
    await hand.does("n", "Cancel")
    await hand.press("escape")
    await hand.does("s", moves=lambda: hand.text)
    await hand.does("S", moves=lambda: hand.text)
    await hand.does("y", "copied: ")
    await hand.does("space", "•")
    await hand.does("escape", gone="•")


async def ledger(hand: Hand) -> None:
    await hand.press("down")
    await hand.does("l", "runs › 7")
    await hand.back("what became of planned times")
    await hand.does("o", "jobs › report")
    await hand.back("what became of planned times")
    await hand.does("v", "only what was late, skipped or missed")


async def library(hand: Hand) -> None:
    await hand.does("l", "library › lib.money")
    await hand.back("modules that jobs share")
    await hand.does("y", "copied: abab")
    await hand.does("o", "job:report")


async def every_list(hand: Hand) -> None:
    hand.engine.plugin_views.append(replace(hand.engine.plugin_views[0], name="beeper"))
    await hand.does("r", "beeper")


async def nodes(hand: Hand) -> None:
    hand.change_run(22, worker="gpu1")
    await hand.press("r")
    await hand.reads("22 till")
    await hand.does("o", "runs › 22")
    await hand.back("standby")
    await hand.does("d", "Drain gpu1?")
    await hand.back("standby")
    await hand.press("end")
    await hand.does("f", "Forget web3?")
    await hand.back("standby")
    await hand.does("y", "copied: web3")


async def runs(hand: Hand) -> None:
    await hand.does("slash", 'text:"no')
    await hand.press("escape")
    await hand.does("space", "•")
    await hand.does("K", "Cancel run 23 of till/count?")
    await hand.back("the newest first")
    await hand.does("o", "jobs › till")
    await hand.back("the newest first")
    await hand.does("x", "run 24 of till started")
    await hand.press("end")
    await hand.does("y", "copied: report.lua:8")
    await hand.does("escape", gone="the newest first")


async def schedules(hand: Hand) -> None:
    await hand.does("o", "jobs › report")
    await hand.back("given at run time and in force")
    await hand.does("l", "runs › 12")
    await hand.back("given at run time and in force")
    await hand.does("d", "Remove schedule 2 of report?")
    await hand.back("given at run time and in force")
    await hand.does("v", "those that ended too")


async def settings(hand: Hand) -> None:
    await hand.does("y", "copied: pool.size")
    await hand.does("v", "those that somebody set")


WALKS = {
    AlertsScreen: Walk("alerts", alerts),
    AuditScreen: Walk("audit", audit),
    ComingScreen: Walk("coming", coming),
    GroupsScreen: Walk("groups", groups),
    JobsScreen: Walk("jobs", jobs),
    LedgerScreen: Walk("why", ledger),
    LibraryScreen: Walk("library", library),
    ListPage: Walk("plugins", every_list),
    NodesScreen: Walk("nodes", nodes),
    RunsScreen: Walk("runs", runs),
    SchedulesScreen: Walk("schedules", schedules),
    SettingsScreen: Walk("settings", settings),
}
