# ruff: noqa: E501 - markup and table rows read best unbroken
"""MicroSIP's dialogs to be drawn: which rows, captions and values does a made picture have?

Geometry in dialog units is that of the versions 3.14, 3.19, 3.20, 3.21 and 3.22, and of an invented
newer one whose rows moved.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from bot.parsers.screen.packs import BY_NAME

Box = tuple[float, float, float, float]  # x, y, width, height in dialog units


@dataclass
class Row:
    """One thing drawn: a caption, an edit, a combo, a check, a link, a button or a list."""

    kind: str
    name: str
    text: str
    box: Box
    on: bool = False
    disabled: bool = False


@dataclass
class Drawn:
    """A dialog ready to be drawn, with its truth."""

    dialog: str
    pack: str
    size: tuple[float, float]
    rows: list[Row]
    fields: dict[str, str | None] = field(default_factory=dict)
    checks: dict[str, bool] = field(default_factory=dict)
    password_shown: bool = False
    variant: str = ""
    version: str = ""


RIGHT = "call.soundz.uz"
WRONG_HOSTS = (
    "call.sounds.uz", "call.soundz.us", "call.sound.uz", "call.soundz.ru", "call,soundz.uz", "calll.soundz.uz",
    "call. soundz.uz", "call .soundz.uz", "call.soundz. uz", "cal.soundz.uz", "callsoundz.uz", "call.soundz.uz.",
    "call.soundz.com", "sip.soundz.uz", "soundz.uz", "call.soundzuz", "call.soundz.uz:5061", "69.62.127.9",
    "185.137.152.229", "192.168.1.1", "127.0.0.1", "10.0.0.5", "sip:call.soundz.uz", "https://call.soundz.uz",
    "call.soudnz.uz", "cail.soundz.uz", "call.soundz.uzz", "call-soundz.uz", "caII.soundz.uz", "call.s0undz.uz",
    "call.soundz .uz", "ca ll.soundz.uz", "call..soundz.uz", "pbx.example.com", "call.soundz", "sip.bell.uz",
)  # fmt: skip


def caption(name: str, pack: str) -> str:
    """A row's caption in a language pack."""
    if name == "rtp_max":
        return "-"
    names = BY_NAME[name].names
    return names[pack]


def _values(rng: random.Random, variant: str) -> tuple[dict[str, str | None], dict[str, bool]]:
    extension = rng.choice([f"10{rng.randint(0, 99):02d}", f"1{rng.randint(0, 999):03d}", f"20{rng.randint(0, 9)}",
                            f"{rng.randint(100, 9999)}", f"5{rng.randint(10, 99)}"])  # fmt: skip
    names = ["Aziz", "Dilnoza", "Madina", "Офис 1", "Ресепшн", "Дильноза", "Operator 2", "Sardor", "Gʻulom", ""]
    fields: dict[str, str | None] = {
        "account_name": rng.choice([RIGHT, "Soundz", "work", extension, f"soundz {extension}", "", "ofis"]),
        "server": RIGHT, "proxy": "", "username": extension, "domain": RIGHT,
        "login": rng.choice(["", extension]), "password": None, "display_name": rng.choice(names),
        "voicemail": "", "dialing_prefix": "", "dial_plan": "", "media_encryption": "", "transport": "UDP",
        "public_address": "auto", "register_refresh": rng.choice(["300", "60", "600", "120"]),
        "keep_alive": rng.choice(["15", "30", "10"]), "stun_server": "",
    }  # fmt: skip
    checks = dict.fromkeys(("hide_caller_id", "publish_presence", "allow_rewrite", "ice", "disable_session_timers", "avpf"), False)  # fmt: skip
    checks["publish_presence"] = rng.random() < 0.3
    checks["disable_session_timers"] = rng.random() < 0.3
    checks["hide_caller_id"] = rng.random() < 0.1
    lan = f"192.168.{rng.randint(0, 99)}.{rng.randint(2, 250)}"
    if variant in ("wrong_server", "wrong_both"):
        fields["server"] = rng.choice(WRONG_HOSTS)
    if variant in ("wrong_domain", "wrong_both", "multi"):
        fields["domain"] = rng.choice(WRONG_HOSTS)
    if variant == "port":
        fields["server"] = rng.choice([f"{RIGHT}:5060", f"{RIGHT}:5060", f"{RIGHT}:5061", f"{RIGHT}:5080"])
    if variant == "empty_server":
        fields["server"] = ""
    if variant == "proxy":
        fields["proxy"] = rng.choice([RIGHT, "sip.proxy.uz", lan])
    if variant in ("tcp", "multi"):
        fields["transport"] = rng.choice(["TCP", "TLS", "UDP+TCP"])
    if variant == "public":
        fields["public_address"] = rng.choice([lan, "172.20.10.3", "10.0.0.12", "84.54.71.12"])
    if variant in ("checks", "multi"):
        checks["ice"], checks["allow_rewrite"] = rng.random() < 0.7, rng.random() < 0.7
        checks["publish_presence"], checks["avpf"] = rng.random() < 0.5, rng.random() < 0.5
    if variant == "login":
        fields["login"] = rng.choice(["operator", "sip1002", str(rng.randint(1000, 1999)), "admin"])
    if variant == "username":
        fields["username"] = rng.choice(["", "10 01", "lO01", "sip" + extension, extension + "@" + RIGHT, "operator"])
    return fields, checks


