"""The interpreter's collector of reference cycles."""

import gc

import pytest

from engine.collector import resting


def test_the_collector_rests_and_works_again_afterwards() -> None:
    assert gc.isenabled()
    with resting(), resting():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_inner_rest_does_not_end_the_outer_one() -> None:
    with resting():
        with resting():
            pass
        assert not gc.isenabled()


def test_the_collector_works_again_after_an_error() -> None:
    with pytest.raises(LookupError), resting():
        raise LookupError
    assert gc.isenabled()
