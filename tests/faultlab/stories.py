"""Each fault as a person lives through it: what the bot asks of them, what it says, and whom it sends to act."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass

import pytest

from bot.model import Certainty, Kind, Owner, Step
from bot.rules import owner_of
from tests.faultlab.faults import FAULTS, Fault
from tests.faultlab.lab import Lab
from tests.faultlab.person import PATIENCE_S, Person
from tests.running import STAFF_CHAT, RunningBot

BY_NAME = {fault.name: fault for fault in FAULTS}
PROVEN, LIKELY = Certainty.PROVEN, Certainty.LIKELY
STATUS, NUMBER, NSLOOKUP, PING = Kind.MICROSIP_STATUS, Kind.EXTENSION, Kind.NSLOOKUP, Kind.PING
WATCH = Kind.LIVE_REGISTER
NOTHING: tuple[Kind, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """How it ended: the verdict, what the person was `asked` for it, what they read and what the staff read."""

    step: Step
    certainty: Certainty
    asked: tuple[Kind, ...]
    told: str
    told_it_is_ours: bool
    staff: str
    staff_have_to_act: bool


@dataclass(frozen=True, slots=True)
class Story:
    """What a person with this fault is `asked`, words of what they read in the end, and of the ticket's card."""

    name: str  # of the fault
    certainty: Certainty
    asked: tuple[Kind, ...]
    told: str
    staff: str
    shows: str | None = None  # the status bar at the moment of the question, where it is not the last outcome

    @property
    def fault(self) -> Fault:
        """What is injected."""
        return BY_NAME[self.name]

    @property
    def end(self) -> End:
        """As it should be."""
        ours = owner_of(self.fault.step) is Owner.SERVER
        return End(self.fault.step, self.certainty, self.asked, self.told, ours, self.staff, ours)


FIREWALL, UFW = "himoya devori (firewall) telefonlarni oʻtkazmayapti", "ufw allow 5060/udp"
NO_PBX, RESTART = "telefon serveri hozir ishlamayapti yoki javob bermayapti", "pm2 restart pbx-system"
NO_NAME, THEIR_DNS = "nomini topa olmayapti. Serverning nomi joyida.", "Foydalanuvchining DNS’i ishlamayapti."
OTHER_HOST, THEIR_NAME = "boshqa manzilga olib boryapti", "Foydalanuvchida nom boshqa IP’ga ochilyapti"
WORKS, NOTHING_TO_DO = "MicroSIP serverga ulandi", "hal boʻlgan"
NO_WAY_BACK, TCPDUMP = "lekin javob sizga qaytmayapti", "tcpdump -ni any udp port 5060"
BAD_WAY, PROVIDER = "paketlar yoʻqolyapti yoki kechikyapti", "Yoʻlda paket yoʻqolishi yoki katta kechikish bor."
LOST, SAVE_AGAIN = "server sizning parolingizni yoʻqotgan", "POST /extensions/:id/password"
NO_NUMBER = "server bu ichki raqamni tanimayapti"
OTHER_LOGIN, OWN_NUMBER = "login ichki raqamingizga mos kelmayapti", "Login ichki raqamga teng emas"

