"""Text of others made safe to show: what would command a terminal or hide other text becomes visible."""

from __future__ import annotations

import re

# The controls of ASCII but tab and line feed, those of ISO 6429 (U+009B begins commands to terminals), the
# line ends of Unicode, and the marks that turn round the order of what follows.
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def legible(text: str) -> str:
    """Return the text with each harmful character as `\\x1b` or `\\u202e`."""
    return HARMFUL.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
