"""What a job asks for, checked: nothing of it reaches the network before it has passed here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import httpx

from moontide import CoreError
from plugins.network.addresses import join

WRONG = 801
NETWORK = 815

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MOST_URL_CHARACTERS = 16_384

HeaderValues = Mapping[str, str | int | float]

_SCHEMES = {"http": 80, "https": 443}
_HOST = re.compile(rb"[a-z0-9_.:-]{1,255}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_HEADER_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")

# These say where a request ends and where it goes; a job that sets them could speak for others.
_OWN_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade"}
    | {"expect", "http2-settings"}
)

# Others than the host that a header was meant for get only these.
_FOR_EVERYONE = frozenset({b"accept", b"accept-language", b"accept-encoding", b"content-type", b"user-agent"})

# Ports where other protocols are spoken: a request could be made to look like a command there. From the
# Fetch standard's "bad ports", those that answer to lines of text.
_OTHER_PROTOCOLS = frozenset(
    {7, 9, 11, 13, 19, 20, 21, 22, 23, 25, 37, 43, 53, 69, 79, 110, 111, 113, 119, 135, 139, 143, 161, 179}
    | {389, 427, 445, 465, 512, 513, 514, 515, 540, 548, 554, 556, 563, 587, 601, 636, 993, 995, 2049}
    | {3659, 4045, 5060, 5061, 6000, 6379, 6514, 6566, 6665, 6666, 6667, 6668, 6669, 6697, 11211}
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to be sent.

    Attributes:
        label: the core function, for messages.
        headers: names in lower case.
        body: None for methods that carry none.
        max_redirects: with 0 a redirect is an answer like others.
    """

    label: str
    method: str
    url: httpx.URL
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes | None
    timeout_seconds: float
    max_redirects: int
    ssl_verify: bool = True

    def redirected(self, status: int, location: str) -> Request:
        """Return the request that a redirect asks for.

        Raises:
            CoreError: it leads to something that is no web address.
        """
        label = f"{self.label}: a redirect of {target(self.url)}"
        try:
            url = check_url(label, str(self.url.join(location)))
        except (httpx.InvalidURL, ValueError) as error:
            raise CoreError(f"{label} leads to a URL that is none", NETWORK) from error
        except CoreError as error:
            raise CoreError(error.message, NETWORK) from error
        request = replace(self, url=url, headers=self._headers_for(url))
        # RFC 9110, section 15.4: a form that was taken (303, and by custom 301 and 302) is not sent again.
        if (status == 303 and self.method != "HEAD") or (status in (301, 302) and self.method == "POST"):
            kept = tuple((name, value) for name, value in request.headers if name != b"content-type")
            return replace(request, method="GET", body=None, headers=kept)
        return request

    def _headers_for(self, url: httpx.URL) -> tuple[tuple[bytes, bytes], ...]:
        if (url.scheme, target(url)) == (self.url.scheme, target(self.url)):
            return self.headers
        return tuple((name, value) for name, value in self.headers if name in _FOR_EVERYONE)


def check_url(label: str, text: str) -> httpx.URL:
    """Return a web address as a URL.

    Raises:
        CoreError: 801, if it is none that jobs may ask for. The message never repeats the URL, which may hold
            secrets.
    """
    try:
        url = httpx.URL(text) if len(text) <= MOST_URL_CHARACTERS else None
    except (httpx.InvalidURL, ValueError) as error:
        raise CoreError(f"{label}: the URL cannot be understood", WRONG) from error
    if url is None:
        raise CoreError(f"{label}: the URL is longer than {MOST_URL_CHARACTERS} characters", WRONG)
    if url.scheme not in _SCHEMES or not url.raw_host:
        raise CoreError(f"{label}: the URL must begin with http:// or https:// and a host", WRONG)
    if not _HOST.fullmatch(url.raw_host):
        raise CoreError(f"{label}: the host in the URL is none", WRONG)
    if url.userinfo:
        raise CoreError(f"{label}: the URL holds a user name; send it in the header Authorization", WRONG)
    if not 1 <= port_of(url) <= 65_535 or port_of(url) in _OTHER_PROTOCOLS:
        raise CoreError(f"{label}: port {port_of(url)} is not for web requests", WRONG)
    return url


def host_of(url: httpx.URL) -> str:
    """Return the host as the name server knows it, in ASCII; addresses without brackets."""
    return url.raw_host.decode("ascii")


def port_of(url: httpx.URL) -> int:
    """Return the port that a URL leads to."""
    return _SCHEMES[url.scheme] if url.port is None else url.port


def target(url: httpx.URL) -> str:
    """Return host and port, for messages and permissions."""
    return join(host_of(url), port_of(url))


def check_method(label: str, method: str) -> str:
    """Return a method in capitals.

    Raises:
        CoreError: 801 for one that is not in the list.
    """
    if method.upper() not in METHODS:
        raise CoreError(f"{label}: method must be one of {', '.join(METHODS)}", WRONG)
    return method.upper()


def check_headers(label: str, headers: HeaderValues | None) -> dict[bytes, bytes]:
    """Return headers as bytes, names in lower case.

    Raises:
        CoreError: 801 for one that is malformed, or that jobs may not set.
    """
    checked: dict[bytes, bytes] = {}
    for name, value in (headers or {}).items():
        if not _HEADER_NAME.fullmatch(name):
            raise CoreError(f"{label}: headers has a name that is none", WRONG)
        if name.lower() in _OWN_HEADERS or name.lower().startswith("proxy-"):
            raise CoreError(f"{label}: the header {name} cannot be set by a job", WRONG)
        raw = str(value).encode()
        if not _HEADER_VALUE.fullmatch(raw):
            raise CoreError(f"{label}: the header {name} has a line break or control character", WRONG)
        checked[name.lower().encode()] = raw.strip(b" \t")
    return checked
