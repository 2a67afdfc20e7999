"""Each place that a screen may lead to has a screen that is made with what the place is about."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import get_args

import pytest

from engine.api.server import ApiServer
from tests.engine.conftest import until
from tests.tui.conftest import Sit
from tui.guide import SCREENS, screen_kind
from tui.model.places import Everywhere, Place
from tui.page import Page
from tui.screens.groups import GroupsScreen
from tui.screens.job import JobScreen
from tui.screens.jobs import JobsScreen

ABOUT = [kind for kind in get_args(Place) if kind is not Everywhere]


def test_every_place_has_a_screen() -> None:
    assert set(SCREENS) == {*Everywhere, *ABOUT}


@pytest.mark.parametrize("place", Everywhere)
def test_what_opens_from_everywhere_takes_nothing_but_the_context(place: Everywhere) -> None:
    kind = screen_kind(place)
    assert issubclass(kind, Page)
    inspect.signature(kind).bind(None)


@pytest.mark.parametrize("place", ABOUT)
def test_a_screen_takes_what_its_place_is_about(place: type[Place]) -> None:
    named = {field.name: "report" for field in fields(place)}
    kind = screen_kind(place(**named))
    assert issubclass(kind, Page)
    inspect.signature(kind).bind(None, **named)


async def test_the_jobs_of_a_group_are_listed_from_however_far_away(sit: Sit, server: ApiServer) -> None:
    async with sit(size=(120, 40)) as seat:
        await seat.reads("report")
        await seat.press("enter")
        await until(lambda: isinstance(seat.app.screen, JobScreen))
        await seat.press("b")
        await until(lambda: isinstance(seat.app.screen, GroupsScreen))
        seat.app.list_jobs("group:night")
        await until(lambda: isinstance(seat.app.screen, JobsScreen))
        assert isinstance(seat.app.screen, JobsScreen)
        assert seat.app.screen.filter == "group:night"
