# ruff: noqa: E501 - markup and table rows read best unbroken
"""MicroSIP's dialogs drawn as HTML: which rows, captions, values and looks does a made picture have?

Geometry in dialog units is that of the versions 3.14, 3.19, 3.20, 3.21 and 3.22, and of an invented
newer one whose rows moved.
"""

from __future__ import annotations

import html
import random
from dataclasses import dataclass, field
from typing import Any

from bot.parsers.screen.packs import BY_NAME, TITLES, Dialog

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


def _t(name: str, pack: str) -> str:
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
        text = _t("stun_enabled" if name == "stun_server" else name, pack)
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
        rows.append(Row("link", "show_password", _t("show_password", pack), (86, at["password"] + 13, 120, 8)))
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


def _left(pack: str, x: int, down: int, video: bool) -> list[Row]:
    """The sound half of Settings: only a background for the reader."""
    rows: list[Row] = []

    def label(name: str, y: float) -> Row:
        return Row("label", name, _t(name, pack), (x - 109, y, 100, 8))

    default = {"en": "Default", "uz": "Standart"}.get(pack, "По умолчанию")
    rows.append(Row("check", "single_call_mode", _t("single_call_mode", pack), (x, 8, 120, 10), True))
    rows += [
        label("ringtone", 27),
        Row("edit", "_", "", (x, 24, 122, 14)),
        Row("button", "_", "...", (x + 123, 24, 13, 14)),
    ]
    for number, name in enumerate(("ring_device", "speaker", "microphone")):
        rows += [label(name, 57 + 15 * number), Row("combo", "_", default, (x, 55 + 15 * number, 129, 13))]
    rows.append(Row("check", "microphone_amplification", _t("microphone_amplification", pack), (x - 20, 102, 150, 10)))
    rows.append(
        Row("check", "software_level_adjustment", _t("software_level_adjustment", pack), (x - 20, 113, 150, 10), True)
    )
    rows += [Row("text", "available_codecs", _t("available_codecs", pack), (x - 56, 125, 80, 8)),
             Row("text", "enabled_codecs", _t("enabled_codecs", pack), (x + 57, 125, 80, 8)),
             Row("list", "_", "Opus 24 kHz|G.722 16 kHz|G.729 8 kHz|GSM 8 kHz|iLBC 8 kHz|Speex 8 kHz", (x - 56, 135, 80, 60)),
             Row("list", "_", "G.711 A-law|G.711 u-law", (x + 57, 135, 80, 60)),
             Row("check", "_", "VAD", (x - 84, 200, 24, 10)), Row("check", "_", "EC", (x - 46, 200, 24, 10)),
             Row("check", "_", "Opus 2ch", (x - 17, 200, 50, 10), True),
             Row("check", "force_codec", _t("force_codec", pack), (x + 42, 200, 120, 10), True)]  # fmt: skip
    if video:
        rows.append(Row("check", "disable_video", _t("disable_video", pack), (x, 214 + down, 120, 10)))
        rows += [label("camera", 230 + down), Row("combo", "_", default, (x, 228 + down, 133, 13))]
        rows += [label("video_codec", 245 + down), Row("combo", "_", default, (x, 243 + down, 89, 13))]
        for number, text in enumerate(("H.264", "H.263+", "VP8")):
            rows.append(Row("check", "_", text, (x - 46 + 40 * number, 260 + down, 36, 10), True))
        rows += [Row("label", "video_bitrate", _t("video_bitrate", pack), (x + 60, 260 + down, 58, 8)),
                 Row("edit", "_", "512", (x + 120, 258 + down, 30, 14))]  # fmt: skip
    return rows


