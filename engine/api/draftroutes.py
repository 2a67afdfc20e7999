"""The routes about job files that are not written yet."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from engine.api.routes import FAILURES, Engine, JobName, answer
from engine.api.viewrouter import ViewRouter
from engine.views import DraftView, LuaClassView, SettingView

router = ViewRouter(prefix="/v1", responses=FAILURES, tags=["jobs"])


class DraftBody(BaseModel):
    """A job file that is not written yet."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(description="The text of the file.")
    changes: dict[str, Any] = Field(
        default_factory=dict,
        description="Settings to change in the text, all else of it unchanged; null takes one out.",
    )
    typed: dict[str, str] = Field(
        default_factory=dict,
        description="The same as somebody types them into a form: text without quotes; empty takes one out.",
    )


@router.get("/settings", response_model=list[SettingView], summary="The settings of job files")
async def list_settings(engine: Engine) -> Response:
    return answer(engine.drafts.settings())


@router.get(
    "/classes", response_model=list[LuaClassView], summary="What job files may name: core, job, tables"
)
async def list_classes(engine: Engine) -> Response:
    return answer(engine.drafts.classes())


@router.post("/drafts/{name:path}", response_model=DraftView, summary="What a text would be as a job's file")
async def look_at_draft(name: JobName, body: DraftBody, engine: Engine) -> Response:
    return answer(await engine.drafts.draft(name, body.text, body.changes, body.typed))
