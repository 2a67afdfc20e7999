"""The dashboard of an engine that is elsewhere: over TCP and TLS, by a token with a role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from tests.e2e.conftest import MOONTIDE, Home, home, job
from tests.services import free_port
from tests.terminal import Terminal

__all__ = ["home"]

SETTINGS = """
[api]
tcp = "127.0.0.1:{port}"
certificate = "engine.pem"

[api.tokens]
wall = {{ role = "viewer", token = "viewers-token" }}
anna = {{ role = "operator", token = "operators-token" }}
"""

Open = Callable[[str], Terminal]


@pytest.fixture
def open_as(home: Home, tmp_path: Path) -> Iterator[Open]:
    """Start an engine, and open dashboards of it by tokens."""
    port, authority = free_port(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(home.path / "engine.pem")
    home.settings(SETTINGS.format(port=port))
    home.write("report", job("return job.OK"))
    opened: list[Terminal] = []

    def open_one(token: str) -> Terminal:
        (tmp_path / "token").write_text(f"{token}\n")
        url = ("--url", f"https://localhost:{port}", "--ca-file", str(tmp_path / "ca.pem"))
        opened.append(Terminal(MOONTIDE, "tui", *url, "--token-file", str(tmp_path / "token")))
        return opened[-1]

    with home.serving():
        yield open_one
        for terminal in opened:
            terminal.close()


def test_an_operator_runs_a_job_and_is_shown_how_it_ends(open_as: Open) -> None:
    terminal = open_as("operators-token")
    terminal.reads("report", "Running")
    terminal.send("r")
    terminal.reads("complete")
    terminal.send("q")
    assert terminal.ended() == 0


def test_a_viewer_reads_that_nothing_can_be_changed(open_as: Open) -> None:
    terminal = open_as("viewers-token")
    terminal.reads("report", "read-only")
    terminal.send("r")
    terminal.reads("operator, and you are viewer")
    terminal.send("q")
    assert terminal.ended() == 0


def test_a_wrong_token_is_told(open_as: Open) -> None:
    terminal = open_as("nobodys-token")
    terminal.reads("engine answers with an error", "Authorization: Bearer", "with a token of")
    terminal.send("q")
    assert terminal.ended() == 0
