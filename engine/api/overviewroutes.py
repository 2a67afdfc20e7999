"""The routes about what an engine is set to, and what its jobs share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Response

from engine.api.answers import Source
from engine.api.routes import FAILURES, Engine, answer
from engine.api.viewrouter import ViewRouter
from engine.views import EngineSettingView, ModuleView

router = ViewRouter(prefix="/v1", responses=FAILURES)


@router.get(
    "/engine-settings",
    response_model=list[EngineSettingView],
    summary="The settings of the engine, without secrets",
    tags=["engine"],
)
async def list_engine_settings(engine: Engine) -> Response:
    return answer(engine.overview.settings())


@router.get("/library", response_model=list[ModuleView], summary="The library modules", tags=["jobs"])
async def list_modules(engine: Engine) -> Response:
    return answer(await engine.overview.library())


@router.get("/library/{name}", response_model=Source, summary="The text of a library module", tags=["jobs"])
async def get_module(
    engine: Engine, name: Annotated[str, Path(description="As require takes it, such as lib.money.")]
) -> Response:
    text, source_hash = await engine.overview.module_source(name)
    return answer(Source(text=text, hash=source_hash))