def settings(rng: random.Random, pack: str, version: str) -> Drawn:
    """A Settings dialog with its truth."""
    wide = version in ("3.21", "3.22", "newer")
    x, low, video = (126 if wide else 106), {"3.19": 261}.get(version, 274), rng.random() < 0.6
    down = -13 if version == "3.19" else 0
    if not video:
        low -= 61
    rows = _left(pack, x, down, video)
    if version == "newer":
        low += rng.choice([-5, 8, 15])
    stun = rng.choice(
        ["", "stun.l.google.com:19302", "stun.l.google.com:19302", "stun.zadarma.com:3478", "stun.sipnet.ru"]
    )
    fields: dict[str, str | None] = {
        "source_port": rng.choice(["0", "0", "5060", "5080"]), "rtp_min": rng.choice(["0", "0", "10000"]),
        "rtp_max": rng.choice(["0", "0", "20000"]), "stun_server": stun,
        "nameserver": rng.choice(["", "", "", "8.8.8.8; 8.8.4.4", "1.1.1.1"]),
    }  # fmt: skip
    checks = {"rport": rng.random() < 0.8, "dns_srv": rng.random() < 0.2, "call_recording": rng.random() < 0.2,
              "stun_enabled": bool(stun) and rng.random() < 0.6}  # fmt: skip
    rows += [
        Row("label", "source_port", _t("source_port", pack), (2, low, 75, 8)),
        Row("edit", "source_port", str(fields["source_port"]), (79, low - 2, 30, 14)),
        Row("check", "rport", "rport", (118, low, 28, 10), checks["rport"]),
        Row("label", "rtp_min", _t("rtp_min", pack), (146, low, 40, 8)),
        Row("edit", "rtp_min", str(fields["rtp_min"]), (188, low - 2, 30, 14)),
        Row("text", "_", "-", (221, low, 5, 8)),
        Row("edit", "rtp_max", str(fields["rtp_max"]), (227, low - 2, 30, 14)),
        Row("label", "nameserver", _t("nameserver", pack), (7, low + 18, x - 16, 8)),
        Row("edit", "nameserver", str(fields["nameserver"]), (x, low + 16, 100, 14)),
        Row("check", "dns_srv", "DNS SRV", (x + 104, low + 18, 50, 8), checks["dns_srv"]),
        Row("checkright", "stun_enabled", _t("stun_enabled", pack), (7, low + 36, x - 16, 8), checks["stun_enabled"]),
        Row("edit", "stun_server", str(fields["stun_server"]), (x, low + 34, 127, 14)),
    ]
    c = 416 if wide else 376
    rows += [Row("checkright", "call_recording", _t("call_recording", pack), (c - 100, 27, 91, 8), checks["call_recording"]),
             Row("edit", "_", rng.choice(["", "C:\\Users\\User\\Desktop\\Recordings"]), (c, 24, 122, 14)),
             Row("button", "_", "...", (c + 123, 24, 13, 14))]  # fmt: skip
    for number, (name, value) in enumerate((("dtmf_method", "Auto"), ("auto_answer", "No"), ("deny_incoming", "No"),
                                            ("directory_of_users", ""), ("default_list_action", "Call"))):  # fmt: skip
        y = 58 + 15 * number
        rows += [Row("label", name, _t(name, pack), (c - 100, y, 91, 8)),
                 Row("combo" if value else "edit", "_", value, (c, y - 2, 115, 13)), Row("link", "help", "?", (c + 160, y, 7, 8))]  # fmt: skip
    for number, (one, two) in enumerate((("handle_media_buttons", "headset_support"), ("sound_events", "enable_log_file"),
                                         ("bring_to_front", "enable_local_account"), ("random_popup", "multi_monitor"),
                                         ("call_waiting", "disable_messaging"))):  # fmt: skip
        down_to = 144 + 11.5 * number
        rows += [Row("check", one, _t(one, pack)[:34], (c - 86, down_to, 125, 10), rng.random() < 0.5),
                 Row("check", two, _t(two, pack), (c + 49, down_to, 135, 10), rng.random() < 0.5)]  # fmt: skip
    rows += [Row("label", "check_for_updates", _t("check_for_updates", pack), (c - 100, 208, 91, 8)),
             Row("combo", "_", {"en": "Weekly", "uz": "Haftalik"}.get(pack, "Раз в неделю"), (c, 206, 127, 13))]  # fmt: skip
    height = {"3.19": 333, "3.20": 346, "3.21": 356, "3.22": 369}.get(version, 360) - (0 if video else 61)
    save = height - 20
    width = 600 if wide else 550
    rows += [Row("button", "_", {"uz": "Saqlash", "en": "Save"}.get(pack, "Сохранить"), (width - 152, save, 70, 14), True),
             Row("button", "_", {"uz": "Bekor qilish", "en": "Cancel"}.get(pack, "Отмена"), (width - 77, save, 70, 14))]  # fmt: skip
    return Drawn("settings", pack, (width, height), rows, fields, checks, False, "settings", version)


