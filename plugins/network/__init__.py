"""core.network: HTTP for jobs, kept away from what is not public."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from moontide import CoreCall, CoreError, CoreModule, ServiceContext, hookimpl
from plugins.network.client import Client, Permit
from plugins.network.hook import AlertHook
from plugins.network.request import (
    WRONG,
    Request,
    check_headers,
    check_method,
    check_url,
    target,
)
from plugins.network.settings import NetworkSettings, checked_seconds
from plugins.network.tree import from_json, to_json
from plugins.secret import SecretSettings, Vault

#: Requests of one pipeline, and how many of them are under way at once.
MOST_REQUESTS = 100
AT_ONCE = 10

FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"

Headers = dict[str, str | int | float]


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """How a request is made.

    Attributes:
        timeout: how long it may take in all: seconds, or text as "500ms".
        ssl_verify: whether the host must prove who it is.
        max_redirects: how many redirects are followed; with 0, a redirect is the answer.
    """

    timeout: float | str | None = None
    ssl_verify: bool = True
    max_redirects: int | None = None


class Params(Options, forbid_unknown_fields=True, kw_only=True):
    """The second argument of `request`."""

    method: str
    headers: Headers | None = None
    body: bytes | None = None


class Step(Options, forbid_unknown_fields=True, kw_only=True):
    """One request of a pipeline."""

    path: str
    method: str = "GET"
    headers: Headers | None = None
    body: bytes | None = None


class NetworkService(Client):
    """The client of all jobs, and where notices of alerts are posted."""

    def __init__(self, settings: NetworkSettings, hook: AlertHook) -> None:
        super().__init__(settings)
        self.hook = hook


network = CoreModule(
    "network",
    summary="Speaks HTTP: core.network.get(url), getJson, post, postJson, request, pipeline, encode.",
    settings=NetworkSettings,
)


@network.service
@asynccontextmanager
async def open_client(settings: NetworkSettings, context: ServiceContext) -> AsyncIterator[NetworkService]:
    """Keep one client, and so its connections, for all jobs."""
    vault = Vault(context.settings.get("secret") or SecretSettings(), context.home)
    async with NetworkService(settings, AlertHook(settings, vault)) as client:
        yield client


def _first_host(function: str, url: str, *_: object) -> list[str]:
    return [target(check_url(f"core.network.{function}", url))]


def _pipeline_host(_requests: object, url: str) -> list[str]:
    return _first_host("pipeline", url)


@network.function(timeout_seconds=None, needs=partial(_first_host, "request"), large=True)
async def request(call: CoreCall, url: str, params: Params) -> dict[str, Any]:
    """Send a request and return the answer `{ body, headers, status }`.

    `params` holds `method` and may hold `headers`, `body`, `timeout`, `ssl_verify` and `max_redirects`.
    """
    return await _send(call, "request", url, params)


@network.function(timeout_seconds=None, needs=partial(_first_host, "get"))
async def get(
    call: CoreCall, url: str, headers: Headers | None = None, options: Options | None = None
) -> dict[str, Any]:
    """Fetch a URL and return the answer `{ body, headers, status }`.

    `options` may hold `timeout`, `ssl_verify` and `max_redirects`.
    """
    return await _send(call, "get", url, _params("GET", headers, options))


@network.function(timeout_seconds=None, needs=partial(_first_host, "post"), large=True)
async def post(
    call: CoreCall,
    url: str,
    body: bytes = b"",
    headers: Headers | None = None,
    options: Options | None = None,
) -> dict[str, Any]:
    """Send a body, as a form if no header says otherwise, and return the answer `{ body, headers, status }`.

    `options` may hold `timeout`, `ssl_verify` and `max_redirects`.
    """
    return await _send(call, "post", url, _params("POST", headers, options, body), content_type=FORM)


@network.function("getJson", timeout_seconds=None, needs=partial(_first_host, "getJson"))
async def get_json(
    call: CoreCall, url: str, headers: Headers | None = None, options: Options | None = None
) -> Any:
    """Fetch a URL and return what its JSON says; anything but a success with JSON is an error 830.

    `options` may hold `timeout`, `ssl_verify` and `max_redirects`.
    """
    answer = await _send(call, "getJson", url, _params("GET", headers, options), accept=JSON)
    where = f"core.network.getJson: {target(check_url('core.network.getJson', url))}"
    if not 200 <= answer["status"] < 300:
        raise CoreError(f"{where} answered with status {answer['status']}", 830)
    return await asyncio.to_thread(from_json, where, answer["body"])


@network.function("postJson", timeout_seconds=None, needs=partial(_first_host, "postJson"), large=True)
async def post_json(
    call: CoreCall,
    url: str,
    value: dict[str | int | float, Any] | list[Any],
    headers: Headers | None = None,
    options: Options | None = None,
) -> dict[str, Any]:
    """Send a table as JSON and return the answer `{ body, headers, status }`.

    `options` may hold `timeout`, `ssl_verify` and `max_redirects`.
    """
    body = await asyncio.to_thread(to_json, "core.network.postJson", value)
    params = _params("POST", headers, options, body)
    return await _send(call, "postJson", url, params, content_type=JSON, accept=JSON)


@network.function(timeout_seconds=None, needs=_pipeline_host, large=True)
async def pipeline(call: CoreCall, requests: list[Step], url: str) -> list[dict[str, Any]]:
    """Send several requests to one host at the same time and return their answers in order.

    Each holds `path`, which is put behind `url`, and may hold `method`, `headers`, `body`, `timeout`,
    `ssl_verify` and `max_redirects`. In place of an answer that failed stands `{ error, code }`.
    """
    if len(requests) > MOST_REQUESTS:
        raise CoreError(f"core.network.pipeline: requests may hold {MOST_REQUESTS} at most", WRONG)
    client: Client = call.service
    base, places, room = url.partition("?")[0].rstrip("/"), asyncio.Semaphore(AT_ONCE), client.room()
    prepared = [_step_request(call, number, step, base) for number, step in enumerate(requests, 1)]

    async def carry_out(one: Request) -> dict[str, Any]:
        async with places:
            try:
                return await client.send(one, permit=_permit(call), room=room)
            except CoreError as error:
                return {"error": error.message, "code": error.code}

    return await asyncio.gather(*map(carry_out, prepared))


@network.function()
async def encode(call: CoreCall, values: dict[str | int | float, Any]) -> str:
    """Return a flat table as text for a query or a form: `a=1&b=x%20y`, in the order of the names."""
    pairs = sorted((_plain(name, name), _plain(name, value)) for name, value in values.items())
    return urlencode(pairs, quote_via=quote, safe="")


def _plain(name: str | int | float, value: Any) -> bytes:
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str | int | float):
        return str(value).encode()
    if isinstance(value, bytes):
        return value
    words = f"core.network.encode: values.{name} must be a string, a number, true or false"
    raise CoreError(words, WRONG)


def _params(
    method: str, headers: Headers | None, options: Options | None, body: bytes | None = None
) -> Params:
    given = options or Options()
    return Params(
        method=method,
        headers=headers,
        body=body,
        timeout=given.timeout,
        ssl_verify=given.ssl_verify,
        max_redirects=given.max_redirects,
    )


async def _send(
    call: CoreCall, function: str, url: str, params: Params, **usual_headers: bytes
) -> dict[str, Any]:
    client: Client = call.service
    prepared = _prepare(call, f"core.network.{function}", url, params, **usual_headers)
    return await client.send(prepared, permit=_permit(call), room=client.room())


def _step_request(call: CoreCall, number: int, step: Step, base: str) -> Request:
    label = f"core.network.pipeline: requests[{number}]"
    if not step.path.startswith("/"):
        raise CoreError(f"{label}.path must begin with /", WRONG)
    return _prepare(call, label, base + step.path, step)


def _prepare(call: CoreCall, label: str, url: str, params: Params | Step, **usual_headers: bytes) -> Request:
    usual = {name.replace("_", "-").encode(): value for name, value in usual_headers.items()}
    method = check_method(label, params.method)
    return Request(
        label=label,
        method=method,
        url=check_url(label, url),
        headers=tuple({**usual, **check_headers(label, params.headers)}.items()),
        body=b"" if params.body is None and method in ("POST", "PUT", "PATCH") else params.body,
        timeout_seconds=_timeout(label, params, call.service.settings),
        max_redirects=_redirects(label, params, call.service.settings),
        ssl_verify=params.ssl_verify,
    )


def _timeout(label: str, options: Options, settings: NetworkSettings) -> float:
    if options.timeout is None:
        return settings.timeout_seconds
    try:
        return checked_seconds("timeout", options.timeout)
    except ValueError as error:
        raise CoreError(f"{label}: {error}", WRONG) from error


def _redirects(label: str, options: Options, settings: NetworkSettings) -> int:
    if options.max_redirects is None:
        return settings.max_redirects
    if not 0 <= options.max_redirects <= settings.max_redirects:
        raise CoreError(f"{label}: max_redirects must be between 0 and {settings.max_redirects}", WRONG)
    return options.max_redirects


def _permit(call: CoreCall) -> Permit:
    return lambda host: call.permissions.check("network", [host])


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the module `network`."""
    return [network]
