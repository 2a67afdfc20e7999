"""Arguments of core functions are checked and converted at the border."""

from typing import Any

import pytest

from engine.calls.core import CoreCall, CoreModule, manifest_of
from engine.errors import CoreError, PluginError

module = CoreModule("shop", summary="For tests.")


@module.function()
def order(call: CoreCall, name: str, count: int = 1, options: dict[str, Any] | None = None) -> None:
    """Order something."""


@module.function(one_way=True)
def tell(call: CoreCall, text: str) -> None:
    """Tell something."""


def test_arguments_arrive_in_order_with_defaults_filled_in() -> None:
    assert module.functions["order"].bind(["bike"]) == ["bike", 1, None]


def test_a_missing_argument_is_named_with_code_804() -> None:
    with pytest.raises(CoreError) as caught:
        module.functions["order"].bind([])
    assert (caught.value.code, caught.value.message) == (
        804,
        "core.shop.order: name must be a string, got nil",
    )


def test_a_wrong_type_is_named_with_code_801_and_without_its_content() -> None:
    with pytest.raises(CoreError) as caught:
        module.functions["order"].bind(["bike", "many secrets"])
    assert caught.value.code == 801
    assert caught.value.message == "core.shop.order: count must be a whole number, got a string"


def test_an_optional_argument_of_the_wrong_type_is_refused_too() -> None:
    with pytest.raises(CoreError, match="options must be a table, got a number"):
        module.functions["order"].bind(["bike", 2, 3])


def test_arguments_too_many_are_dropped_as_in_lua() -> None:
    assert module.functions["tell"].bind(["a", "b", "c"]) == ["a"]


def test_a_module_name_must_be_a_lua_name() -> None:
    with pytest.raises(PluginError, match="must be a Lua name"):
        CoreModule("not a name", summary="")


def test_the_manifest_tells_one_way_functions_from_the_others() -> None:
    manifest = manifest_of(module)
    assert (manifest.functions, manifest.one_way) == (("order",), ("tell",))