STORIES = (
    # The user's PC.
    Story("healthy", LIKELY, (STATUS,), WORKS, NOTHING_TO_DO),
    Story("dns_nxdomain", PROVEN, (STATUS, NSLOOKUP), NO_NAME, THEIR_DNS),
    # Windows and PJSIP ask for a name for longer than anybody needs to wait here.
    Story("dns_timeout", PROVEN, (STATUS, NSLOOKUP), NO_NAME, THEIR_DNS, shows="no_server"),
    Story("wrong_address_dead", PROVEN, (STATUS, NUMBER, WATCH, NSLOOKUP), OTHER_HOST, THEIR_NAME),
    Story("public_nxdomain", PROVEN, NOTHING, "nomi internetda toʻgʻri manzilga ochilmayapti", "dig +short A"),
    Story("wrong_password", PROVEN, (STATUS, NUMBER), "parol serverdagisiga mos kelmadi", "Parol mos kelmadi."),
    Story("wrong_login", PROVEN, (STATUS, NUMBER), OTHER_LOGIN, OWN_NUMBER),
    Story("other_number", LIKELY, (STATUS, NUMBER), OTHER_LOGIN, OWN_NUMBER),
    Story("typo", LIKELY, (STATUS, NSLOOKUP), "nomi yoki porti boshqacha yozilgan", "server yoki domen notoʻgʻri"),
    Story("tcp_refused", LIKELY, (STATUS,), "server esa faqat UDP bilan ishlaydi", "server faqat UDP’da"),
    # The way.
    Story("icmp_only", LIKELY, (STATUS,), WORKS, NOTHING_TO_DO),
    Story("alg_via", LIKELY, (STATUS, NUMBER), NO_WAY_BACK, TCPDUMP),
    Story("alg_digest", LIKELY, (STATUS, NUMBER), "Parolingizga hozircha tegmang.", TCPDUMP),
    Story("answers_lost", LIKELY, (STATUS, NUMBER), NO_WAY_BACK, TCPDUMP),
    # A phone that sends again and again gets through some time: it is looked at while it tries.
    Story("loss", LIKELY, (STATUS, PING), BAD_WAY, PROVIDER, shows="connecting"),
    Story("slow", LIKELY, (STATUS, PING), BAD_WAY, PROVIDER, shows="connecting"),
    # The host's filters.
    Story("iptables_drop", PROVEN, NOTHING, FIREWALL, UFW),
    Story("iptables_reject", PROVEN, NOTHING, FIREWALL, UFW),
    Story("nft_drop", PROVEN, NOTHING, FIREWALL, UFW),
    Story("ufw_no_rule", LIKELY, NOTHING, FIREWALL, UFW),
    Story("ufw_tcp_only", LIKELY, NOTHING, FIREWALL, UFW),
    Story("limit", LIKELY, NOTHING, FIREWALL, UFW),
    Story("answers_dropped", PROVEN, (STATUS,), FIREWALL, UFW),
    Story("ban", PROVEN, (STATUS, NUMBER), "internet manzilingiz serverda vaqtincha bloklangan", "unban 203.0.113.254"),
    # The PBX.
    Story("stopped", PROVEN, NOTHING, NO_PBX, RESTART),
    Story("hung", PROVEN, NOTHING, NO_PBX, RESTART),
    Story("loopback", PROVEN, NOTHING, "faqat oʻzining ichida tinglayapti", "SIP_HOST=0.0.0.0"),
    Story("port_taken", PROVEN, NOTHING, "telefon portini boshqa dastur egallab olgan", "ss -ulnp | grep :5060"),
    Story("database_down", LIKELY, NOTHING, "telefon serverining ichida xatolik bor", "systemctl status postgresql"),
    Story("database_restarted", PROVEN, (STATUS, NUMBER), LOST, SAVE_AGAIN),
    Story("password_lost", PROVEN, (STATUS, NUMBER), LOST, SAVE_AGAIN),
    Story("unknown", PROVEN, (STATUS, NUMBER), NO_NUMBER, "Boshqaruv panelida raqamni qidiring: 1047"),
    Story("disabled", PROVEN, (STATUS, NUMBER), NO_NUMBER, "Boshqaruv panelida raqamni qidiring: 1003"),
)


def of(*modules: str) -> list[pytest.ParameterSet]:
    """The stories of the faults that these modules list, as a test's parameters."""
    chosen = [story for story in STORIES if story.fault.module.rpartition(".")[2] in modules]
    return [pytest.param(story, id=story.name) for story in chosen]


def play(lab: Lab, bot: RunningBot, story: Story) -> End:
    """Injects the fault and lets its user come to the bot. Where the words of the story are missing, all the words."""
    lab.fresh_start()
    with story.fault.at_work(lab) as phone:
        with Person(lab, bot, phone, story.fault.extension, story.shows) as person:
            told = person.is_told().text
        verdict = json.loads(bot.yordam("ticket", "1", "--json"))["verdict"]
        card = _card(bot, story.staff)
    return End(
        Step(verdict["step"]),
        Certainty(verdict["certainty"]),
        tuple(person.asked),
        story.told if story.told in told else told,
        told.startswith("Bu sizda emas, bizda."),
        story.staff if story.staff in card else card,
        "Holat: operator koʻrib chiqadi" in card,
    )


def _card(bot: RunningBot, words: str) -> str:
    """The ticket's card in the staff's chat, once it says this; else as it stands in the end."""

    def card() -> str:
        return next((message.text for message in bot.api.answers(STAFF_CHAT) if message.text.startswith("№1 ")), "")

    with contextlib.suppress(TimeoutError):
        bot.api.wait_for(lambda: words in card(), PATIENCE_S)
    return card()