ACCOUNT_VARIANTS = (
    "correct", "correct", "correct", "wrong_server", "wrong_domain", "wrong_both", "port", "empty_server", "proxy",
    "tcp", "public", "checks", "checks", "login", "username", "multi",
)  # fmt: skip
_Y = {  # label y by version; None = the row does not exist
    "3.14": {"server": 10, "proxy": 29, "username": 55, "domain": 74, "login": 93, "password": 112, "display_name": 143,
                 "media_encryption": 161, "transport": 179, "public_address": 198, "publish_presence": 215, "stun_server": 238,
                 "ice": 252, "allow_rewrite": 267},
    "3.20": {"account_name": 10, "server": 29, "proxy": 48, "username": 74, "domain": 93, "login": 112, "password": 131,
                 "display_name": 162, "voicemail": 181, "dialing_prefix": 200, "dial_plan": 218, "hide_caller_id": 233,
                 "media_encryption": 251, "transport": 270, "public_address": 288, "register_refresh": 307, "keep_alive": 307,
                 "publish_presence": 324, "allow_rewrite": 337, "ice": 350, "disable_session_timers": 363, "avpf": 376},
}  # fmt: skip
_Y["3.22"] = {**_Y["3.20"], "publish_presence": 323, "allow_rewrite": 335, "ice": 347, "disable_session_timers": 359}
del _Y["3.22"]["avpf"]
_Y["3.19"] = {**_Y["3.20"]}
del _Y["3.19"]["avpf"]


def _moved(rng: random.Random) -> dict[str, int]:
    """An invented newer layout: rows inserted or gone, so everything below moves."""
    rows = dict(_Y[rng.choice(["3.20", "3.22"])])
    for _ in range(rng.randint(1, 3)):
        names = sorted(rows, key=lambda name: rows[name])
        edge = rows[rng.choice(names[2:])]
        shift = rng.choice([-6, 7, 13, 19])
        rows = {name: y + (shift if y >= edge else 0) for name, y in rows.items()}
    for name in ("dial_plan", "voicemail", "account_name"):
        if name in rows and rng.random() < 0.25:
            y = rows.pop(name)
            rows = {other: at - (19 if at > y else 0) for other, at in rows.items()}
    return rows


def account(rng: random.Random, pack: str, version: str) -> Drawn:
    """An Account dialog with its truth."""
    variant = rng.choice(ACCOUNT_VARIANTS)
    fields, checks = _values(rng, variant)
    at = _moved(rng) if version == "newer" else dict(_Y[version])
    if version == "3.20" and rng.random() < 0.5:
        at.pop("avpf")
    ru = pack.startswith("ru")
    disabled = "Отключено" if ru else ("O‘chirilgan" if pack == "uz" else "Disabled")
    automatic = "Авто" if ru else ("Avtomatik" if pack == "uz" else "Auto")
    fields["media_encryption"] = disabled
    shown = rng.random() < 0.08
    rows = []
    public_grey, local = rng.random() < 0.08, rng.random() < 0.04
    for name, y in at.items():
        text = caption("stun_enabled" if name == "stun_server" else name, pack)
        if version == "3.14":
            text = {"Username": "User"}.get(text, text[:4] + text[4:].capitalize() if pack == "en" else text)
            if name == "username" and ru:
                text = "Пользователь"
        grey = (public_grey and name == "public_address") or (
            local and name in ("server", "publish_presence", "allow_rewrite"))  # fmt: skip
        if name in checks:
            rows.append(Row("check", name, text, (86, y, 127, 10), checks[name], grey))
            continue
        star = name in ("username", "domain") and not local
        if name == "keep_alive":
            rows.append(Row("label", name, text, (116, y, 70, 8)))
            rows.append(Row("edit", name, str(fields[name]), (191, y - 3, 20, 14)))
            continue
        rows.append(Row("label", name, text, (7, y, 70, 8), disabled=grey))
        if star:
            rows.append(Row("star", name, "*", (78, y, 6, 8)))
        width = 30 if name == "register_refresh" else 127
        value = fields[name] or ""
        if name in ("media_encryption", "transport", "public_address"):
            value = automatic if value == "auto" else value
            kind = "editcombo" if name == "public_address" else "combo"
            rows.append(Row(kind, name, value, (86, y - 3, width, 13.5), disabled=grey))
        elif name == "password":
            password = "".join(rng.choices("abcdefghkmnpqrstXYZKLM23456789", k=rng.randint(8, 12)))
            fields["password"] = password if shown else None
            rows.append(Row("edit", name, password if shown else "\u2022" * 12, (86, y - 3, width, 14)))
        else:
            rows.append(Row("edit", name, value, (86, y - 3, width, 14), disabled=grey))
        if name not in ("account_name", "voicemail"):
            rows.append(Row("link", "help", "?", (222, y - 1, 7, 8)))
    if "password" in at:
        rows.append(Row("link", "show_password", caption("show_password", pack), (86, at["password"] + 13, 120, 8)))
    height = {"3.14": 303, "3.19": 401, "3.20": 415, "3.22": 397}.get(version, max(at.values()) + 40)
    save = height - 19
    rows.append(Row("button", "save", {"uz": "Saqlash", "en": "Save"}.get(pack, "Сохранить"), (83, save, 70, 14), True))
    rows.append(
        Row("button", "cancel", {"uz": "Bekor qilish", "en": "Cancel"}.get(pack, "Отмена"), (158, save, 70, 14))
    )
    if version == "3.22":
        text = {"uz": "Hisobni o'chirish", "en": "Delete Account"}.get(pack, "Удалить аккаунт")
        rows.append(Row("link", "delete", text, (5, save + 2, 75, 8)))
    return Drawn("account", pack, (236, height), rows, {n: fields[n] for n in at if n in fields},
                 {n: checks[n] for n in at if n in checks}, shown, variant, version)  # fmt: skip
