"""Is our own side broken, since when, and whom does it concern? Rounds of checks and log lines, folded. Pure.

One bad round is a slow packet; two in a row are an incident, three good ones its end. A round in which nobody could
tell changes nothing. Why these numbers: docs/decisions/0008-incidents.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.model import Certainty, CheckResult, Finding, Owner, Step, Tag, Verdict
from bot.rules import decide

OPEN_AFTER = 2  # bad rounds in a row
TURN_AFTER = 2  # rounds in a row that name another step
CLOSE_AFTER = 3  # good rounds in a row
STREAK = timedelta(minutes=10)  # rounds further apart than this are not 'in a row'
SEVERAL = 2  # extensions whose password is gone are no single trouble
LATELY = timedelta(hours=1)  # losses further back are another story
JUST_NOW = timedelta(minutes=15)  # so long a line of the log is proof for this very attempt
A_SHIFT = timedelta(hours=12)  # by then most phones were tried: who comes later may well have another trouble
LIFE = timedelta(minutes=5)  # a phone registers anew this often: so long a registration speaks against a suspicion
PROOF_WAITS = timedelta(minutes=1)  # it may have died since
SLACK = timedelta(seconds=5)  # clocks of pm2 and of the log are rounded
# What makes everybody's phone useless. Other steps of the server's concern one person.
EVERYBODYS = frozenset(
    {
        Step.SERVER_DNS,
        Step.OPEN_SERVER_FIREWALL,
        Step.START_PBX,
        Step.BIND_ALL_INTERFACES,
        Step.FREE_PORT,
        Step.SERVER_ERROR,
    }
)
# These alone may as well be the bot's own network.
SILENCE = frozenset({Tag.SERVER_SIP_SILENT, Tag.SERVER_PING_LOST})


class Scope(StrEnum):
    """What an incident is of; one of each may stand at a time."""

    OUTAGE = "outage"  # nobody can register
    PASSWORDS = "passwords"


class Change(StrEnum):
    """What a round changed."""

    OPENED = "opened"
    TURNED = "turned"  # it stands, but something else has to be done now
    WIDENED = "widened"  # it concerns more, or fewer, than was known
    CLOSED = "closed"


class Sight(StrEnum):
    """What a round says of our own side."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"  # not tested, or not conclusive: neither opens nor closes


@dataclass(frozen=True, slots=True)
class Round:
    """One look at our own side.

    `registered_at`: when the PBX's log last told of a phone that got in. `answered_at`: when somebody's phone last told
    that the PBX had answered it. None: never.
    """

    at: datetime
    results: tuple[CheckResult, ...]
    registered_at: datetime | None = None
    answered_at: datetime | None = None

    @property
    def made(self) -> frozenset[str]:
        """Names of the checks that could be made."""
        return frozenset(result.name for result in self.results if result.failure is None)

    def blame(self) -> Verdict | None:
        """The step that makes everybody's phone useless, when the findings name one."""
        findings = [finding for result in self.results for finding in result.findings]
        tags = {finding.tag for finding in findings}
        if Tag.SERVER_FIREWALL_BLOCKS not in tags:  # a counter of a rate limit rises with every scanner
            findings = [one for one in findings if one.tag is not Tag.SERVER_FIREWALL_COUNTER_ROSE]
        verdict = decide(findings)
        return verdict if verdict is not None and verdict.step in EVERYBODYS else None

    def sight(self, verdict: Verdict | None, rests_on: Collection[str]) -> Sight:
        """Whether `verdict` is to be believed; without one, whether the checks `rests_on` say that all is well."""
        if verdict is None:
            return Sight.GOOD if self.made and self.made >= set(rests_on) else Sight.UNKNOWN
        if {finding.tag for result in self.results for finding in result.findings} <= SILENCE:
            return Sight.UNKNOWN  # nothing at all was heard: perhaps the bot is the one that is cut off
        if verdict.step is not Step.SERVER_DNS and self._lives(verdict.certainty):
            return Sight.UNKNOWN  # a phone got in just now
        return Sight.BAD

    def _lives(self, certainty: Certainty) -> bool:
        """Whether phones speak against the accusation: a proof outweighs all but the PBX's own word of just now."""
        if certainty is Certainty.PROVEN:
            return self.registered_at is not None and self.at - self.registered_at < PROOF_WAITS
        return any(heard is not None and self.at - heard < LIFE for heard in (self.registered_at, self.answered_at))


