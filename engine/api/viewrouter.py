"""Routes whose answers are described to OpenAPI only when somebody asks for the description."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


def described(model: Any) -> Any:
    """Return a type that stands in a description for a model of which nothing is built before."""
    return Annotated[Any, _Described(model)]


class _Described:
    def __init__(self, model: Any) -> None:
        self._model = model

    @cached_property
    def _schema(self) -> CoreSchema:
        # As a schema of its own inside another one it is named, and referred to by its name.
        return core_schema.definitions_schema(TypeAdapter(self._model).core_schema, [])

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema()

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(self._schema)


class ViewRouter(APIRouter):
    """Routes that encode what they answer themselves, so that `response_model` is for OpenAPI alone.

    Models of all views took half of the time in which the API is loaded, at each start of an engine.
    """

    def add_api_route(
        self, path: str, endpoint: Callable[..., Any], *, response_model: Any = None, **options: Any
    ) -> None:
        model = described(response_model) if response_model else None
        super().add_api_route(path, endpoint, response_model=model, **options)
