# ruff: noqa: E501 - markup and table rows read best unbroken
"""Terminal windows with nslookup and ping drawn as HTML, with the truth of every command."""

from __future__ import annotations

import html
import random
from collections.abc import Callable
from typing import Any

from PIL import Image

from benchmarks import screen_degrade as degrade

Shoot = Callable[[str, tuple[int, int], bool, bool], Image.Image]
IPS = ("69.62.127.9", "69.62.127.9", "69.62.127.9", "185.137.152.229", "127.0.0.1", "10.10.34.36")
HOSTS = ("call.soundz.uz", "call.soundz.uz", "call.soundz.uz", "call.sounds.uz", "call.soundz.us")


def _nslookup(rng: random.Random, lang: str) -> tuple[list[str], dict[str, Any]]:
    host, dns = rng.choice(HOSTS), rng.choice(["192.168.1.1", "8.8.8.8", "10.10.0.1", "1.1.1.1", "192.168.100.1"])
    name = {"8.8.8.8": "dns.google", "1.1.1.1": "one.one.one.one"}.get(dns, rng.choice(["UnKnown", "router.lan"]))
    ru = lang == "ru"
    server = "╤хЁтхЁ" if ru and rng.random() < 0.3 else ("Сервер" if ru else "Server")
    lines = [f"{server}:  {name}", f"Address:  {dns}", ""]
    status = rng.choice(["resolved", "resolved", "nxdomain", "timeout", "servfail"])
    addresses = []
    if status == "resolved":
        addresses = [rng.choice(IPS)]
        answer = "Не заслуживающий доверия ответ:" if ru else "Non-authoritative answer:"
        lines += [answer, f"{'Имя' if ru else 'Name'}:     {host}", f"Address:  {addresses[0]}", ""]
    elif status == "nxdomain":
        lines += [
            f"*** {name} {'не удалось найти' if ru else chr(99) + 'an' + chr(39) + 't find'} {host}: Non-existent domain",
            "",
        ]
    elif status == "servfail":
        lines += [f"*** {name} {'не удалось найти' if ru else 'can' + chr(39) + 't find'} {host}: Server failed", ""]
    else:
        wait = ["DNS request timed out.", "    timeout was 2 seconds."]
        lines = [*wait, f"{server}:  UnKnown", f"Address:  {dns}", "", *wait, *wait,
                 "*** Превышено время ожидания запроса UnKnown" if ru else "*** Request to UnKnown timed-out", ""]  # fmt: skip
    return [f"nslookup {host}", *lines], {
        "command": "nslookup",
        "host": host,
        "dns_server": dns,
        "status": status,
        "addresses": addresses,
    }


def _ping(rng: random.Random, lang: str) -> tuple[list[str], dict[str, Any]]:
    ip, ru = rng.choice(IPS), lang == "ru"
    host = rng.choice([*HOSTS, ip])
    truth: dict[str, Any] = {"command": "ping", "host": host, "ip": ip, "sent": 4}
    if host != ip and rng.random() < 0.15:
        text = (f"При проверке связи не удалось обнаружить узел {host}.\nПроверьте имя узла и повторите попытку." if ru else
                f"Ping request could not find host {host}. Please check the name and try again.")  # fmt: skip
        return [f"ping {host}", *text.split("\n"), ""], {
            "command": "ping",
            "host": host,
            "status": "unknown_host",
            "ip": None,
        }
    shown = ip if host == ip else f"{host} [{ip}]"
    lines = ["", f"Обмен пакетами с {shown} с 32 байтами данных:" if ru else f"Pinging {shown} with 32 bytes of data:"]
    times = []
    status = rng.choice(["ok", "ok", "loss", "no_reply", "unreachable"])
    for number in range(4):
        if status == "unreachable":
            lines.append(
                "Ответ от 192.168.1.5: Заданный узел недоступен."
                if ru
                else "Reply from 192.168.1.5: Destination host unreachable."
            )
        elif status == "no_reply" or (status == "loss" and number in (1, 3)):
            lines.append("Превышен интервал ожидания для запроса." if ru else "Request timed out.")
        else:
            times.append(rng.randint(2, 190))
            lines.append(
                f"Ответ от {ip}: число байт=32 время={times[-1]}мс TTL={54}"
                if ru
                else f"Reply from {ip}: bytes=32 time={times[-1]}ms TTL={54}"
            )
    received = 4 if status == "unreachable" else len(times)
    lost = 4 - received
    average = sum(times) // len(times) if times else None
    if ru:
        lines += [
            "",
            f"Статистика Ping для {ip}:",
            f"    Пакетов: отправлено = 4, получено = {received}, потеряно = {lost}",
            f"    ({lost * 25}% потерь)",
        ]
    else:
        lines += [
            "",
            f"Ping statistics for {ip}:",
            f"    Packets: Sent = 4, Received = {received}, Lost = {lost} ({lost * 25}% loss),",
        ]
    if times:
        low, high = min(times), max(times)
        lines += (["Приблизительное время приема-передачи в мс:", f"    Минимальное = {low}мсек, Максимальное = {high} мсек, Среднее = {average} мсек"] if ru else
                  ["Approximate round trip times in milli-seconds:", f"    Minimum = {low}ms, Maximum = {high}ms, Average = {average}ms"])  # fmt: skip
    truth |= {"status": status, "received": received, "lost": lost, "loss_percent": lost * 25, "avg_ms": average}
    return [f"ping {host}", *lines, ""], truth


