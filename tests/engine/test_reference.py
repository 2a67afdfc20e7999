"""The reference page is made from the declarations, and is the one in docs/."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.calls.core import CoreCall, CoreModule
from engine.reference import main, reference

PAGE = Path(__file__).parents[2] / "docs" / "core" / "reference.md"


def test_the_page_in_the_documents_is_up_to_date(tmp_path: Path) -> None:
    main(tmp_path / "reference.md")
    made = (tmp_path / "reference.md").read_text("utf-8")
    assert PAGE.read_text("utf-8") == made, "make it anew: python -m engine.reference docs/core/reference.md"


class ShopSettings(msgspec.Struct):
    """The shop.

    Attributes:
        url: where it is.
    """

    url: str
    retries: int = 3


class Options(msgspec.Struct):
    """What to look for."""

    name: str


def shop(facade: str | None = None) -> CoreModule:
    module = CoreModule("shop", summary="Sells toys.", settings=ShopSettings, facade=facade, free=True)

    @module.function()
    def find(call: CoreCall, options: Options, limit: int = 10) -> list[str] | None:
        """Return the toys.

        Args:
            limit: how many at most.
        """
        return None

    return module


def test_a_function_is_shown_with_its_arguments_and_values() -> None:
    assert (
        reference({"shop": shop()}).partition("## core.shop\n")[2]
        == """
Sells toys.

Every job may use it, also with `permissions = "declared"`.

Its table in moontide.toml is `[shop]`:

| key | default | is |
| --- | --- | --- |
| `url` | required | where it is. |
| `retries` | `3` | |

### core.shop.find(options, limit)

Return the toys.

| argument | type | default | is |
| --- | --- | --- | --- |
| `options` | `core.shop.Options` | required | |
| `limit` | `integer` | `10` | how many at most. |

Returns `string[]|nil`.

### The table core.shop.Options

What to look for.

| field | type | default |
| --- | --- | --- |
| `name` | `string` | required |
"""
    )


FACADE = """
local native = ...
local Shop = {}

--- Find toys.
---@param name string what it is called
---@return string[]? toys
function Shop:find(name) return native.find({ name = name }) end

return Shop
"""


def test_a_facade_is_shown_as_jobs_see_it() -> None:
    text = reference({"shop": shop(FACADE)})
    assert "### Shop:find(name)\n\nFind toys.\n" in text
    assert "| `name` | `string` | what it is called |" in text
    assert "Returns `string[]? toys`." in text
    assert "core.shop.find" not in text


def test_a_module_with_tables_of_any_name_shows_one_of_them() -> None:
    module = CoreModule("bank", summary="Keeps money.", settings=dict[str, ShopSettings])
    assert "Its table in moontide.toml is `[bank.NAME]`" in reference({"bank": module})
