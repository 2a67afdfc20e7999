"""Secrets do not appear in what a run leaves."""

from hypothesis import given
from hypothesis import strategies as st

from engine.calls.masking import MASK, Masking


def masking(*secrets: str) -> Masking:
    made = Masking()
    for secret in secrets:
        made.hide(secret)
    return made


def test_a_secret_is_replaced_wherever_it_appears() -> None:
    hidden = masking("hunter2").data({"a": ["x hunter2 y", {"hunter2": b"hunter2"}], "n": 5})
    assert hidden == {"a": [f"x {MASK} y", {MASK: MASK.encode()}], "n": 5}


def test_a_secret_that_contains_another_is_replaced_whole() -> None:
    assert masking("abc", "abcdef").text("abcdef abc") == f"{MASK} {MASK}"


def test_an_empty_secret_hides_nothing() -> None:
    assert masking("").text("text") == "text"


@given(st.text(alphabet="abc", min_size=2), st.text(alphabet="abcd ", max_size=50))
def test_no_text_keeps_a_secret(secret: str, text: str) -> None:
    assert secret not in masking(secret).text(text)
