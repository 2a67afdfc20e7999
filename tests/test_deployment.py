"""The units and the compose file of the page about more than one machine are in order."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import MOONTIDE
from tests.services import missing

PAGE = (Path(__file__).parents[1] / "docs" / "scaling.md").read_text("utf-8")
UNITS = dict(re.findall(r"(?ms)^```ini unit=(\S+)\n(.*?)^```$", PAGE))
[COMPOSE] = re.findall(r"(?ms)^```yaml file=compose.yaml\n(.*?)^```$", PAGE)
PARTS: dict[str, Any] = yaml.safe_load(COMPOSE)
COMMANDS = [
    *(
        line.removeprefix("ExecStart=")
        for text in UNITS.values()
        for line in text.splitlines()
        if "ExecStart=" in line
    ),
    *(service["command"] for service in PARTS["services"].values() if "command" in service),
]


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_in_order(name: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        missing("systemd")
    unit = tmp_path / name
    unit.write_text(UNITS[name].replace("/opt/moontide/bin/moontide", MOONTIDE), "utf-8")
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60
    )
    said = [line for line in checked.stderr.splitlines() if name in line]
    assert (checked.returncode, said) == (0, [])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_shown_has_only_options_that_there_are(command: str) -> None:
    program, *arguments = shlex.split(command)
    assert Path(program).name == "moontide"
    done = subprocess.run([MOONTIDE, *arguments, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_compose_file_names_only_what_is_in_it() -> None:
    services = PARTS["services"]
    assert set(services) == {"database", "engine", "worker"}
    for service in services.values():
        assert set(service.get("secrets", ())) <= set(PARTS["secrets"])
        assert set(service.get("depends_on", ())) <= set(services)
        named = {volume.partition(":")[0] for volume in service["volumes"]}
        assert {one for one in named if not one.startswith(".")} <= set(PARTS["volumes"])
        secret = [value for name, value in service["environment"].items() if name.endswith("FILE")]
        assert {Path(one).name for one in secret} <= set(service["secrets"])
