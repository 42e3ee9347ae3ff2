"""What one line of the PBX's log says: a line of pm2 or winston to typed events.

    0|pbx-syst | 2026-11-23 00:50:16 +05:00: 2026-11-23 00:50:16 info: [SIP] Received message from 192.0.2.7:57705
    {"level":"warn","message":"Authentication failed for 1002","service":"pbx-system","timestamp":"2026-11-23 00:49:56"}

A line may hold several events (newlines get lost, `pm2 logs --json` glues lines together). All white space is
taken out before matching, so that lost or doubled blanks and wraps do not matter. What a client wrote itself
(its request line) is quoted by the PBX without escaping; nothing behind such a quotation is believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple


class Said(StrEnum):
    """What the PBX writes, measured on the real one."""

    RECEIVED = "received"  # a packet came in
    REQUEST = "request"  # its request line; text: method, host: of the request URI
    PROCESSING = "processing"  # a REGISTER is taken up
    OTHER_REQUEST = "other_request"  # an OPTIONS or INVITE is taken up
    IGNORED = "ignored"  # an unknown method or an empty packet
    RESPONSE = "response"  # a SIP response of a client or trunk
    CHALLENGE = "challenge"  # 401
    ANSWER_CODE = "answer_code"  # an answer of 4xx or 5xx; code
    ANSWER = "answer"  # any answer is being sent
    ANSWER_SENT = "answer_sent"
    OPTIONS_ANSWERED = "options_answered"
    SEND_ERROR = "send_error"  # text: the system's words
    REGISTERED = "registered"
    AUTH_FAILED = "auth_failed"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the cause of the AUTH_FAILED that follows
    PASSWORD_LOST = "password_lost"  # noqa: S105 - the same
    USERNAME_MISMATCH = "username_mismatch"  # the same; login
    NOT_FOUND = "not_found"
    NO_USERNAME = "no_username"  # From header not understood
    REGISTER_ERROR = "register_error"  # text: why; a 500 follows
    SERVER_ERROR = "server_error"  # text: why; the server itself
    OTHER_PORT = "other_port"  # a REGISTER came to the trunk's port
    STARTED = "started"  # the registrar took its port
    STOPPED = "stopped"  # the registrar let it go: the PBX was told to end
    ELSE = "else"  # a line of this log that says nothing about a client


class LogEvent(NamedTuple):
    """One thing the PBX wrote. None: not in the line."""

    said: Said
    source_ip: str | None = None
    source_port: int | None = None
    extension: str | None = None
    login: str | None = None
    code: int | None = None
    host: str | None = None
    text: str | None = None


_COLOUR = r"\[\d{1,3}(?:;\d{1,3}){0,4}m"
_ANSI = re.compile("|".join(escape + _COLOUR for escape in ("", r"\x1b", r"\^\[", "␛")))
_DATE = r"20\d\d[-‐‑–—]\d\d[-‐‑–—]\d\d[ T-]{0,3}\d\d:\d\d:\d\d"
_STAMP = re.compile(rf"{_DATE}(?:[.,]\d{{1,6}})?Z?\s{{0,3}}(?:[+-]\d\d:?\d\d)?:?\s{{0,3}}")
_PM2_STAMP = re.compile(r".{19,24}[+-]\d\d:\d\d:\s{0,3}")  # pm2 puts its own before every line
# Where another log line begins inside a line: a time stamp, or pm2's process number and name.
_NEXT_LINE = re.compile(rf"timestamp=(?=20)|\d(?=\|[\w-]{{2,20}}\s{{0,3}}\|)|(?={_DATE})20")
_BEGINS = re.compile(
    rf"\s*(?:\d{{1,3}}\|[\w-]{{2,20}}\s{{0,3}}\||{_DATE}|\[SIP\b|\[TAILING|timestamp=20|\{{\s?[\"“”]"
    r"|(?:error|warn|info|debug):|Extension \S{1,64} registered from|Authentication failed for)"
)
_LEVEL = re.compile(r"(?:error|warn|info|http|verbose|debug|silly):", re.ASCII)
_PM2 = re.compile(r"\d{1,3}\|[\w-]{2,20}\s{0,3}\|")
_MESSAGE = re.compile(r"[\"“”„]message[\"“”„]\s{0,3}:\s{0,3}[\"“”„]((?:[^\"“”„\\]|\\.)*)")
_ESCAPES = {"\\n": "\n", "\\r": "", "\\t": " ", '\\"': '"', "\\\\": "\\", "\\/": "/"}
_U_ESCAPE = len("\\u001b")
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")

_SOURCE = r"(?P<ip>\d{1,3}(?:\.\d{1,3}){3}):(?P<port>\d{1,5})"
_EXT = r"(?P<ext>[^\s\"“”,;{}\\]{1,64}?)"
_END = r"(?=$|[\"“”,;{}\\])"


def _message(said: Said, squashed: str) -> tuple[Said, re.Pattern[str]]:
    return said, re.compile(squashed)


# Said by the PBX about a client, without white space. Order matters only where one begins like another.
_MESSAGES = (
    _message(Said.RECEIVED, rf"\[SIP\]Receivedmessagefrom{_SOURCE}"),
    _message(Said.PROCESSING, rf"\[SIP\]ProcessingREGISTERfrom{_SOURCE}"),
    _message(Said.OTHER_REQUEST, rf"\[SIP\]OPTIONSrequestfrom{_SOURCE}"),
    _message(Said.OTHER_REQUEST, rf"\[SIP\]INVITEreceivedfrom{_SOURCE}"),
    _message(Said.CHALLENGE, rf"\[SIP\]Sending401challengefor{_EXT}to{_SOURCE}"),
    _message(Said.ANSWER_CODE, rf"\[SIP\]Sendingresponse(?P<code>[3-6]\d\d)[^\d:]{{0,40}}to{_SOURCE}"),
    _message(Said.ANSWER, rf"\[SIP\]Sendingresponseto{_SOURCE}"),
    _message(Said.ANSWER_SENT, rf"\[SIP\]Responsesentsuccessfullyto{_SOURCE}"),
    _message(Said.OPTIONS_ANSWERED, rf"\[SIP\]Sent200OKforOPTIONSto{_SOURCE}"),
    _message(Said.SEND_ERROR, rf"\[SIP\]Errorsendingresponseto{_SOURCE}:(?P<text>.{{0,80}})"),
    _message(Said.IGNORED, r"\[SIP\]Emptyrequestline"),
    _message(Said.RESPONSE, r"\[SIP\]Response(?!sent)"),
    _message(Said.RESPONSE, r"\[SIP\]Received(?:SIP)?response"),
    _message(Said.REGISTERED, rf"Extension{_EXT}registeredfrom{_SOURCE}"),
    _message(Said.AUTH_FAILED, rf"Authenticationfailedfor{_EXT}{_END}"),
    _message(Said.WRONG_PASSWORD, rf"Digestauthverificationfailedfor{_EXT}{_END}"),
    _message(Said.PASSWORD_LOST, rf"SIPpasswordnotavailableforextension{_EXT}(?:\.Password|\.?{_END})"),
    _message(Said.PASSWORD_LOST, rf"Couldnotretrievepasswordforextension{_EXT}(?:\.Please|\.?{_END})"),
    _message(Said.USERNAME_MISMATCH, rf"Usernamemismatch:(?P<login>[^\s!]{{0,64}})!={_EXT}{_END}"),
    _message(Said.NOT_FOUND, rf"Extensionnotfoundordisabled:{_EXT}{_END}"),
    _message(Said.NO_USERNAME, r"NousernamefoundinFromheader"),
    _message(Said.REGISTER_ERROR, r"ErrorinhandleRegister:(?P<text>.{0,120})"),
    _message(Said.SERVER_ERROR, r"SIPServererror:(?P<text>.{0,120})"),
    _message(Said.SERVER_ERROR, r"Failedtostartserver:(?P<text>.{0,120})"),
    _message(Said.SERVER_ERROR, r"(?P<text>Databaseconnectionerror.{0,120})"),
    _message(Said.SERVER_ERROR, r"(?P<text>Unexpectederroronidleclient.{0,120})"),
    _message(Said.OTHER_PORT, r"UnexpectedREGISTERrequestreceived"),
    _message(Said.STARTED, r"SIPRegistrarstartedon"),
    _message(Said.STOPPED, r"SIPRegistrarstopped"),
)
# Quotations of what a client sent: the rest of the line is the client's.
_REQUEST = "[SIP]Request:"
_REQUEST_LINE = re.compile(r"(?P<text>[A-Z]{2,12})sips?:(?P<uri>[^\[\]]{1,200}?)SIP/2\.0")
_QUOTED = ("[SIP]Unhandledmethod:", "[SIP]Callfrom", "[SIP]Caller", "Callfrom")
# Lines of this log that are about no client.
_ERROR = re.compile(r"(?:handleRegister|SIP Server error|Failed to start server): ?([^\"]{1,200})")
_OWN = re.compile(
    r"\[SIP(?:DEBUG)?\]|\[TAILING\]|SIP(?:Registrar|Trunk|Domain)|StoredSIPpassword|Extensionpasswordswillbe"
    r"|PBXSystemserver|Registeringtrunk|REGISTERsentforDID|Loading\d+extensions|Databaseconnectedsuccessfully"
    r"|SentauthenticatedREGISTER|Authenticationrequired\(401\)"
)
# The beginnings of messages, where one line follows another without a time stamp between.
_NEXT_MESSAGE = re.compile(
    r"\[SIP(?:DEBUG)?\]|Extension(?=notfound|\S{1,64}?registeredfrom\d)|Authenticationfailedfor"
    r"|Digestauthverification|SIPpasswordnot|Couldnotretrievepassword|Usernamemismatch:|ErrorinhandleRegister"
    r"|SIPServererror:|Failedtostartserver:|Databaseconnectionerror|Unexpected(?:erroronidle|REGISTER)"
    r"|Nousernamefoundin|SIPRegistrarst(?:artedon|opped)"
)
_START = 6  # so many letters tell the messages apart well enough


def _by_start() -> dict[str, list[tuple[Said, re.Pattern[str]]]]:
    table: dict[str, list[tuple[Said, re.Pattern[str]]]] = {}
    for said, pattern in _MESSAGES:
        start = pattern.pattern.removeprefix("(?P<text>").replace("\\", "")[:_START]
        table.setdefault(start, []).append((said, pattern))
    return table


_BY_START = _by_start()
_SIGN = re.compile("|".join((r"20\d\d[-‐‑–—]", "message", "Callfrom", *map(re.escape, _BY_START), _OWN.pattern)))
# One of these is in every log of the PBX, whatever happened to its white space.
_MARKS = (
    "[SIP",
    "SIP Server",
    "SIP Registrar",
    "xtension",
    "failed",
    "pbx",
    "info",
    "warn",
    "error",
    "[TAILING]",
)


def may_be_log(text: str) -> bool:
    """False for a text that surely has no line of this log; cheap."""
    return any(mark in text for mark in _MARKS)


def read_line(line: str) -> tuple[LogEvent, ...]:
    """The events of a line in order; () for a line that is not of this log. Never raises."""
    if not _SIGN.search(_squash(line)):
        return ()
    events = tuple(_events(_ANSI.sub("", line)))
    return tuple(event for event in events if event.said is not Said.ELSE) or events[:1]


def begins_record(line: str) -> bool:
    """Does a log line begin here, or may this be the rest of a wrapped one?"""
    return _BEGINS.match(line) is not None


def _events(line: str) -> Iterator[LogEvent]:
    quoted = [match[1] for match in _MESSAGE.finditer(line)] if "message" in line else None
    if quoted:
        for message in quoted:
            plain = _ESCAPE.sub(_unescape, message)
            if _STAMP.match(_ANSI.sub("", plain)):  # pm2 logs --json: the line as it stands in the file
                yield from _records(_ANSI.sub("", plain))
            else:  # winston: the PBX's own message, anchored at its start, so that nobody can forge one
                yield _read(_squash(plain)) or LogEvent(Said.ELSE)
        return
    yield from _records(line)


def _unescape(match: re.Match[str]) -> str:
    text = match[0]
    return chr(int(text[2:], 16)) if len(text) == _U_ESCAPE else _ESCAPES.get(text, " ")


def _records(line: str) -> Iterator[LogEvent]:
    for record in _cut(_NEXT_LINE, line):
        bare = _PM2.sub("", record, count=1) if "|" in record else record
        stamp = _STAMP.match(bare)
        rest = bare[stamp.end() :] if stamp else bare
        message = _squash(rest)
        level = _LEVEL.match(message)
        message = message[level.end() :] if level else message
        found = [_worded(event, rest) for event in _messages(message)]
        if not found and stamp and (level or _PM2_STAMP.fullmatch(stamp[0])):
            found = [LogEvent(Said.ELSE)]
        yield from found


def _worded(event: LogEvent, line: str) -> LogEvent:
    """With the blanks of an error's words put back: people read them."""
    if event.said not in (Said.REGISTER_ERROR, Said.SERVER_ERROR):
        return event
    words = " ".join(line.split())
    reason = _ERROR.search(words)
    return event._replace(text=(reason[1] if reason else words)[:120])


