"""MicroSIP.ini as Windows reads it: sections, keys, values, and the bytes round them kept.

    [Account1]
    server=call.soundz.uz

Rules of the Win32 profile functions: sections and keys without regard to case, the first of two equal ones
counts, blanks round names and values do not, one pair of quotes round a value does not, `;` begins a comment.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

MAX_BYTES = 1_048_576  # no MicroSIP.ini is larger

_SECTION = re.compile(r"[ \t]*\[([^\]\r\n]*)")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|$)")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A decoded file and what it takes to write it back: its byte-order mark and its encoding."""

    text: str
    mark: bytes
    encoding: str

    def encode(self, text: str) -> bytes:
        """The text as bytes of the same kind. Raises UnicodeEncodeError for letters that the code page lacks."""
        return self.mark + text.encode(self.encoding)


def decode(content: bytes) -> Encoded | None:
    """UTF-16 (with its mark, or plain ASCII in it), UTF-8 (with or without), cp1251. None: none of them."""
    if len(content) > MAX_BYTES:
        return None
    for mark, encoding in (
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF8, "utf-8"),
    ):
        if content.startswith(mark):
            return _decoded(content[len(mark) :], mark, encoding)
    if content[1:2] == b"\0" and content[3:4] == b"\0":
        return _decoded(content, b"", "utf-16-le")  # the mark was lost
    encodings = (
        "utf-8",
        "cp1251",
        "latin-1",
    )  # latin-1 knows every byte, so that the file can be written back
    return next((file for name in encodings if (file := _decoded(content, b"", name))), None)


def _decoded(body: bytes, mark: bytes, encoding: str) -> Encoded | None:
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else Encoded(text, mark, encoding)


@dataclass(slots=True)
class Section:
    """A section's values by lower-case key, and where each value stands in the text."""

    values: dict[str, str] = field(default_factory=dict)
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    end: int = 0  # where a further line would be put


def sections(text: str) -> dict[str, Section]:
    """Sections by lower-case name, in file order; of equal ones the first. Lines that are nothing are passed over."""
    found: dict[str, Section] = {}
    now: Section | None = None
    for line in _LINE.finditer(text):
        body = line[0].rstrip("\r\n")
        header = _SECTION.match(body)
        if header:
            name = header[1].strip().casefold()
            now = None if name in found else found.setdefault(name, Section())
        if now is not None and body.strip():
            now.end = line.end()
            if not header:
                _take(now, body, line.start())
    return found


def _take(section: Section, body: str, at: int) -> None:
    name, equals, rest = body.partition("=")
    key = name.strip().casefold()
    if not equals or not key or key.startswith(";") or key in section.values:
        return
    value = rest.strip(" \t")
    start = at + len(body) - len(rest.lstrip(" \t"))
    section.spans[key] = (start, start + len(value))
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    section.values[key] = value
