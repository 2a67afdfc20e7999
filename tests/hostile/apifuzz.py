"""Requests that schemathesis makes of the API's own description, sent to a real engine by every way.

Each route is asked for what its description allows and for what it does not: by the owner through the Unix
socket, and on TCP with the token of each role, with a wrong one and with none. Whatever comes must be an
answer that the description knows, without a secret, and a refusal where the role does not suffice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from engine.api.address import socket_in
from engine.api.rights import ROLE_KEY, SAFE_METHODS
from engine.api.routes import ACTOR_HEADER
from engine.roles import Role
from tests.e2e.conftest import Home, Served, job
from tests.services import free_port

Operation = APIOperation[Any, Any, Any, Any]

#: What an answer is held to; whether a well-formed request can be carried out hangs on the engine's state.
CHECKS: list[Callable[..., bool | None]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

#: Never ends by itself.
STREAM = "/v1/events"

_JOBS = {
    "ticker": job(
        'core.log(core.secret("SHOP")) return job.OK, run.data', 'every = "1h", tags = { team = "shop" }'
    ),
    "admin/cleanup": job("return job.OK", 'cron = "0 3 * * *"'),
    "lib/money": "return {}",
}
_NAMES = tuple(name for name in _JOBS if not name.startswith("lib/"))

_ANSWER_SECONDS = 120.0
_TOKENS = {role: f"{role.value}-0123456789-abcdef" for role in Role}
_PASSWORD = "nobody-reads-0123456789"


@dataclass(frozen=True, slots=True)
class Way:
    """How requests reach the engine.

    Attributes:
        role: what the engine must take the caller for; None for a stranger.
        local: whether they go through the Unix socket.
        token: sent as bearer token, if it is any.
    """

    name: str
    role: Role | None
    local: bool = False
    token: str = ""


OWNER = Way("the owner", Role.ADMIN, local=True)
WAYS = (
    OWNER,
    *(Way(f"{role.value} on TCP", role, token=token) for role, token in _TOKENS.items()),
    Way("no token on TCP", None),
    Way("a wrong token on TCP", None, token="wrong"),
    Way("a wrong token on the socket", None, local=True, token="wrong"),
)


@dataclass
class Report:
    """What a round of requests found.

    Attributes:
        asked: the number of answers by their status.
        complaints: the first request of each kind whose answer was wrong, and what was wrong with it.
    """

    asked: Counter[int] = field(default_factory=Counter)
    complaints: dict[tuple[str, str], str] = field(default_factory=dict)


class Target:
    """An engine to ask, and what its API says of itself."""

    def __init__(self, served: Served, port: int) -> None:
        self._served = served
        self._base = f"http://127.0.0.1:{port}"
        with self.client(OWNER) as client:
            self.description: dict[str, Any] = client.get("/openapi.json").json()
        schema = schemathesis.openapi.from_dict(self.description)
        operations = [result.ok() for result in schema.get_all_operations()]
        self._cases = [(operation, _cases(operation)) for operation in operations if operation.path != STREAM]

    def needed(self, operation: Operation) -> Role:
        """Return the role that the description asks for."""
        method = operation.method.upper()
        if method in SAFE_METHODS:
            return Role.VIEWER
        return Role(self.description["paths"][operation.path][method.lower()].get(ROLE_KEY, Role.ADMIN))

    def ask(self, way: Way, examples: int, *, number: int | None = None) -> Report:
        """Ask every route by one way.

        Args:
            examples: requests for each route.
            number: what all chance follows from; None for requests that are always alike.
        """
        report = Report()
        with self.client(way) as client:
            for operation, cases in self._cases:
                check = partial(self._check, client, way, operation, report)
                _repeat(check, cases, examples, number)
                if way.role is not None and operation.method.upper() not in SAFE_METHODS:
                    self._restore()
        return report

    def harm(self) -> list[str]:
        """Return what is wrong with the engine after it was asked."""
        if self._served.process.poll() is not None:
            return [f"the engine ended with {self._served.process.returncode}: {self._served.complaints}"]
        with self.client(OWNER) as client:
            run = client.post("/v1/runs", json={"job": "ticker"})
        said = self._served.complaints + self._served.output
        return [
            *([f"a run cannot be started any more: {run.text}"] if run.status_code != 202 else []),
            *([f"the engine told a secret: {secret}" for secret in _secrets() if secret in said]),
            *([f"an exception reached the engine's log: {_first_traceback(said)}"] if _TRACE in said else []),
        ]

    @contextmanager
    def client(self, way: Way) -> Iterator[httpx.Client]:
        """Give a client that asks by this way."""
        path = str(socket_in(self._served.home.path)) if way.local else None
        headers = {"authorization": f"Bearer {way.token}"} if way.token else {}
        transport = httpx.HTTPTransport(uds=path)
        with httpx.Client(
            transport=transport, base_url=self._base, headers=headers, timeout=_ANSWER_SECONDS
        ) as client:
            yield client

    def _check(
        self, client: httpx.Client, way: Way, operation: Operation, report: Report, case: Case, actor: str
    ) -> None:
        answer = client.send(_request(client, self._base, case, actor))
        report.asked[answer.status_code] += 1
        for what in (*_broken(case, answer), *_wrong_right(way, self.needed(operation), answer)):
            words = f"{way.name}, {case.as_curl_command()}: {what}\n{answer.status_code} {answer.text[:500]}"
            report.complaints.setdefault((operation.label, what[:60]), words)

    def _restore(self) -> None:
        """Undo what the requests did to the job files and to the engine's readiness."""
        for name, text in _JOBS.items():
            self._served.home.write(name, text)
        with self.client(OWNER) as client:
            client.post("/v1/resume", json={"scope": "engine"})
            client.post("/v1/reload", json={"override": True})