@dataclass(frozen=True, slots=True)
class Side:
    """What the rounds so far say of our own side. `rests_on`: the checks that blamed it last."""

    step: Step | None = None  # of the incident that stands; None: none does
    bad: int = 0
    good: int = 0
    turning: Step | None = None  # another step, named by the last `turns` rounds
    turns: int = 0
    rests_on: frozenset[str] = frozenset()
    muted: bool = False  # ended by hand: the same trouble is news only after a good round
    at: datetime | None = None  # of the last round that counted

    def to_json(self) -> dict[str, Any]:
        """For the database."""
        return {
            "step": self.step,
            "bad": self.bad,
            "good": self.good,
            "turning": self.turning,
            "turns": self.turns,
            "rests_on": sorted(self.rests_on),
            "muted": self.muted,
            "at": self.at.isoformat() if self.at else None,
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Side:
        """The inverse of to_json."""
        return cls(
            Step(body["step"]) if body["step"] else None,
            body["bad"],
            body["good"],
            Step(body["turning"]) if body["turning"] else None,
            body["turns"],
            frozenset(body["rests_on"]),
            body["muted"],
            datetime.fromisoformat(body["at"]) if body["at"] else None,
        )

    def ended_by_hand(self) -> Side:
        """The staff say that it is over; what blamed us has to be looked at again before it can be news."""
        return Side(muted=True, rests_on=self.rests_on)


def fold(side: Side, seen: Round) -> tuple[Side, Change | None]:
    """The state after one round more, and what that changes."""
    verdict = seen.blame()
    sight = seen.sight(verdict, side.rests_on)
    if sight is Sight.UNKNOWN:
        return side, None
    if side.at is not None and seen.at - side.at > STREAK:
        side = replace(side, bad=0, good=0, turning=None, turns=0)
    side = replace(side, at=seen.at)
    if sight is Sight.BAD and verdict is not None:
        return _bad(replace(side, bad=side.bad + 1, good=0, rests_on=_names(seen, verdict)), verdict)
    good = side.good + 1
    if side.step is not None and good < CLOSE_AFTER:
        return replace(side, bad=0, good=good, turning=None, turns=0), None
    return Side(), Change.CLOSED if side.step is not None else None


def _bad(side: Side, verdict: Verdict) -> tuple[Side, Change | None]:
    if side.step is None:
        if side.bad < OPEN_AFTER or side.muted:
            return side, None
        return replace(side, step=verdict.step), Change.OPENED
    if verdict.step is side.step:
        return replace(side, turning=None, turns=0), None
    turns = side.turns + 1 if side.turning is verdict.step else 1
    if turns < TURN_AFTER:
        return replace(side, turning=verdict.step, turns=turns), None
    return replace(side, step=verdict.step, turning=None, turns=0), Change.TURNED


def _names(seen: Round, verdict: Verdict) -> frozenset[str]:
    return frozenset(r.name for r in seen.results if any(finding in verdict.because for finding in r.findings))


@dataclass(frozen=True, slots=True)
class Phone:
    """What the PBX's log said last of an extension. `known_at`: it had its password then; `lost_at`: it had not."""

    extension: str
    known_at: datetime | None = None
    lost_at: datetime | None = None

    @property
    def lost(self) -> bool:
        """Its password is gone, as far as anybody has seen."""
        return self.lost_at is not None and (self.known_at is None or self.known_at < self.lost_at)


def restarted_at(phones: Iterable[Phone], started_at: datetime | None) -> datetime | None:
    """When the PBX started (pm2), else a moment before which it had not: a password that was there got lost later."""
    if started_at is not None:
        return started_at
    return max((phone.known_at for phone in phones if phone.lost and phone.known_at), default=None)


def lost_together(phones: Iterable[Phone], started_at: datetime | None, now: datetime) -> tuple[Phone, ...]:
    """The phones that lost their password lately, in the PBX's present life; () unless they are several."""
    after = now - LATELY
    if started_at is not None:
        after = max(after, started_at - SLACK)
    gone = tuple(phone for phone in phones if phone.lost and phone.lost_at is not None and phone.lost_at >= after)
    return gone if len(gone) >= SEVERAL else ()


def passwords_gone(lost: Collection[Phone]) -> Verdict:
    """The verdict of the incident: what the staff have to do, because of which extensions."""
    numbers = tuple(sorted(phone.extension for phone in lost))
    because = Finding(Tag.SERVER_LOST_PASSWORDS, {"count": len(numbers), "extensions": numbers})
    return Verdict(Step.RESET_EXTENSION_PASSWORD, Owner.SERVER, Certainty.PROVEN, (because,))


def concerns(
    extension: str | None, phones: Collection[Phone], started_at: datetime | None, now: datetime
) -> Finding | None:
    """What an incident of lost passwords says of one extension; None where it says nothing.

    The PBX's own line of just now is proof. An older one, or a registration before the restart, is a suspicion:
    somebody may have saved that password again since.
    """
    phone = next((one for one in phones if one.extension == extension), None)
    if phone is None or extension is None:
        return None
    if phone.lost and phone.lost_at is not None and now - phone.lost_at < JUST_NOW:
        return Finding(Tag.LOG_PASSWORD_LOST, {"extension": extension})
    restart = restarted_at(phones, started_at)
    before = restart is not None and phone.known_at is not None and phone.known_at <= restart
    since = phone.lost_at if phone.lost else restart if before else None
    if since is None or now - since > A_SHIFT:
        return None
    return Finding(Tag.SERVER_LOST_PASSWORDS, {"count": sum(one.lost for one in phones), "extension": extension})


# What a phone says when the PBX answered it: then no outage of ours keeps it out at that moment.
PBX_SPOKE = frozenset(
    {
        Tag.PHONE_SAYS_WRONG_PASSWORD,
        Tag.PHONE_GOT_403,
        Tag.PHONE_GOT_401_STOPPED,
        Tag.PHONE_RECEIVES_401,
        Tag.PHONE_SAYS_NOT_FOUND,
        Tag.PHONE_ONLINE,
        Tag.PHONE_REGISTERED,
    }
)
DENIED = frozenset({Tag.PHONE_SAYS_WRONG_PASSWORD, Tag.PHONE_GOT_403})


def fits(scope: Scope, heard: Collection[Tag]) -> bool:
    """Whether what a person has sent so far may have this incident as its cause; nothing sent yet: it may."""
    phone = {tag for tag in heard if tag.value.startswith("phone_")}
    return phone <= DENIED if scope is Scope.PASSWORDS else phone.isdisjoint(PBX_SPOKE)
