"""The door takes a library that not everybody installs."""

from __future__ import annotations

import subprocess
import sys


def told_by(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_without_the_library_the_error_says_what_to_install() -> None:
    program = (
        "import sys, pathlib; sys.modules['asyncssh'] = None\n"
        "from engine.door.opening import make_door\n"
        "from engine.settings.sections import SshSettings\n"
        "from engine.errors import SettingsError\n"
        "here = pathlib.Path()\n"
        "try: make_door(SshSettings(listen='h:1'), here, callers=None, socket=here, note=None)\n"
        "except SettingsError as error: print(error)\n"
    )
    assert "ssh.listen is set, but what it takes is not installed" in told_by(program)
    assert "pip install 'moontide[ssh]'" in told_by(program)


def test_an_engine_without_a_door_does_not_load_it() -> None:
    assert told_by("import sys, engine.service; print('asyncssh' in sys.modules)") == "False\n"


def test_the_process_of_a_session_loads_no_door_and_no_store() -> None:
    program = (
        "import sys, engine.door.screen\n"
        "engine.door.screen.load_dashboard(); import engine.api.client\n"
        "print({'asyncssh', 'sqlalchemy', 'fastapi'} & set(sys.modules))\n"
    )
    assert told_by(program) == "set()\n"
