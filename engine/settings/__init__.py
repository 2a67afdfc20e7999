"""What the operator sets: moontide.toml, and the same keys as MOONTIDE_... variables."""

from engine.settings.loading import load_settings, settings_from
from engine.settings.schema import FILE_NAME, Settings, allowed_of, setting_fields, variable_of
from engine.settings.template import settings_template

__all__ = [
    "FILE_NAME",
    "Settings",
    "allowed_of",
    "load_settings",
    "setting_fields",
    "settings_from",
    "settings_template",
    "variable_of",
]