LOOKS: dict[str, dict[str, str]] = {
    "w10_light": {"bg": "#f0f0f0", "ink": "#000", "edit": "#fff", "frame": "#7a7a7a", "title": "#fff", "combo": "#e1e1e1", "link": "#06c", "on": "#fff", "tick": "#000", "radius": "0", "accent": "#0078d7"},
    "w10_white": {"bg": "#fff", "ink": "#111", "edit": "#fff", "frame": "#7a7a7a", "title": "#e6e6e6", "combo": "#e1e1e1", "link": "#06c", "on": "#fff", "tick": "#000", "radius": "0", "accent": "#0078d7"},
    "w11_light": {"bg": "#f3f3f3", "ink": "#1b1b1b", "edit": "#fff", "frame": "#b5b5b5", "title": "#fafafa", "combo": "#fbfbfb", "link": "#003e92", "on": "#005fb8", "tick": "#fff", "radius": "3px", "accent": "#005fb8"},
    "w10_dark": {"bg": "#202020", "ink": "#f0f0f0", "edit": "#333", "frame": "#888", "title": "#2b2b2b", "combo": "#333", "link": "#4cc2ff", "on": "#333", "tick": "#fff", "radius": "0", "accent": "#0078d7"},
    "w11_dark": {"bg": "#2b2b2b", "ink": "#fff", "edit": "#383838", "frame": "#777", "title": "#202020", "combo": "#3a3a3a", "link": "#99ebff", "on": "#4cc2ff", "tick": "#000", "radius": "3px", "accent": "#4cc2ff"},
    "classic": {"bg": "#d4d0c8", "ink": "#000", "edit": "#fff", "frame": "inset", "title": "linear-gradient(90deg,#0a246a,#a6caf0)", "combo": "#fff", "link": "#00f", "on": "#fff", "tick": "#000", "radius": "0", "accent": "#000"},
    "win7": {"bg": "#f0f0f0", "ink": "#000", "edit": "#fff", "frame": "#abadb3", "title": "linear-gradient(#cfe0f3,#b9d1ea)", "combo": "linear-gradient(#f2f2f2,#cfcfcf)", "link": "#06c", "on": "#f4f4f4", "tick": "#21488c", "radius": "2px", "accent": "#3c7fb1"},
}  # fmt: skip
FONTS = {  # family, px at 96 dpi, px per unit in x and in y
    "arimo": ("Arimo", 11, 1.5, 1.625), "liberation": ("Liberation Sans", 11, 1.5, 1.625),
    "tahoma": ("Tahoma, 'DejaVu Sans Condensed'", 11, 1.5, 1.625), "dejavu": ("DejaVu Sans Condensed", 11, 1.6, 1.7),
    "open": ("Open Sans", 12, 1.75, 1.875), "noto": ("Noto Sans", 12, 1.75, 1.875), "carlito": ("Carlito", 13, 1.75, 1.875),
}  # fmt: skip
CAPTION_PX = 31


@dataclass(frozen=True)
class Style:
    """How a dialog is drawn."""

    look: str
    font: str
    scale: float