def draw(rng: random.Random, shoot: Shoot) -> tuple[Image.Image, dict[str, Any]]:
    """A terminal's picture, degraded, and its truth."""
    lang = rng.choice(["en", "ru"])
    prompt = f"C:\\Users\\{rng.choice(['PC', 'Aziz', 'user', 'Администратор' if lang == 'ru' else 'User'])}>"
    text: list[str] = []
    if rng.random() < 0.4:
        text = ["Microsoft Windows [Version 10.0.19045.3481]", "(c) Корпорация Майкрософт (Microsoft Corporation). Все права защищены."
                if lang == "ru" else "(c) Microsoft Corporation. All rights reserved.", ""]  # fmt: skip
    commands = []
    for make in rng.sample([_nslookup, _ping], rng.choice([1, 1, 2])):
        lines, truth = make(rng, lang)
        text += [prompt + lines[0], *lines[1:]]
        commands.append(truth)
    text.append(prompt)
    scale = rng.choice([1, 1.25, 1.5])
    font = rng.choice(["Liberation Mono", "DejaVu Sans Mono", "JetBrains Mono", "Hack", "Cousine"])
    ink, paper = rng.choice(
        [("#ccc", "#0c0c0c"), ("#c0c0c0", "#000"), ("#eee", "#012456"), ("#ddd", "#1e1e2a"), ("#222", "#fff")]
    )
    px = 16 * scale
    size = (
        int(max(70, *map(len, text)) * px * 0.61 + 40),
        int((len(text) + rng.randint(1, 8)) * px * 1.2 + 34 * scale),
    )
    body = html.escape("\n".join(text))
    page = (f'<div style="position:relative;width:{size[0]}px;height:{size[1]}px;background:{paper};border:1px solid #555;box-sizing:border-box">'
            f'<div style="background:#fff;color:#000;font:{12 * scale}px Open Sans;height:{30 * scale}px;line-height:{30 * scale}px;padding-left:10px">▪ '
            f'{"Командная строка" if lang == "ru" else "Command Prompt"}<span style="float:right">— ☐ ✕ &nbsp;</span></div>'
            f"<pre style=\"margin:0;padding:3px 5px;color:{ink};font:{px}px '{font}';line-height:1.17\">{body}</pre></div>")  # fmt: skip
    image = shoot(page, size, True, False)
    truth = {"dialog": "terminal", "lang": lang, "fields": {}, "checks": {}, "boxes": {}, "text": "\n".join(text), "commands": commands,
             "category": "terminal", "font": font, "scale": scale}  # fmt: skip
    degradation = rng.choice(["clean", "tg", "tg", "desktop", "photo1", "photo2"])
    truth["degradation"] = degradation
    if degradation == "desktop":
        image = degrade.desktop(rng, image, truth)
    if degradation in ("tg", "desktop"):
        image = degrade.telegram(image, truth)
    if degradation.startswith("photo"):
        image = degrade.photo(rng, image, truth, int(degradation[-1]))
    truth["size"] = list(image.size)
    return image, truth
