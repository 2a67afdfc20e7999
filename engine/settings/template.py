"""A moontide.toml that explains itself."""

from __future__ import annotations

import json
import textwrap

from pydantic import SecretStr

from engine.settings.schema import Settings, allowed_of, setting_fields, variable_of


def settings_template() -> str:
    """Return a moontide.toml that sets nothing and explains every key, for a new home folder."""
    lines = [
        "# Settings of this Moontide engine. What is commented out shows the default.",
        f"# Each key can also be set as a variable, which wins: pool.size is {variable_of('pool.size')}.",
        "",
    ]
    section = ""
    for key, field in setting_fields():
        table, _, name = key.rpartition(".")
        if table != section:
            section = table
            lines += [f"[{table}]", *_comment(_section_words(table)), ""]
        default = "" if field.default is None else _toml(field.default)
        lines += [*_comment(field.description or ""), *_comment(f"Allowed: {allowed_of(field)}.")]
        lines += [f"#{name} = {default}" if default else f"#{name} = true", ""]
    return "\n".join(lines)


def _section_words(table: str) -> str:
    return (Settings.model_fields[table].annotation.__doc__ or "").strip()


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent="# ", subsequent_indent="# ")


def _toml(value: object) -> str:
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    return json.dumps(plain)
