"""How long reading takes: by length of the paste, by parser, and on hostile texts. Run: python -m benchmarks.parse

Ratios to a plain pass over the same characters are printed, because they survive a busy machine. The law: linear in the
length (the ratio of 64 KiB to 16 KiB stays near 4), and no hostile text takes much longer than a real log.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.model import Context
from bot.parsers import PARSERS, read_text
from bot.parsers.page import MAX_CHARS, Page

CONTEXT = Context(expected_ips=frozenset({"69.62.127.9"}))
REAL = {
    "pm2 log": "0|pbx-system  | 2026-11-23 00:50:03 +05:00: 2026-11-23 00:50:03 info: [SIP] Received message from "
    "213.230.87.14:57705\n",
    "ping": "Reply from 69.62.127.9: bytes=32 time=103ms TTL=50\n",
    "traceroute": " 7  62.115.44.146 (62.115.44.146)  57.1 ms  57.0 ms  60.9 ms\n",
    "nslookup": "Server:  UnKnown\nAddress:  192.168.1.1\n\nName:    call.soundz.uz\nAddress:  69.62.127.9\n\n",
    "iptables": "ACCEPT     udp  --  0.0.0.0/0            0.0.0.0/0            udp dpt:5060\n",
    "chat": "Assalomu alaykum, MicroSIP ulanmayapti, nima qilay? ",
}
HOSTILE = {
    "one letter": "a",
    "spaces": " ",
    "line breaks": "\n",
    "dots": ".",
    "dotted names": "a.",
    "addresses": "1.2.3.4 ",
    "labels": "Address: 1.2.3.4\n",
    "colons": "a::",
    "stars": "*** a ",
    "brackets": "[1",
    "equals": "= 4, ",
    "escapes": "\x1b[",
    "quotes": "> ",
    "code page": "╤хЁтхЁ ",
    "every letter": "".join(map(chr, range(0x400, 0x4FF))),
    "prompts": "C:\\a>",
}


def best_ms(work: Callable[[], object], rounds: int = 3) -> float:
    """The shortest of some runs in milliseconds: the least disturbed one."""
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        took.append((time.perf_counter() - start) * 1000)
    return min(took)


def filled(unit: str, chars: int) -> str:
    return (unit * (chars // len(unit) + 1))[:chars]


def main() -> None:
    """Prints a table a text: the whole read at 16 and 64 KiB, their ratio, and the three slowest parts."""
    plain_ms = best_ms(lambda: sum(map(ord, filled("a", MAX_CHARS))))
    print(f"plain pass over 64 KiB: {plain_ms:.1f} ms")
    print(f"{'text':14} {'16 KiB':>9} {'64 KiB':>9} {'growth':>7} {'/ plain':>8}  slowest parts at 64 KiB (ms)")
    for name, unit in (REAL | HOSTILE).items():
        short, long = filled(unit, MAX_CHARS // 4), filled(unit, MAX_CHARS)
        short_ms = best_ms(lambda text=short: read_text(text, CONTEXT))  # type: ignore[misc]
        long_ms = best_ms(lambda text=long: read_text(text, CONTEXT))  # type: ignore[misc]
        page = Page.of(long)
        parts = {"page": best_ms(lambda text=long: Page.of(text), 1)}  # type: ignore[misc]
        for parser in PARSERS:
            parts[parser.__name__.rsplit(".", 1)[1]] = best_ms(
                lambda parser=parser, page=page: parser.parse(page, CONTEXT),  # type: ignore[misc]
                1,
            )
        slowest = sorted(parts.items(), key=lambda item: -item[1])[:3]
        shown = ", ".join(f"{part} {ms:.0f}" for part, ms in slowest)
        print(f"{name:14} {short_ms:9.1f} {long_ms:9.1f} {long_ms / short_ms:7.1f} {long_ms / plain_ms:8.1f}  {shown}")


if __name__ == "__main__":
    main()
