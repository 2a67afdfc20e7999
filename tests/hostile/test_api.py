"""The API under requests that its own description suggests, and under such that it forbids."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hostile import apifuzz

#: For each route; `make prove` makes far more.
EXAMPLES = {apifuzz.OWNER: 10}
EXAMPLES_OF_OTHERS = 2


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apifuzz.Target]:
    with apifuzz.serving(tmp_path_factory.mktemp("api")) as target:
        yield target


@pytest.mark.parametrize("way", apifuzz.WAYS, ids=lambda way: way.name)
def test_every_answer_is_one_that_the_description_knows_and_the_role_allows(
    target: apifuzz.Target, way: apifuzz.Way
) -> None:
    report = target.ask(way, EXAMPLES.get(way, EXAMPLES_OF_OTHERS))
    assert list(report.complaints.values()) == []
    assert target.harm() == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/why/ticker?at=0001-01-01T00:00:00%2B01:00",
        "/v1/why/ticker?at=9999-12-31T23:59:59Z",
        "/v1/slots?since=0001-01-01T00:00:00%2B14:00",
        "/v1/runs?until=9999-12-31T23:59:59-14:00",
        "/v1/coming?since=9999-12-31T23:59:59Z",
        "/v1/alerts?before=9223372036854775808",
        "/v1/audit?before=9223372036854775808",
        "/v1/schedules?before=9223372036854775808",
        "/v1/schedules?user_id=9223372036854775808",
        "/v1/runs?before=9223372036854775808",
        "/v1/runs/1/log?after=9223372036854775808",
    ],
)
def test_times_and_numbers_out_of_reach_are_wrong_input(target: apifuzz.Target, path: str) -> None:
    with target.client(apifuzz.OWNER) as client:
        answer = client.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_input")
    assert target.harm() == []


def test_strangers_get_no_description(target: apifuzz.Target) -> None:
    stranger = next(way for way in apifuzz.WAYS if way.role is None)
    with target.client(stranger) as client:
        assert client.get("/openapi.json").status_code == 401


def test_the_stream_of_events_refuses_in_words_what_it_cannot_read(target: apifuzz.Target) -> None:
    with target.client(apifuzz.OWNER) as client:
        client.timeout = 30.0
        with client.stream("GET", f"{apifuzz.STREAM}?run=soon") as answer:
            assert answer.status_code == 422
            assert answer.headers["content-type"] == "application/json"
        with client.stream("GET", apifuzz.STREAM) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")


def test_only_what_succeeds_is_described_as_something_else_than_json(target: apifuzz.Target) -> None:
    kinds = {
        (path, status): set(response.get("content", {}))
        for path, methods in target.description["paths"].items()
        for status, response in methods.get("get", {}).get("responses", {}).items()
    }
    assert kinds["/v1/metrics", "200"] == {"text/plain"}
    assert kinds[apifuzz.STREAM, "200"] == {"text/event-stream"}
    assert {kind for (_, status), kind in kinds.items() if status != "200" for kind in kind} == {
        "application/json"
    }