def pixels(drawn: Drawn, style: Style) -> tuple[int, int]:
    """Width and height of the drawn window."""
    _, _, ux, uy = FONTS[style.font]
    return (int(drawn.size[0] * ux * style.scale + 2), int((drawn.size[1] * uy + CAPTION_PX) * style.scale + 2))


def _rect(box: Box, style: Style) -> tuple[float, float, float, float]:
    _, _, ux, uy = FONTS[style.font]
    x, y, width, height = box
    s = style.scale
    return (round(x * ux * s + 1), round((y * uy + CAPTION_PX) * s + 1), round(width * ux * s), round(height * uy * s))


def boxes(drawn: Drawn, style: Style) -> dict[str, dict[str, list[float]]]:
    """Pixel boxes (left, top, right, bottom) of captions and controls."""
    found: dict[str, dict[str, list[float]]] = {}
    side = 13 * style.scale
    for row in drawn.rows:
        if row.name.startswith("_") or row.name == "help" or row.kind in ("star", "button", "link", "text"):
            continue
        x, y, width, height = _rect(row.box, style)
        place = found.setdefault(row.name, {})
        middle = y + height / 2
        if row.kind == "check":
            place["box"] = [x, middle - side / 2, x + side, middle + side / 2]
            place["label"] = [x + side + 3, y, x + width, y + height]
        elif row.kind == "checkright":
            place["box"] = [x + width - side, middle - side / 2, x + width, middle + side / 2]
            place["label"] = [x, y, x + width - side - 3, y + height]
        elif row.kind == "label":
            place["label"] = [x, y, x + width, y + height]
        else:
            place["control"] = [x, y, x + width, y + height]
    return found


def _tick(look: dict[str, str], side: float) -> str:
    return (f'<svg viewBox="0 0 13 13" width="{side:.1f}" height="{side:.1f}" style="position:absolute;left:0;top:0">'
            f'<path d="M2.6 6.6 L5.3 9.4 L10.4 3.6" fill="none" stroke="{look["tick"]}" stroke-width="1.7"/></svg>')  # fmt: skip


def _square(row: Row, look: dict[str, str], left: float, top: float, side: float) -> str:
    fill = look["on"] if row.on else look["edit"]
    frame = (
        "border:2px inset #aaa"
        if look["frame"] == "inset"
        else f"border:1px solid {look['frame'] if not row.on or look['radius'] != '3px' else look['on']}"
    )
    if row.kind.startswith("check") and look["frame"] not in ("inset",) and look["radius"] == "0":
        frame = f"border:1px solid {look['ink']}"
    return (f'<div style="position:absolute;left:{left:.1f}px;top:{top:.1f}px;width:{side:.1f}px;height:{side:.1f}px;box-sizing:border-box;'
            f'background:{fill};{frame};border-radius:{look["radius"]};opacity:{.4 if row.disabled else 1}">{_tick(look, side - 2) if row.on else ""}</div>')  # fmt: skip


