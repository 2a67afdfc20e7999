from __future__ import annotations

from typing import Any

import pytest

from engine.sizes import is_large


@pytest.mark.parametrize(
    ("value", "large"),
    [
        (None, False),
        ("x" * 2**18, False),
        ("x" * (2**18 + 1), True),
        ([b"x" * 2**17, {"key": "x" * 2**18}], True),
        ({"x" * (2**18 + 1): 1}, True),
        (list(range(2000)), False),
        (list(range(2001)), True),
        ([[[]] * 1000] * 3, True),
        ([{"name": "toy", "price": 3.5}] * 600, False),
    ],
)
def test_long_text_and_many_parts_are_large(value: Any, large: bool) -> None:
    assert is_large(value) is large