_TRACE = "Traceback (most recent call last)"


def _first_traceback(said: str) -> str:
    return said[said.index(_TRACE) :][:3000]


@contextmanager
def serving(folder: Path) -> Iterator[Target]:
    """Start an engine that may be spoilt."""
    home, port = Home(folder / "home"), free_port()
    named = "".join(
        f'{role.value} = {{ role = "{role.value}", token = "{token}" }}\n' for role, token in _named()
    )
    home.settings(
        f'api.tcp = "127.0.0.1:{port}"\napi.token = "{_TOKENS[Role.ADMIN]}"\nlimits.timeout = "5s"\n'
        f"[api.tokens]\n{named}"
    )
    for name, text in _JOBS.items():
        home.write(name, text)
    with home.serving(MOONTIDE_SECRET_SHOP=_PASSWORD) as served:
        yield Target(served, port)


def _named() -> list[tuple[Role, str]]:
    return [(role, token) for role, token in _TOKENS.items() if role is not Role.ADMIN]


def _secrets() -> tuple[str, ...]:
    return (*_TOKENS.values(), _PASSWORD)


#: What clients may say of themselves; a header holds no more.
_ACTORS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f")).map(
    str.strip
)


def _cases(operation: Operation) -> st.SearchStrategy[Case]:
    """Return requests that fit the description and that do not, half of them about a job that there is."""
    fitting = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return st.builds(_aimed, fitting | wrong, st.none() | st.sampled_from(_NAMES))


def _repeat(
    check: Callable[[Case, str], None], cases: st.SearchStrategy[Case], examples: int, number: int | None
) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=number is None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, actor=_ACTORS)
    def each(case: Case, actor: str) -> None:
        check(case, actor)

    (each if number is None else seed(number)(each))()


def _aimed(case: Case, name: str | None) -> Case:
    if name is not None:
        if "name" in case.path_parameters:
            case.path_parameters["name"] = name
        if isinstance(case.body, dict) and "job" in case.body:
            case.body["job"] = name
    return case


def _request(client: httpx.Client, base: str, case: Case, actor: str) -> httpx.Request:
    """Return a case as a request of a client, whose own headers it keeps."""
    made = case.as_transport_kwargs(base_url=base)
    own = {
        name: value for name, value in made["headers"].items() if name.lower() in ("content-type", "accept")
    }
    return client.build_request(
        made["method"],
        made["url"],
        params=made.get("params"),
        headers={**own, ACTOR_HEADER: actor.encode("latin-1")},
        cookies=None,
        **{
            name: made[kind]
            for name, kind in (("json", "json"), ("content", "data"))
            if made.get(kind) is not None
        },
    )


def _broken(case: Case, answer: httpx.Response) -> list[str]:
    """Return in which ways an answer is none that the description knows, and the secrets that it tells."""
    whole = f"{answer.headers}\n{answer.text}"
    found = [f"the answer tells the secret {secret}" for secret in _secrets() if secret in whole]
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as group:
        found += [f"{type(one).__name__}: {one}" for one in group.exceptions]
    except Failure as failure:
        found.append(f"{type(failure).__name__}: {failure}")
    if answer.headers.get("content-type") == "application/json":
        try:
            json.loads(answer.content, parse_constant=_no_constant)
        except ValueError as error:
            found.append(f"no JSON: {error}")
    return found


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _wrong_right(way: Way, needed: Role, answer: httpx.Response) -> list[str]:
    """Return where an answer was given that the role does not suffice for, or was refused to whom it does."""
    status = answer.status_code
    if way.role is None:
        return [] if status == 401 else ["a stranger was answered"]
    if not way.role.may(needed):
        return [] if status == 403 else [f"it needs the role {needed} and was answered"]
    refused = status == 401 or (status == 403 and way.role is Role.ADMIN)
    return ["it was refused to whom it is open"] if refused else []
