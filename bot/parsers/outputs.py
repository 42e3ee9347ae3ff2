"""Which stretches of a page are one command's output, whether its prompt was pasted along or not.

root@pbx:~# ufw status | grep 5060     an output of its own, with its command
5060/udp      ALLOW      Anywhere
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.parsers.page import Page, split_prompt

_BARE = re.compile(  # a command pasted without its prompt, on a line of its own
    r"^[ \t]*(?:sudo[ \t]+)?"
    r"(?:ufw|iptables(?:-save|-nft|-legacy)?|nft|firewall-cmd|fail2ban-client|netsh|ss|netstat|lsof)"
    r"(?:\.exe)?[ \t]+(?:-{1,2}[\w-]|status\b|list\b|banned\b|advfirewall\b|-?\w{1,6}[ \t]*\|)[^\n]{0,200}$"
    r"|^[ \t]*(?:sudo[ \t]+)?iptables-save[ \t]*(?:\|[^\n]{0,100})?$",
    re.MULTILINE,
)
_NOTHING = re.compile(  # how people say that a command printed nothing
    r"[ \t]*[(\[<*]*(?:hech\s*nima|hech\s*narsa|hechnarsa|bo'?[ʻʼ]?sh|pusto|ничего|пусто|ҳеч\s*нарса|nothing|empty|"
    r"no\s+output|no\s+result|(?:javob|natija)\s+yo'?[ʻʼ]?q)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Output:
    """Lines `first` to `last` of the page (both included) as one text, and the command that printed them.

    `command` is None where none is visible. `silent`: the command ran and printed nothing.
    """

    command: str | None
    text: str
    first: int
    last: int
    page: Page = field(repr=False)
    silent: bool = False
    line: int | None = None  # of the command

    def line_of(self, offset: int) -> int:
        """The page's line that holds this text's character."""
        return self.page.line_at(self.page.offset_of(self.first) + max(0, offset))


def outputs(page: Page) -> list[Output]:
    """Every stretch, in the order of the page."""
    found: list[Output] = []
    start = 0
    for command in page.commands:
        found += _unprompted(page, start, command.line - 1)
        found.append(
            _printed(page, command.line, command.text, command.output_first, command.output_last, command.ended)
        )
        start = max(command.output_last, command.line) + 1
    found += _unprompted(page, start, len(page.lines) - 1)
    return found


def _printed(page: Page, line: int, command: str, first: int, last: int, ended: bool) -> Output:
    if first > last:
        return Output(command, "", line, line, page, silent=ended, line=line)
    said_so = not ended and bool(_NOTHING.match(page.lines[first]))
    if said_so:
        return Output(command, "", line, line, page, silent=True, line=line)
    return Output(command, "\n".join(page.lines[first : last + 1]), first, last, page, line=line)


def _unprompted(page: Page, first: int, last: int) -> list[Output]:
    """What stands outside every visible prompt, split where a line is a bare command."""
    found = []
    command: str | None = None
    line: int | None = None
    start = first
    if first > last:
        return []
    end = page.offset_of(last) + len(page.lines[last])
    bare = [page.line_at(found.start()) for found in _BARE.finditer(page.text, page.offset_of(first), end)]
    for number in (*bare, last + 1):
        begin = start
        while begin < number and (not page.lines[begin].strip() or split_prompt(page.lines[begin])):
            begin += 1
        if begin < number and command is not None and _NOTHING.match(page.lines[begin]) and line is not None:
            found.append(Output(command, "", line, line, page, silent=True, line=line))
        elif begin < number:
            found.append(Output(command, "\n".join(page.lines[begin:number]), begin, number - 1, page, line=line))
        if number <= last:
            command = re.sub(r"^\s*(?:sudo\s+)?", "", page.lines[number])
            line, start = number, number + 1
    return found
