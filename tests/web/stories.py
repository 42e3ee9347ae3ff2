"""A small ticket log with everything in it that the review page shows."""

from __future__ import annotations

from pathlib import Path

from bot.attachments import Attachments
from bot.mailbox import migrations as mailbox
from bot.model import (
    Certainty,
    CheckResult,
    EventKind,
    Failure,
    Finding,
    Kind,
    Owner,
    Reading,
    Step,
    Tag,
    Verdict,
)
from bot.neighbours import Neighbours
from bot.providers import Providers
from bot.rules import row_of
from bot.schema import migrations
from bot.store import Store
from bot.tickets import Tickets
from tests.fake_people import PNG

LOOKUP = (
    "C:\\Users\\User>nslookup call.soundz.uz\nServer:  UnKnown\nAddress:  192.168.1.1\n\n"
    "*** UnKnown can't find call.soundz.uz: Non-existent domain"
)
NXDOMAIN = Finding(Tag.USER_DNS_NXDOMAIN)
NAME_IS_FINE = Finding(Tag.SERVER_DNS_OK, {"addresses": ("69.62.127.9",)})
STOPPED = Finding(Tag.PM2_STOPPED, {"status": "stopped"})
GOOD = (
    CheckResult("dns", 12.0, (NAME_IS_FINE,)),
    CheckResult("ping", 30.0, (Finding(Tag.SERVER_PING_ANSWERS, {"rtt_ms": 25}),)),
    CheckResult("sip", 18.0, (Finding(Tag.SERVER_SIP_ANSWERS, {"code": 200, "rtt_ms": 26}),)),
    CheckResult("firewall", 1.0, failure=Failure.NO_PERMISSION),
    CheckResult("pm2", 1.0, failure=Failure.NOT_HERE),
)
BROKEN = (*GOOD[:2], CheckResult("pm2", 1.0, (STOPPED,)))
FIX_DNS = Verdict(Step.FIX_DNS, Owner.USER, Certainty.PROVEN, (NXDOMAIN, NAME_IS_FINE), (Step.TRY_OTHER_NETWORK,))
START_PBX = Verdict(Step.START_PBX, Owner.SERVER, Certainty.PROVEN, (STOPPED,))
NEWER = "<script>alert(1)</script>"  # a name somebody gave himself


async def opened(log: Tickets, user_id: int, name: str, extension: str | None = None) -> int:
    """A ticket with the server's checks made."""
    number = (
        await log.open(user_id=user_id, chat_id=user_id, name=name, language="uz", source=f"story:{user_id}")
    ).number
    if extension:
        await log.set_extension(number, extension)
    return number


async def checked(log: Tickets, number: int, results: tuple[CheckResult, ...] = GOOD) -> None:
    await log.append(number, EventKind.CHECKED, {"results": [one.to_json() for one in results], "extension": None})


async def concluded(log: Tickets, number: int, verdict: Verdict) -> None:
    findings = [finding.to_json() for finding in verdict.because]
    row = row_of(verdict, verdict.because)
    body = {"verdict": verdict.to_json(), "rule": row.why if row else "", "findings": findings, "news": 2}
    await log.append(number, EventKind.VERDICT, body)


async def tell(folder: Path) -> None:
    """Writes four tickets: 1 a wrong resolver with a picture, solved; 2 waits for staff; 3 our fault; 4 just opened."""
    store = Store(folder / "yordam.db", (migrations, mailbox))
    log = Tickets(store)
    await _solved(log, Attachments.beside(folder / "yordam.db"))
    await _waiting(log)
    await _ours(log)
    neighbours = Neighbours(store, Providers)
    for number in (1, 3):
        await neighbours.seen(number, "84.54.70.9")
    whose = Finding(Tag.PROVIDER_KNOWN, {"address": "84.54.70.9", "provider": "Uztelecom <3"})
    await log.append(3, EventKind.CHECKED, {"results": [CheckResult("neighbours", 0.0, (whose,)).to_json()]})
    await checked(log, await opened(log, 504, NEWER))
    store.close()


async def _solved(log: Tickets, attachments: Attachments) -> None:
    number = await opened(log, 501, "Aziza Qoʻngʻirova", "1002")
    await checked(log, number)
    await log.append(number, EventKind.ASKED, {"question": Kind.NSLOOKUP.value, "news": 1})
    picture = attachments.keep(number, PNG, ".png")
    await log.append(
        number, EventKind.EVIDENCE, {"media": "photo", "text": LOOKUP, "attachment": picture, "unreadable": False}
    )
    reading = Reading(Kind.NSLOOKUP, "windows-nslookup", "nxdomain", {"host": "call.soundz.uz"}, (NXDOMAIN,))
    await log.append(number, EventKind.READ, {"reading": reading.to_log()})
    await concluded(log, number, FIX_DNS)
    await log.append(number, EventKind.TAKEN, {"by": "Nodir"})
    await log.append(number, EventKind.TAGGED, {"tags": ["dns", "filial"], "by": "Nodir"})
    await log.append(number, EventKind.USER_MESSAGE, {"text": "Oʻzgartirdim, endi ishladi"})
    await log.append(number, EventKind.CLOSED, {"reason": "solved"})
    await log.append(number, EventKind.RATED, {"stars": 5})


async def _waiting(log: Tickets) -> None:
    number = await opened(log, 502, "Bobur", "1002")
    await checked(log, number)
    said = Finding(Tag.PHONE_SAYS_TIMEOUT).to_json()
    timeout = {"kind": Kind.MICROSIP_STATUS.value, "value": "timeout", "finding": said}
    await log.append(number, EventKind.ANSWERED, timeout)
    await log.append(number, EventKind.ESCALATED, {"reason": "asked"})
    await log.append(number, EventKind.PRIORITY, {"level": "high", "by": "Nodir"})
    await log.append(number, EventKind.USER_MESSAGE, {"text": "Hali ham ulanmayapti, mijozlar kutyapti"})
    await log.append(number, EventKind.STAFF_MESSAGE, {"text": "Hozir qarab chiqaman", "by": "Nodir"})
    await log.append(number, EventKind.NOTE, {"text": "filialdagi router eski", "by": "Malika"})


async def _ours(log: Tickets) -> None:
    number = await opened(log, 503, "Dilnoza Yoʻldosheva", "1015")
    await checked(log, number, BROKEN)
    await concluded(log, number, START_PBX)
    await log.append(number, EventKind.ESCALATED, {"reason": Step.START_PBX.value})