def markup(drawn: Drawn, style: Style) -> str:
    """The dialog as one absolutely placed element."""
    look = LOOKS[style.look]
    family, px, _, _ = FONTS[style.font]
    s, side = style.scale, 13 * style.scale
    width, height = pixels(drawn, style)
    title = dict(zip(("en", "ru_old", "uz"), TITLES[Dialog.ACCOUNT], strict=True)) if drawn.dialog == "account" else {
        "en": "Settings", "ru_new": "Общие настройки", "ru_old": "Настройки", "uz": "Sozlamalar"}  # fmt: skip
    text = title.get(drawn.pack, title.get("ru_old", ""))
    frame = "2px inset #aaa" if look["frame"] == "inset" else f"1px solid {look['frame']}"
    out = [f'<div style="position:relative;overflow:hidden;width:{width - 2}px;height:{height - 2}px;border:1px solid #888;background:{look["bg"]};'
           f"color:{look['ink']};font:{px * s:.1f}px {family.replace(chr(34), chr(39))};line-height:1.2\">"
           f'<div style="position:absolute;left:0;top:0;width:100%;height:{CAPTION_PX * s}px;background:{look["title"]};'
           f'line-height:{CAPTION_PX * s}px;text-indent:{12 * s}px;color:{"#fff" if style.look == "classic" else look["ink"]}">{text}'
           f'<span style="position:absolute;right:{14 * s}px;text-indent:0;font-size:{16 * s}px">✕</span></div>']  # fmt: skip
    for row in drawn.rows:
        x, y, w, h = _rect(row.box, style)
        x, y = x - 1, y - 1
        ink = f"opacity:{0.45 if row.disabled else 1};"
        at = f"position:absolute;box-sizing:border-box;left:{x}px;top:{y}px;width:{w}px;height:{h}px;white-space:pre;overflow:hidden;line-height:{h - 2}px;"
        words = html.escape(row.text)
        if row.kind == "label":
            out.append(
                f'<div style="{at}{ink}text-align:right;text-overflow:ellipsis;height:{h + 3 * s}px;line-height:{h}px">{words}</div>'
            )
        elif row.kind in ("text", "star", "link"):
            extra = f"color:{look['link']};text-decoration:underline" if row.kind == "link" else ""
            out.append(f'<div style="{at}overflow:visible;line-height:{h}px;{extra}">{words}</div>')
        elif row.kind in ("check", "checkright"):
            left = x if row.kind == "check" else x + w - side
            out.append(_square(row, look, left, y + h / 2 - side / 2, side))
            place = (
                f"left:{x + side + 3 * s}px;width:{w - side}px"
                if row.kind == "check"
                else f"left:{x}px;width:{w - side - 4 * s}px;text-align:right"
            )
            out.append(
                f'<div style="position:absolute;{place};top:{y}px;height:{h}px;line-height:{h}px;white-space:pre;overflow:visible;{ink}">{words}</div>'
            )
        elif row.kind == "list":
            out.append(
                f'<div style="{at}border:{frame};background:{look["edit"]};line-height:1.25;padding:2px">{words.replace("|", "<br>")}</div>'
            )
        elif row.kind == "button":
            line = (
                f"1px solid {look['accent'] if row.on else look['frame']}"
                if look["frame"] != "inset"
                else "2px outset #fff"
            )
            out.append(
                f'<div style="{at}border:{line};background:{look["combo"]};text-align:center;border-radius:{look["radius"]}">{words}</div>'
            )
        else:
            fill = look["combo"] if row.kind == "combo" else look["edit"]
            fill = look["bg"] if row.disabled else fill
            arrow = (
                f'<span style="position:absolute;right:{6 * s}px;top:0;font-size:{0.8 * px * s}px">⌵</span>'
                if "combo" in row.kind
                else ""
            )
            radius = look["radius"] if "combo" in row.kind else "0"
            out.append(
                f'<div style="{at}border:{frame};background:{fill};padding-left:{4 * s}px;border-radius:{radius};line-height:{h - 3}px"><span style="{ink}">{words}</span>{arrow}</div>'
            )
    return "".join(out) + "</div>"


def truth(drawn: Drawn, style: Style) -> dict[str, Any]:
    """The truth of a drawn dialog before anything is cut or bent."""
    return {
        "dialog": drawn.dialog, "lang": drawn.pack[:2], "label_pack": drawn.pack, "version": drawn.version,
        "fields": {n: {"value": v, "visible": True, "label_visible": True} for n, v in drawn.fields.items()},
        "checks": {n: {"on": v, "visible": True, "label_visible": True} for n, v in drawn.checks.items()},
        "boxes": boxes(drawn, style), "password_shown": drawn.password_shown, "variant": drawn.variant,
        "look": style.look, "theme": "dark" if "dark" in style.look else "light", "font": style.font, "scale": style.scale,
    }  # fmt: skip
