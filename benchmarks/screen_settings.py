# ruff: noqa: E501 - table rows read best unbroken
"""MicroSIP's Settings dialog to be drawn: its rows in every version, with values and their truth."""

from __future__ import annotations

import random

from benchmarks.screen_dialogs import Drawn, Row, caption


def _left(pack: str, x: int, down: int, video: bool) -> list[Row]:
    """The sound half of Settings: only a background for the reader."""
    rows: list[Row] = []

    def label(name: str, y: float) -> Row:
        return Row("label", name, caption(name, pack), (x - 109, y, 100, 8))

    default = {"en": "Default", "uz": "Standart"}.get(pack, "По умолчанию")
    rows.append(Row("check", "single_call_mode", caption("single_call_mode", pack), (x, 8, 120, 10), True))
    rows += [
        label("ringtone", 27),
        Row("edit", "_", "", (x, 24, 122, 14)),
        Row("button", "_", "...", (x + 123, 24, 13, 14)),
    ]
    for number, name in enumerate(("ring_device", "speaker", "microphone")):
        rows += [label(name, 57 + 15 * number), Row("combo", "_", default, (x, 55 + 15 * number, 129, 13))]
    rows.append(
        Row("check", "microphone_amplification", caption("microphone_amplification", pack), (x - 20, 102, 150, 10))
    )
    rows.append(
        Row(
            "check",
            "software_level_adjustment",
            caption("software_level_adjustment", pack),
            (x - 20, 113, 150, 10),
            True,
        )
    )
    rows += [Row("text", "available_codecs", caption("available_codecs", pack), (x - 56, 125, 80, 8)),
             Row("text", "enabled_codecs", caption("enabled_codecs", pack), (x + 57, 125, 80, 8)),
             Row("list", "_", "Opus 24 kHz|G.722 16 kHz|G.729 8 kHz|GSM 8 kHz|iLBC 8 kHz|Speex 8 kHz", (x - 56, 135, 80, 60)),
             Row("list", "_", "G.711 A-law|G.711 u-law", (x + 57, 135, 80, 60)),
             Row("check", "_", "VAD", (x - 84, 200, 24, 10)), Row("check", "_", "EC", (x - 46, 200, 24, 10)),
             Row("check", "_", "Opus 2ch", (x - 17, 200, 50, 10), True),
             Row("check", "force_codec", caption("force_codec", pack), (x + 42, 200, 120, 10), True)]  # fmt: skip
    if video:
        rows.append(Row("check", "disable_video", caption("disable_video", pack), (x, 214 + down, 120, 10)))
        rows += [label("camera", 230 + down), Row("combo", "_", default, (x, 228 + down, 133, 13))]
        rows += [label("video_codec", 245 + down), Row("combo", "_", default, (x, 243 + down, 89, 13))]
        for number, text in enumerate(("H.264", "H.263+", "VP8")):
            rows.append(Row("check", "_", text, (x - 46 + 40 * number, 260 + down, 36, 10), True))
        rows += [Row("label", "video_bitrate", caption("video_bitrate", pack), (x + 60, 260 + down, 58, 8)),
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
        Row("label", "source_port", caption("source_port", pack), (2, low, 75, 8)),
        Row("edit", "source_port", str(fields["source_port"]), (79, low - 2, 30, 14)),
        Row("check", "rport", "rport", (118, low, 28, 10), checks["rport"]),
        Row("label", "rtp_min", caption("rtp_min", pack), (146, low, 40, 8)),
        Row("edit", "rtp_min", str(fields["rtp_min"]), (188, low - 2, 30, 14)),
        Row("text", "_", "-", (221, low, 5, 8)),
        Row("edit", "rtp_max", str(fields["rtp_max"]), (227, low - 2, 30, 14)),
        Row("label", "nameserver", caption("nameserver", pack), (7, low + 18, x - 16, 8)),
        Row("edit", "nameserver", str(fields["nameserver"]), (x, low + 16, 100, 14)),
        Row("check", "dns_srv", "DNS SRV", (x + 104, low + 18, 50, 8), checks["dns_srv"]),
        Row(
            "checkright",
            "stun_enabled",
            caption("stun_enabled", pack),
            (7, low + 36, x - 16, 8),
            checks["stun_enabled"],
        ),
        Row("edit", "stun_server", str(fields["stun_server"]), (x, low + 34, 127, 14)),
    ]
    c = 416 if wide else 376
    rows += [Row("checkright", "call_recording", caption("call_recording", pack), (c - 100, 27, 91, 8), checks["call_recording"]),
             Row("edit", "_", rng.choice(["", "C:\\Users\\User\\Desktop\\Recordings"]), (c, 24, 122, 14)),
             Row("button", "_", "...", (c + 123, 24, 13, 14))]  # fmt: skip
    for number, (name, value) in enumerate((("dtmf_method", "Auto"), ("auto_answer", "No"), ("deny_incoming", "No"),
                                            ("directory_of_users", ""), ("default_list_action", "Call"))):  # fmt: skip
        y = 58 + 15 * number
        rows += [Row("label", name, caption(name, pack), (c - 100, y, 91, 8)),
                 Row("combo" if value else "edit", "_", value, (c, y - 2, 115, 13)), Row("link", "help", "?", (c + 160, y, 7, 8))]  # fmt: skip
    for number, (one, two) in enumerate((("handle_media_buttons", "headset_support"), ("sound_events", "enable_log_file"),
                                         ("bring_to_front", "enable_local_account"), ("random_popup", "multi_monitor"),
                                         ("call_waiting", "disable_messaging"))):  # fmt: skip
        down_to = 144 + 11.5 * number
        rows += [Row("check", one, caption(one, pack)[:34], (c - 86, down_to, 125, 10), rng.random() < 0.5),
                 Row("check", two, caption(two, pack), (c + 49, down_to, 135, 10), rng.random() < 0.5)]  # fmt: skip
    rows += [Row("label", "check_for_updates", caption("check_for_updates", pack), (c - 100, 208, 91, 8)),
             Row("combo", "_", {"en": "Weekly", "uz": "Haftalik"}.get(pack, "Раз в неделю"), (c, 206, 127, 13))]  # fmt: skip
    height = {"3.19": 333, "3.20": 346, "3.21": 356, "3.22": 369}.get(version, 360) - (0 if video else 61)
    save = height - 20
    width = 600 if wide else 550
    rows += [Row("button", "_", {"uz": "Saqlash", "en": "Save"}.get(pack, "Сохранить"), (width - 152, save, 70, 14), True),
             Row("button", "_", {"uz": "Bekor qilish", "en": "Cancel"}.get(pack, "Отмена"), (width - 77, save, 70, 14))]  # fmt: skip
    return Drawn("settings", pack, (width, height), rows, fields, checks, False, "settings", version)
