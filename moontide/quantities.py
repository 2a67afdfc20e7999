"""Durations and sizes as people write them in settings, for plugins."""

from engine.times.quantities import format_duration, format_size, parse_duration, parse_size

__all__ = ["format_duration", "format_size", "parse_duration", "parse_size"]