def _cut(pattern: re.Pattern[str], text: str) -> list[str]:
    """The text cut before each match."""
    cuts = [found.start() for found in pattern.finditer(text)]
    return [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def _squash(text: str) -> str:
    return "".join(text.split())


def _messages(message: str) -> Iterator[LogEvent]:
    """The events of a message without white space, as far as the PBX itself speaks."""
    for part in _cut(_NEXT_MESSAGE, message):
        event = _read(part)
        if event is not None:
            yield event
        if part.startswith(_QUOTED):
            return
        if part.startswith(_REQUEST) and not _REQUEST_LINE.fullmatch(part, len(_REQUEST)):
            return


def _read(message: str) -> LogEvent | None:
    if not message:
        return None
    if message.startswith(_REQUEST):
        return _request(message.removeprefix(_REQUEST))
    if message.startswith(_QUOTED):
        return LogEvent(Said.IGNORED if "Unhandledmethod:" in message[:30] else Said.ELSE)
    for said, pattern in _BY_START.get(message[:_START], ()):
        match = pattern.match(message)
        if match:
            return _event(said, match.groupdict())
    return LogEvent(Said.ELSE) if _OWN.match(message) else None


def _request(text: str) -> LogEvent:
    if text.startswith("SIP/2.0"):
        return LogEvent(Said.RESPONSE)
    match = _REQUEST_LINE.match(text)
    if match is None:
        return LogEvent(Said.REQUEST, text=text[:40])
    host = match["uri"].rpartition("@")[2].partition(";")[0]
    return LogEvent(Said.REQUEST, text=match["text"], host=host)


def _event(said: Said, parts: dict[str, str | None]) -> LogEvent:
    port, code = parts.get("port"), parts.get("code")
    return LogEvent(
        said,
        source_ip=parts.get("ip"),
        source_port=int(port) if port else None,
        extension=parts.get("ext"),
        login=parts.get("login"),
        code=int(code) if code else None,
        text=parts.get("text"),
    )
