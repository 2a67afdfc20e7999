"""What a run may reach."""

from typing import Any

import pytest

from engine.calls.permissions import PermissionMode, Permissions, matches, permission_words
from engine.errors import CoreError


def permissions(mode: PermissionMode, **allow: bool | list[str]) -> tuple[Permissions, list[str]]:
    refusals: list[str] = []
    return Permissions(job="report", mode=mode, allow=allow, refused=refusals.append), refusals


def test_an_open_engine_asks_nothing() -> None:
    open_to_all, refusals = permissions(PermissionMode.OPEN)
    open_to_all.check("network", ["evil.example:443"])
    assert refusals == []


def test_what_is_not_listed_is_refused_and_told() -> None:
    declared, refusals = permissions(PermissionMode.DECLARED, network=["api.example.com"])
    with pytest.raises(CoreError) as caught:
        declared.check("network", ["evil.example:443"])
    assert caught.value.code == 801
    assert "job report may not reach evil.example:443" in caught.value.message
    assert refusals == [caught.value.message]


@pytest.mark.parametrize("allow", [{}, {"email": False}, {"email": []}])
def test_a_module_that_is_not_granted_is_refused_whole(allow: dict[str, bool | list[str]]) -> None:
    declared, _ = permissions(PermissionMode.DECLARED, **allow)
    with pytest.raises(CoreError, match=r"may not use core\.email"):
        declared.check("email", [])


def test_every_resource_of_a_call_must_be_covered() -> None:
    declared, _ = permissions(PermissionMode.DECLARED, files=["reports/"])
    declared.check("files", ["reports/a.txt", "reports/b/c.txt"])
    with pytest.raises(CoreError):
        declared.check("files", ["reports/a.txt", "private/b.txt"])


@pytest.mark.parametrize(
    ("resource", "pattern", "covered"),
    [
        ("api.example.com:443", "api.example.com", True),
        ("api.example.com:80", "API.example.com", True),
        ("api.example.com:8443", "api.example.com", False),
        ("a.example.org:8443", "*.example.org:8443", True),
        ("example.org.evil.net:443", "*.example.org", False),
        ("evil-example.org:443", "*.example.org", False),
        ("shop", "shop", True),
        ("shop2", "shop", False),
        ("reports/a", "reports/", True),
        ("reports", "reports/", True),
        ("reports2/a", "reports/", False),
        ("Reports/a", "reports/", False),
        ("reports/A.txt", "reports/a.txt", False),
        ("reports/x:80", "reports/x", False),
        ("[::1]:8080", "[::1]:8080", True),
        ("a?c", "abc", False),
        ("abc", "a?c", False),
    ],
)
def test_patterns_cover_what_they_say(resource: str, pattern: str, covered: bool) -> None:
    assert matches(resource, pattern) is covered


@pytest.mark.parametrize(
    ("mode", "allow", "words"),
    [
        ("open", {}, "every core module"),
        ("declared", {}, "only what reaches nothing, such as core.log"),
        ("declared", {"mysql": False, "network": []}, "only what reaches nothing, such as core.log"),
        (
            "declared",
            {"network": ["api.example.com", "*.example.org"], "email": True},
            "core.email, core.network (api.example.com, *.example.org)",
        ),
    ],
)
def test_what_a_job_may_do_is_told_in_words(mode: str, allow: dict[str, Any], words: str) -> None:
    assert permission_words(mode, allow) == words
