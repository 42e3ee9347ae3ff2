"""What MicroSIP's log (PJSIP's words) says, one thing after the other.

09:15:02.190           pjsua_core.c  ...TX 560 bytes Request msg REGISTER/cseq=27115 (tdta0000) to UDP 192.0.2.20:5060:
09:15:34.190            pjsua_acc.c  ....SIP registration failed, status=408 (Request Timeout)

Words are matched wherever they stand, so that a line without its time stamp, or a log without line breaks, is
read as well. Sender columns are 14 (32 bit) or 22 (64 bit) wide and are not needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple


class Said(StrEnum):
    """What the log says about registration."""

    REGISTERING = "registering"
    UNREGISTERING = "unregistering"
    SENT = "sent"  # a REGISTER: cseq, transport, address, port
    RESENDING = "resending"  # its transaction's timer
    ANSWERED = "answered"  # code, cseq
    FAILED = "failed"  # code, text
    ERROR = "error"  # code of PJSIP (171100…), text
    SUCCEEDED = "succeeded"  # extension
    UNREGISTERED = "unregistered"
    EXPIRES = "expires"  # code: seconds, of the REGISTER just printed
    RESOLVED = "resolved"  # host, port, transport, address
    UNRESOLVED = "unresolved"  # host
    SEND_FAILED = "send_failed"  # code: of the system
    CONNECT_FAILED = "connect_failed"  # transport, code
    DISCARDED = "discarded"  # a packet that came in and lacks a header, e.g. its Via: address, port it came from


class LogEvent(NamedTuple):
    """One thing the log says, `at` its offset. None: not in it."""

    said: Said
    at: int
    code: int | None = None
    cseq: int | None = None
    transport: str | None = None
    address: str | None = None
    port: int | None = None
    host: str | None = None
    extension: str | None = None
    text: str | None = None


_WORDS = {
    Said.REGISTERING: r"Acc\s*\d+:\s*(?:setting\s*r|R)egistration(?=\.|\s*sent)",
    Said.UNREGISTERING: r"Acc\s*\d+:\s*(?:setting\s*un|Un)registration",
    Said.SENT: r"TX\s*\d+\s*bytes\s*Request\s*msg\s*REGISTER/cseq=(?P<cseq>\d{1,10})\s*\(\w*\)\s*to\s*"
    r"(?P<transport>UDP|TCP|TLS)\s*(?P<address>\d{1,3}(?:\.\d{1,3}){3}):(?P<port>\d{1,5})",
    Said.RESENDING: r"Retransmit+ing\s*Request\s*msg\s*REGISTER/cseq=(?P<cseq>\d{1,10})",
    Said.ANSWERED: r"Response\s*msg\s*(?P<code>\d{3})/REGISTER/cseq=(?P<cseq>\d{1,10})",
    Said.FAILED: r"SIP\s*registration\s*failed,?\s*status\s?=\s?(?P<code>\d{3})(?!\d)\s*(?:\((?P<text>[^\n]{0,160}))?",
    Said.ERROR: r"SIP\s*registration\s*error:\s*(?P<text>[^\n\[]{0,160})(?:\[status=(?P<code>\d{5,6})\])?",
    Said.SUCCEEDED: r"(?:<?sips?:(?P<extension>[^@\s:;<>]{1,64})@[^\s<>]{1,100}?>?:\s*)?(?<!un)"
    r"registration\s*success,?\s*status\s?=\s?(?P<code>2\d\d)",
    Said.UNREGISTERED: r"unregistration\s*success",
    Said.EXPIRES: r"^Expires:\s*(?P<code>\d{1,9})\s*$",
    Said.RESOLVED: r"Target\s*'(?P<host>[^':\n]{1,253})(?::(?P<port>\d{1,5}))?'\s*type=\w{1,12}\s*resolved\s*to\s*"
    r"'(?P<address>\d{1,3}(?:\.\d{1,3}){3}):(?P<port2>\d{1,5})'\s*type=(?P<transport>UDP|TCP|TLS)",
    Said.UNRESOLVED: r"Failed\s*to\s*resolve\s*'(?P<host>[^':\n]{1,253})",
    Said.SEND_FAILED: r"Failed\s*to\s*send\s*Request\s*msg\s*REGISTER/cseq=\d{1,10}\s*\(\w*\)\s*!?\s*"
    r"err=(?P<code>\d{1,7})",
    Said.DISCARDED: r"Error\s*processing\s*packet\s*from\s*(?P<address>\d{1,3}(?:\.\d{1,3}){3}):(?P<port>\d{1,5}):"
    r"\s*Missing\s*required\s*header",
    Said.CONNECT_FAILED: r"(?P<transport>TCP|TLS)\s*connect\(\)\s*error:\s*(?:\[code=(?P<code>\d{1,7})\])?",
}
_PATTERNS = {said: re.compile(pattern, re.MULTILINE) for said, pattern in _WORDS.items()}

# A line of the log, a line of the SIP text in it, words of it without a time stamp.
_STAMPED = re.compile(r"\s*\d\d:\d\d:\d\d\.\d{3}\s*[A-Za-z_]\S{2,40}\s")
_SIP_TEXT = re.compile(
    r"\s*(?:SIP/2\.0 \d{3}|[A-Z]{3,9} sips?:\S+ SIP/2\.0|--end msg--|(?:Via|From|To|Call-ID|CSeq|Contact|Max-Forwards"
    r"|User-Agent|Expires|Allow|Content-\w+|WWW-Authenticate|Authorization|Supported|Route|Event|Accept"
    r"|Proxy-Auth\w+|Allow-Events|Require|Session-Expires|Min-SE|Record-Route): ?)"
)
_ALONE = re.compile(
    r"SIP\s?registration\s?(?:failed,?\s?status|error:)|registration\s?success,?\s?status|Failed\s?to\s?resolve\s?'"
    r"|(?:Request|Response)\s?msg\s?(?:\d{3}/)?REGISTER/cseq=|STUN\s?resolution|Error\s?setting\s?nameserver"
)


def is_log_line(line: str) -> bool:
    """A time stamp with a sender, or words that only this log has."""
    return _STAMPED.match(line) is not None or _ALONE.search(line) is not None


def is_sip_text(line: str) -> bool:
    """A line of a SIP message, as the log prints it between its own lines."""
    return _SIP_TEXT.match(line) is not None


def read(text: str) -> list[LogEvent]:
    """All events of a log, in text order."""
    return sorted(_found(text), key=lambda event: event.at)


def _found(text: str) -> Iterator[LogEvent]:
    for said, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            yield _event(said, match.start(), match.groupdict())


def _event(said: Said, at: int, parts: dict[str, str | None]) -> LogEvent:
    port = parts.get("port2") or parts.get("port")
    code, cseq = parts.get("code"), parts.get("cseq")
    return LogEvent(
        said,
        at,
        code=int(code) if code else None,
        cseq=int(cseq) if cseq else None,
        transport=parts.get("transport"),
        address=parts.get("address"),
        port=int(port) if port else None,
        host=parts.get("host"),
        extension=parts.get("extension"),
        text=parts.get("text"),
    )
