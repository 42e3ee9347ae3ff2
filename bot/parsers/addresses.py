"""Which addresses and host names stand in a text: shared shapes of the tools that print them."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address

V4 = r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\d)(?!\.\d)"
V6 = (  # with '::' or with all eight groups, so that 19:42:35 is none
    r"(?<![\w:.])(?=[0-9A-Fa-f:]{0,36}::|(?:[0-9A-Fa-f]{1,4}:){7})"
    r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.\d{1,3}\.\d{1,3}\.\d{1,3})?(?:%\w{1,16})?(?!\w)(?!:\w)"
)
ADDRESS = rf"(?:{V4}|{V6})"
HOST = r"[A-Za-z0-9_][\w.-]{0,252}"

_V4 = re.compile(V4)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4_ADDRESS = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")  # what ipaddress takes, many times faster
_NAME = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){0,10}\.?")
_MAX_NAME = 253
_V6_SIGN = re.compile(r"::|:(?:[0-9A-Fa-f]{1,4}:){4}")


def address(text: str) -> str | None:
    """The address as printed, without a zone, when it is one."""
    text = text.partition("%")[0]
    if _IPV4_ADDRESS.fullmatch(text):
        return text
    try:
        return text if ":" in text and IPv6Address(text) else None
    except ValueError:
        return None


def may_hold_v6(text: str) -> bool:
    """False where surely no V6 stands; cheap."""
    return _V6_SIGN.search(text) is not None


@lru_cache(4096)  # a paste names the same host again and again
def host_name(text: str) -> str | None:
    """A looked-up name in lower case without its final dot; None for addresses and anything else."""
    text = text.strip("'\"«»()[],;").rstrip(".,:;").lower()
    if text[:1].isdigit() and (text.isdigit() or _V4.fullmatch(text)):
        return None
    return text if len(text) <= _MAX_NAME and _NAME.fullmatch(text) else None
