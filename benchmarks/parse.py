"""How long reading takes: by length of the paste, by parser, and on hostile texts. Run: python -m benchmarks.parse

Processor time is measured, the best of some runs, so that a busy machine does not matter. The law: linear in the
length (64 KiB take about 4 times as long as 16 KiB), and under 50 ms for 64 KiB, hostile or not; redacting as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from bot.model import Context
from bot.parsers import PARSERS, read_text
from bot.parsers.page import MAX_CHARS, Page
from bot.redact import redact

CONTEXT = Context(expected_ips=frozenset({"69.62.127.9"}))
REAL = {
    "pm2 log": "0|pbx-system  | 2026-11-23 00:50:03 +05:00: 2026-11-23 00:50:03 info: [SIP] Received message from "
    "213.230.87.14:57705\n",
    "ping": "Reply from 69.62.127.9: bytes=32 time=103ms TTL=50\n",
    "traceroute": " 7  62.115.44.146 (62.115.44.146)  57.1 ms  57.0 ms  60.9 ms\n",
    "nslookup": "Server:  UnKnown\nAddress:  192.168.1.1\n\nName:    call.soundz.uz\nAddress:  69.62.127.9\n\n",
    "iptables": "ACCEPT     udp  --  0.0.0.0/0            0.0.0.0/0            udp dpt:5060\n",
    "ss": 'udp   UNCONN 0      0            0.0.0.0:5060      0.0.0.0:*    users:(("node",pid=16999,fd=17))\n',
    "phone's log": "09:15:34.190            pjsua_acc.c  ....SIP registration failed, status=408 (Request Timeout)\n",
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
    "failures": "** server can't find a: NXDOMAIN\n",
    "hops": " 1 * * *\n",
    "log words": "[SIP]",
    "rules": "-A INPUT -p udp --dport 5060 -j ACCEPT\n",
    "passwords": "password ",
    "пароли": "парол",
    "brackets": "[1",
    "equals": "= 4, ",
    "escapes": "\x1b[",
    "quotes": "> ",
    "code page": "╤хЁтхЁ ",
    "every letter": "".join(map(chr, range(0x400, 0x4FF))),
    "prompts": "C:\\a>",
}


def best_ms(work: Callable[[], object], rounds: int = 3) -> float:
    """Processor time of the shortest of some runs in milliseconds: the least disturbed one."""
    took = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        took.append((time.process_time() - start) * 1000)
    return min(took)


def filled(unit: str, chars: int) -> str:
    return (unit * (chars // len(unit) + 1))[:chars]


def rows() -> Iterator[tuple[str, str]]:
    """Four times the text: how many times the time? 4 is linear."""
    for name, unit in (REAL | HOSTILE).items():
        short_ms, long_ms = growth(unit)
        yield f"reading 16 -> 64 KiB: {name} ({long_ms:.0f} ms of processor time)", f"x{long_ms / short_ms:.1f}"


def growth(unit: str) -> tuple[float, float]:
    """Milliseconds to read a quarter of the longest text, and all of it."""
    short, long = filled(unit, MAX_CHARS // 4), filled(unit, MAX_CHARS)
    return best_ms(lambda: read_text(short, CONTEXT)), best_ms(lambda: read_text(long, CONTEXT))


def main() -> None:
    """Prints a row a text: the whole read at 16 and 64 KiB, their ratio, redacting, and the three slowest parts."""
    print(f"{'text':14} {'16 KiB':>9} {'64 KiB':>9} {'growth':>7} {'redact':>7}  slowest parts at 64 KiB (ms)")
    for name, unit in (REAL | HOSTILE).items():
        long = filled(unit, MAX_CHARS)
        short_ms, long_ms = growth(unit)
        redact_ms = best_ms(lambda text=long: redact(text))  # type: ignore[misc]
        page = Page.of(long)
        parts = {"page": best_ms(lambda text=long: Page.of(text), 1)}  # type: ignore[misc]
        for parser in PARSERS:
            parts[parser.__name__.rsplit(".", 1)[1]] = best_ms(
                lambda parser=parser, page=page: parser.parse(page, CONTEXT),  # type: ignore[misc]
                1,
            )
        slowest = sorted(parts.items(), key=lambda item: -item[1])[:3]
        shown = ", ".join(f"{part} {ms:.0f}" for part, ms in slowest)
        print(f"{name:14} {short_ms:9.1f} {long_ms:9.1f} {long_ms / short_ms:7.1f} {redact_ms:7.1f}  {shown}")


if __name__ == "__main__":
    main()
