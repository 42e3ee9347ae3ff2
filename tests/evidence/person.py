"""What nslookup and ping print on the user's PC."""

from __future__ import annotations

from tests.evidence.scene import ADDRESS, NAME, Scene


def nslookup(scene: Scene, outcome: str, address: str = ADDRESS, name: str = NAME) -> str:
    """`outcome`: ok | sloppy (a good A, NXDOMAIN for AAAA) | nxdomain | timeout | refused."""
    style = "bind" if outcome == "sloppy" else scene.chance.choice(("windows", "windows", "windows", "bind"))
    return _bind(scene, outcome, address, name) if style == "bind" else _windows(scene, outcome, address, name)


def _windows(scene: Scene, outcome: str, address: str, name: str) -> str:
    russian = scene.language == "ru"
    server = scene.chance.choice(("UnKnown", "UnKnown", "router.lan", "my.router"))
    head = f"{'╤хЁтхЁ' if russian and scene.chance.random() < 0.3 else 'Сервер' if russian else 'Server'}:  {server}\n"
    head += f"Address:  {scene.router}\n\n"
    waited = "DNS request timed out.\n    timeout was 2 seconds.\n"
    prompt = f"C:\\Users\\{scene.chance.choice(('User', 'Sardor', 'admin'))}>"
    if outcome == "ok":
        said = "Не заслуживающий доверия ответ:\nИмя:     " if russian else "Non-authoritative answer:\nName:    "
        body = f"{head}{said}{name}\nAddress:  {address}\n"
    elif outcome == "nxdomain":
        said = "не удалось найти" if russian else "can't find"
        body = f"{head}*** {server} {said} {name}: Non-existent domain\n"
    elif outcome == "refused":
        said = "не удалось найти" if russian else "can't find"
        body = f"{head}*** {server} {said} {name}: Query refused\n"
    else:
        said = f"Превышено время ожидания запроса {server}" if russian else f"Request to {server} timed-out"
        body = f"{waited}{head}{waited}{waited}*** {said}\n"
    return f"{prompt}nslookup {name}\n{body}\n{prompt}" if scene.chance.random() < 0.7 else body


def _bind(scene: Scene, outcome: str, address: str, name: str) -> str:
    head = f"Server:\t\t{scene.router}\nAddress:\t{scene.router}#53\n\n"
    answer = f"Name:\t{name}\nAddress: {address}\n"
    if outcome == "ok":
        body = f"{head}Non-authoritative answer:\n{answer}"
    elif outcome == "sloppy":
        body = f"{head}{answer}** server can't find {name}: NXDOMAIN\n"
    elif outcome == "nxdomain":
        body = f"{head}** server can't find {name}: NXDOMAIN\n"
    elif outcome == "refused":
        body = (
            f";; communications error to {scene.router}#53: connection refused\n" * 3
            + ";; no servers could be reached\n"
        )
    else:
        body = f";; communications error to {scene.router}#53: timed out\n" * 3 + ";; no servers could be reached\n"
    return f"user@pc:~$ nslookup {name}\n{body}\nuser@pc:~$" if scene.chance.random() < 0.5 else body


def ping(scene: Scene, outcome: str, address: str = ADDRESS, rtt_ms: int = 95, name: str = NAME) -> str:
    """`outcome`: ok | loss (half of the packets) | timeout | unknown."""
    if scene.chance.random() < 0.25:
        return _linux(scene, outcome, address, rtt_ms, name)
    return (
        _russian(scene, outcome, address, rtt_ms, name)
        if scene.language == "ru"
        else _english(scene, outcome, address, rtt_ms, name)
    )


def _replies(scene: Scene, outcome: str, rtt_ms: int) -> list[int | None]:
    times: list[int | None] = [rtt_ms + scene.chance.randrange(6) for _ in range(4)]
    lost = {"ok": 0, "loss": 2, "timeout": 4}[outcome]
    for place in scene.chance.sample(range(4), lost):
        times[place] = None
    return times


def _english(scene: Scene, outcome: str, address: str, rtt_ms: int, name: str) -> str:
    if outcome == "unknown":
        return f"Ping request could not find host {name}. Please check the name and try again.\n"
    times = _replies(scene, outcome, rtt_ms)
    lines = [f"Reply from {address}: bytes=32 time={t}ms TTL=49" if t else "Request timed out." for t in times]
    came = [t for t in times if t]
    lost = 4 - len(came)
    text = f"\nPinging {name} [{address}] with 32 bytes of data:\n" + "\n".join(lines)
    text += f"\n\nPing statistics for {address}:\n    Packets: Sent = 4, Received = {len(came)}, Lost = {lost} "
    text += f"({lost * 25}% loss),\n"
    if came:
        text += "Approximate round trip times in milli-seconds:\n    "
        text += f"Minimum = {min(came)}ms, Maximum = {max(came)}ms, Average = {sum(came) // len(came)}ms\n"
    return text


def _russian(scene: Scene, outcome: str, address: str, rtt_ms: int, name: str) -> str:
    if outcome == "unknown":
        return f"При проверке связи не удалось обнаружить узел {name}.\nПроверьте имя узла и повторите попытку.\n"
    times = _replies(scene, outcome, rtt_ms)
    late = "Превышен интервал ожидания для запроса."
    lines = [f"Ответ от {address}: число байт=32 время={t}мс TTL=49" if t else late for t in times]
    came = [t for t in times if t]
    lost = 4 - len(came)
    text = f"\nОбмен пакетами с {name} [{address}] с 32 байтами данных:\n" + "\n".join(lines)
    text += (
        f"\n\nСтатистика Ping для {address}:\n    Пакетов: отправлено = 4, получено = {len(came)}, потеряно = {lost}\n"
    )
    text += f"    ({lost * 25}% потерь)\n"
    if came:
        text += "Приблизительное время приема-передачи в мс:\n    "
        text += (
            f"Минимальное = {min(came)}мсек, Максимальное = {max(came)} мсек, Среднее = {sum(came) // len(came)} мсек\n"
        )
    return text


def _linux(scene: Scene, outcome: str, address: str, rtt_ms: int, name: str) -> str:
    if outcome == "unknown":
        said = scene.chance.choice(("Name or service not known", "Temporary failure in name resolution"))
        return f"ping: {name}: {said}\n"
    times = _replies(scene, outcome, rtt_ms)
    text = f"PING {name} ({address}) 56(84) bytes of data.\n"
    for number, t in enumerate(times, 1):
        text += f"64 bytes from {address}: icmp_seq={number} ttl=49 time={t} ms\n" if t else ""
    came = [t for t in times if t]
    text += f"\n--- {name} ping statistics ---\n4 packets transmitted, {len(came)} received, "
    text += f"{(4 - len(came)) * 25}% packet loss, time 3007ms\n"
    if came:
        average = sum(came) / len(came)
        text += f"rtt min/avg/max/mdev = {min(came)}.100/{average:.3f}/{max(came)}.900/1.204 ms\n"
    return text
