"""What the person sees: each move of the bot as a screen of words and buttons. Pure: values in, a Screen out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup

from bot.model import (
    Certainty,
    CheckResult,
    Failure,
    Finding,
    Kind,
    Owner,
    Step,
    Tag,
    Target,
    Verdict,
)
from bot.rules import decide
from bot.stations import DOUBTFUL
from bot.wording import because, step_values
from messages import Catalogue

STATUS_BUTTONS = (
    "timeout",
    "wrong_password",
    "no_server",
    "not_found",
    "unavailable",
    "idle",
    "no_account",
    "offline",
    "connecting",
    "online",
)  # the most frequent first
SETTINGS_STEPS = frozenset(
    {
        Step.FIX_SERVER_FIELD,
        Step.FIX_TRANSPORT,
        Step.FIX_USERNAME,
        Step.REMOVE_PROXY,
        Step.ACTIVATE_ACCOUNT,
        Step.TURN_OFF_STUN_ICE,
        Step.TURN_OFF_EXTERNAL_IP,
    }
)
# The user need not hear of a check that this installation was never meant to make.
NOT_MEANT = frozenset({Failure.NOT_HERE, Failure.NOT_CONFIGURED, Failure.NO_TOOL})
BUTTONS_ONLY = frozenset(
    {Kind.MICROSIP_STATUS, Kind.EXTENSION, Kind.OTHER_NETWORK, Kind.MICROSIP_SCREEN, Kind.LIVE_REGISTER}
)  # an example would not help
TEXT_MAX = 4096  # UTF-16 units after parsing (Bot API)


@dataclass(frozen=True, slots=True)
class Screen:
    """A message: Telegram HTML, and its buttons."""

    html: str
    keyboard: InlineKeyboardMarkup | None = None


class Screens:
    """Builds screens in one language about one PBX."""

    def __init__(self, words: Catalogue, target: Target) -> None:
        self.words = words
        self.target = target

    def begin(self, key: str, **values: Any) -> Screen:
        """A sentence with the one button that starts a case."""
        return Screen(self.words.html(key, **values), _rows([self.button("diagnose", "0:go")]))

    def settings(self, extension: str | None) -> Screen:
        """The right settings as a short table with copy buttons, and as a block for MicroSIP.ini."""
        number = extension or "1002"
        values = {"host": self.target.host, "server": self.target.server, "extension": number}
        copies = [
            InlineKeyboardButton(f"📋 {text}", copy_text=CopyTextButton(text))
            for text in dict.fromkeys((values["server"], values["host"], number))
        ]
        known = "settings.card" if extension else "settings.card_unknown"
        return Screen(self.words.html(known, **values), _rows(copies))

    def say(self, key: str, *, buttons: Sequence[Sequence[InlineKeyboardButton]] = (), **values: Any) -> Screen:
        """A plain sentence of the catalogue."""
        return Screen(self.words.html(key, **values), _rows(*buttons) if buttons else None)

    def progress(
        self, results: Iterable[CheckResult], waiting: Iterable[str], *, again: bool = False, seconds: int = 5
    ) -> Screen:
        """The one message that is edited while the server is checked."""
        waiting = tuple(waiting)
        lines = [self.words.html("progress.again" if again else "progress.title", seconds=seconds)]
        if not waiting:
            lines = [self.words.html("progress.done")]
        lines.append(Markup(""))
        lines += [self._check_line(result) for result in results if result.failure not in NOT_MEANT]
        lines += [self._named("progress.waiting", name) for name in waiting]
        return Screen(Markup("\n").join(lines))

    def _check_line(self, result: CheckResult) -> Markup:
        if result.failure is not None:
            return self._named("progress.untested", result.name)
        verdict = decide(result.findings)
        bad = verdict is not None and verdict.owner is Owner.SERVER
        if not bad and any(finding.tag in DOUBTFUL for finding in result.findings):
            return Markup("⚠️ ") + self.because(next(f for f in result.findings if f.tag in DOUBTFUL))
        return self._named("progress.bad" if bad else "progress.ok", result.name)

    def _named(self, key: str, check: str) -> Markup:
        return self.words.html(key, check=self.words.html(f"check.{check}", port=self.target.sip_port))

    def question(self, number: int, kind: Kind, *, ui: str | None = None, unix: bool = False) -> Screen:
        """Asks for one kind of evidence, with the command ready to copy."""
        key = f"ask.{kind}.unix" if unix and f"ask.{kind}.unix" in self.words else f"ask.{kind}.text"
        rows: list[list[InlineKeyboardButton]] = []
        if kind is Kind.MICROSIP_STATUS:
            rows = self._status_buttons(number, ui)
        if kind is Kind.LIVE_REGISTER:
            rows = [[self.button("watch", f"{number}:watch")]]
        if kind is Kind.OTHER_NETWORK:
            rows = [self._network_buttons(number)]
        if f"ask.{kind}.command" in self.words and not unix:
            command = self.words.plain(f"ask.{kind}.command", host=self.target.host)
            rows.append(
                [InlineKeyboardButton(self.words.plain("button.copy_command"), copy_text=CopyTextButton(command))]
            )
        if f"ask.{kind}.unix" in self.words:
            rows.append(
                [self.button("windows" if unix else "linux", f"{number}:os:{kind}:{'win' if unix else 'unix'}")]
            )
        rows.append([self.button("skip", f"{number}:skip:{kind}"), self.button("person", f"{number}:person")])
        return Screen(self.words.html(key, ui, host=self.target.host, port=self.target.sip_port), _rows(*rows))

    def unreadable(self, number: int, kind: Kind, *, ui: str | None = None) -> Screen:
        """What was wrong with what came, and what it should look like."""
        example = self.words.plain(f"ask.{kind}.example", ui, host=self.target.host)
        lines = [
            self.words.html(f"ask.{kind}.unclear", ui),
            self.words.html("ask.example"),
            Markup("<pre>{}</pre>").format(example),
            self.words.html("ask.again_how"),
        ]
        if kind in BUTTONS_ONLY:
            del lines[1:]
        buttons = [self.button("skip", f"{number}:skip:{kind}"), self.button("person", f"{number}:person")]
        return Screen(Markup("\n").join(lines), _rows(buttons))

    def verdict(
        self,
        number: int,
        verdict: Verdict,
        *,
        ui: str | None = None,
        extension: str | None = None,
        staffed: bool = True,
    ) -> Screen:
        """The step: what is true, why, what to do, what comes next, and details folded away."""
        step = verdict.step
        values = self.values(verdict, extension)
        true = self.words.html(self.variant(verdict, "true"), ui, **values)
        sure = "verdict.proven" if verdict.certainty is Certainty.PROVEN else "verdict.likely"
        plain_true = step in (Step.CONNECTED, Step.CALL_STAFF, Step.PRESS_REGISTER)
        head = Markup(true[:1].upper() + true[1:]) if plain_true else self.words.html(sure, true=true)  # noqa: S704 - already escaped
        lines = [head]
        if verdict.owner is Owner.SERVER:
            lines.insert(0, self.words.html("verdict.ours"))
        why = _telling(verdict.because) if verdict.because and not plain_true else None
        if why is not None:
            lines.append(self.words.html("verdict.why", because=self.because(why, ui)))
        lines += [Markup(""), self.words.html(self.variant(verdict, "do"), ui, **values)]
        lines += [Markup(""), self.words.html(self.variant(verdict, "next"), ui, **values)]
        if verdict.owner is Owner.SERVER or step is Step.CALL_STAFF:
            lines.append(self.words.html("verdict.staff_told" if staffed else "verdict.staff_untold"))
        lines.append(self._details(number, verdict, ui, said=why))
        return Screen(Markup("\n").join(lines), self._verdict_buttons(number, verdict))

    def _details(self, number: int, verdict: Verdict, ui: str | None, said: Finding | None) -> Markup:
        lines = [self.words.html("verdict.number", number=number)]
        lines += [Markup("• ") + self.because(finding, ui) for finding in verdict.because if finding is not said]
        if verdict.also and verdict.step is not Step.CONNECTED:
            names = ", ".join(self.words.plain(f"step.{step}.name") for step in verdict.also[:3])
            lines.append(self.words.html("verdict.also", steps=names))
        return Markup("<blockquote expandable>{}</blockquote>").format(Markup("\n").join(lines))

    def stars(self, number: int) -> list[list[InlineKeyboardButton]]:
        """What did you think of the help? One press."""
        return [
            [InlineKeyboardButton("⭐" * stars, callback_data=f"{number}:rate:{stars}") for stars in row]
            for row in ((1, 2, 3), (4, 5))
        ]

    def _verdict_buttons(self, number: int, verdict: Verdict) -> InlineKeyboardMarkup:
        person = self.button("person", f"{number}:person")
        if verdict.step is Step.CONNECTED:
            return _rows(*self.stars(number))
        if verdict.step is Step.CALL_STAFF:
            return _rows([self.button("again", f"{number}:again")])
        if verdict.owner is Owner.SERVER:
            return _rows([self.button("again", f"{number}:again"), person])
        if verdict.step is Step.TRY_OTHER_NETWORK and Tag.OTHER_NETWORK_WORKS not in _tags(verdict):
            return _rows(self._network_buttons(number), [person])
        done = [self.button("done", f"{number}:done:{verdict.step}")]
        if verdict.step in SETTINGS_STEPS:
            return _rows(done, [self.button("settings", f"{number}:settings"), person])
        return _rows(done, [self.button("again", f"{number}:again"), person])

    def _status_buttons(self, number: int, ui: str | None) -> list[list[InlineKeyboardButton]]:
        """What the status bar may say, as it stands on their screen once they tell its language."""
        languages = [
            InlineKeyboardButton(name, callback_data=f"{number}:ui:{code}")
            for code, name in (("ru", "Русский"), ("en", "English"), ("uz", "Oʻzbekcha"))
            if code != ui
        ]
        labels = [
            [
                InlineKeyboardButton(
                    self.words.bare_label(f"st_{status}", ui), callback_data=f"{number}:st:{status}:{ui or ''}"
                )
            ]
            for status in STATUS_BUTTONS
        ]
        return [*labels, languages]

    def _network_buttons(self, number: int) -> list[InlineKeyboardButton]:
        return [self.button("works", f"{number}:net:works"), self.button("works_not", f"{number}:net:fails")]

    def because(self, finding: Finding, ui: str | None = None) -> Markup:
        """One finding in words; a field is called as on the user's screen."""
        return because(self.words, finding, ui)

    def variant(self, verdict: Verdict, part: str) -> str:
        """The key of a step's text: its own for the finding that decided, else the common one."""
        for finding in verdict.because:
            key = f"step.{verdict.step}.variant.{finding.tag}.{part}"
            if key in self.words:
                return key
        return f"step.{verdict.step}.{part}"

    def values(self, verdict: Verdict, extension: str | None) -> dict[str, Any]:
        """What a step's text may fill in."""
        return step_values(verdict, self.target, extension)

    def button(self, name: str, data: str) -> InlineKeyboardButton:
        """One button of the catalogue. `data`: '<ticket>:<verb>[:<what>[:<how>]]', at most 64 bytes."""
        return InlineKeyboardButton(self.words.plain(f"button.{name}"), callback_data=data)


def _telling(findings: Sequence[Finding]) -> Finding:
    """The finding that says most to the user: what was seen about him rather than what was fine."""
    fine = {
        Tag.SERVER_DNS_OK,
        Tag.USER_DNS_OK,
        Tag.SERVER_SIP_ANSWERS,
        Tag.ACCOUNT_RIGHT,
        Tag.LOG_REQUEST_BY_NAME,
        Tag.PHONE_REGISTERS_NAME,
    }
    return next((finding for finding in findings if finding.tag not in fine), findings[0])


def _tags(verdict: Verdict) -> set[Tag]:
    return {finding.tag for finding in verdict.because}


def _rows(*rows: Sequence[InlineKeyboardButton]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([list(row) for row in rows if row])
