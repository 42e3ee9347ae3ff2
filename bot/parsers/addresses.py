"""Which addresses and host names stand in a text: shared shapes of the tools that print them."""

from __future__ import annotations

import re
from ipaddress import ip_address

V4 = r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\d)(?!\.\d)"
V6 = (  # with '::' or with all eight groups, so that 19:42:35 is none
    r"(?<![\w:.])(?=[0-9A-Fa-f:]{0,36}::|(?:[0-9A-Fa-f]{1,4}:){7})"
    r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.\d{1,3}\.\d{1,3}\.\d{1,3})?(?:%\w{1,16})?(?!\w)(?!:\w)"
)
ADDRESS = rf"(?:{V4}|{V6})"
HOST = r"[A-Za-z0-9_][\w.-]{0,252}"

_V4 = re.compile(V4)
_NAME = re.compile(r"(?=.{1,253}$)[\w-]{1,63}(?:\.[\w-]{1,63}){0,10}\.?", re.DOTALL)


def address(text: str) -> str | None:
    """The address as printed, without a zone, when it is one."""
    text = text.partition("%")[0]
    try:
        ip_address(text)
    except ValueError:
        return None
    return text


def host_name(text: str) -> str | None:
    """A looked-up name in lower case without its final dot; None for addresses and anything else."""
    text = text.strip("'\"«»()[],;").rstrip(".,:;").lower()
    if not text or not _NAME.fullmatch(text) or _V4.fullmatch(text) or text.isdigit():
        return None
    return text
