"""Mail addresses as a job gives them, one in each text, with or without a name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from email.headerregistry import Address

from moontide import CoreError

BAD_ADDRESS = 704
LONGEST_ADDRESS = 254
LONGEST_NAME = 200

_FORM = re.compile(r"(?:(?P<name>[^<>]*?)\s*<(?P<inner>[^<>\s]+)>|(?P<bare>[^<>\s]+))")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def unsafe_in_header(text: str) -> bool:
    """Whether a text could become more than one header value: line ends, controls, encoded words."""
    return "=?" in text or any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in text)


def parse_address(field: str, text: str) -> Address:
    """Return one address, given as `ann@shop.example` or `Ann <ann@shop.example>`.

    A domain with other letters than ASCII becomes its ASCII form.

    Args:
        field: where the address stands, for the error.

    Raises:
        CoreError: 704 if it is none, or could be more than one.
    """
    match = None if unsafe_in_header(text) else _FORM.fullmatch(text.strip())
    if match is None:
        raise _refused(field, text)
    local, at, domain = (match["inner"] or match["bare"]).rpartition("@")
    domain = _ascii_domain(domain)
    name = (match["name"] or "").strip().removeprefix('"').removesuffix('"')
    fits = len(local) <= 64 and len(local + at + domain) <= LONGEST_ADDRESS and len(name) <= LONGEST_NAME
    if not (at and fits and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        raise _refused(field, text)
    return Address(display_name=name, username=local, domain=domain)


def parse_addresses(field: str, texts: Iterable[str]) -> list[Address]:
    """Return several addresses; each text holds one.

    Raises:
        CoreError: 704 for the first that is none.
    """
    return [parse_address(field, text) for text in texts]


def _ascii_domain(domain: str) -> str:
    try:
        return domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _refused(field: str, text: str) -> CoreError:
    shown = text if len(text) <= 80 else text[:77] + "..."
    return CoreError(
        f"core.email: {field}: {shown!r} is no mail address; give one in each text, such as "
        '"ann@shop.example" or "Ann <ann@shop.example>"',
        BAD_ADDRESS,
    )
