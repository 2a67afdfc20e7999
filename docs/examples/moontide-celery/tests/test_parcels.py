"""What engine and worker send each other, without a broker."""

from datetime import UTC, datetime

import msgspec
import pytest
from moontide_celery import CelerySettings, settings_in
from moontide_celery_parcels import (
    Begun,
    Ended,
    Lines,
    Parcel,
    news_text,
    parcel_text,
    queue_for,
    queues_of,
    read_news,
    read_parcel,
    read_request,
)

from moontide import MoontideError, Outcome, Returned, RunRequest, RunStatus, Trigger

REQUEST = RunRequest(
    run_id=7,
    job="notes/add",
    source=b"return core.job {} -- \xff",
    source_hash="ab",
    trigger=Trigger.MANUAL,
    due=datetime(2026, 3, 1, 12, tzinfo=UTC),
    data={"n": 1, "text": "\u00e4\0"},
    allow={"network": ["api.example.com"], "data": True},
    runs_on=("gpu",),
)


def test_a_request_arrives_as_it_was_sent() -> None:
    assert read_request(read_parcel(parcel_text(REQUEST, "token", "reply"))) == REQUEST


def test_a_request_of_another_version_is_not_read() -> None:
    parcel = Parcel("token", "reply", "0.0.1", msgspec.Raw(b"{}"))
    with pytest.raises(ValueError, match=r"Moontide 0\.0\.1"):
        read_request(parcel)


@pytest.mark.parametrize(
    "news",
    [
        Begun("t", "w1"),
        Lines("t", [("info", "text")]),
        Ended("t", Outcome(RunStatus.COMPLETE, Returned.OK, result=[1, None], problems=[{"code": "a"}])),
    ],
)
def test_news_arrive_as_they_were_sent(news: Begun | Lines | Ended) -> None:
    text = news_text(news)
    assert read_news(text) == news


def test_a_worker_serves_the_queues_of_all_runs_that_it_can_fulfil() -> None:
    served = queues_of("tide", ["gpu", "eu"])
    assert queue_for("tide", []) in served
    assert queue_for("tide", ("gpu", "eu")) in served
    assert queue_for("tide", ("gpu", "big")) not in served
    with pytest.raises(MoontideError, match="name the broker"):
        settings_in({"celery": CelerySettings()})
