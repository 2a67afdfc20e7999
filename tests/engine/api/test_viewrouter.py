from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Response
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from engine.api.failures import Failure
from engine.api.viewrouter import ViewRouter, described


class Tide:
    """A model that counts how often it was built."""

    built = 0

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        cls.built += 1
        return core_schema.int_schema()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Any:
        return {"type": "integer", "description": "metres"}


def app() -> FastAPI:
    router = ViewRouter(responses={"4XX": {"model": described(Failure), "description": "It failed."}})

    @router.get("/tide", response_model=list[Tide])
    async def tide() -> Response:
        return Response("[3]")

    @router.get("/nothing", status_code=204)
    async def nothing() -> Response:
        return Response(status_code=204)

    made = FastAPI()
    made.include_router(router)
    return made


def test_a_model_is_built_when_the_description_is_asked_for() -> None:
    made, before = app(), Tide.built
    described_tide = made.openapi()["paths"]["/tide"]["get"]["responses"]["200"]["content"]
    assert (before, Tide.built) == (0, 1)
    assert described_tide["application/json"]["schema"]["items"] == {
        "type": "integer",
        "description": "metres",
    }


def test_models_are_referred_to_by_their_names() -> None:
    document = app().openapi()
    failed = document["paths"]["/nothing"]["get"]["responses"]["4XX"]["content"]["application/json"]
    assert failed["schema"] == {"$ref": "#/components/schemas/Failure"}
    assert set(document["components"]["schemas"]) >= {"Failure", "FailureDetail"}


def test_an_answer_without_a_model_is_described_without_one() -> None:
    assert "content" not in app().openapi()["paths"]["/nothing"]["get"]["responses"]["204"]
