"""Was a firewall tool missing or refused? Shells, systems and languages differ, the shape is the same.

-bash: firewall-cmd: command not found
iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)
ERROR: You need to be root to run this script
"""

from __future__ import annotations

import re

from bot.parsers.firewall_rules import COMMAND_MISSING, PERMISSION_DENIED
from bot.parsers.firewall_ruling import Ruling

_NAME = (
    r"ufw|ip6?tables(?:-save|-legacy|-nft|-legacy-save|-nft-save)?|xtables-nft-multi|nft|firewall-cmd|netsh|"
    r"fail2ban-client"
)
_TOOL = re.compile(rf"(?<![\w.-])(?:/[\w/.-]{{1,40}}/)?(?P<tool>{_NAME})(?:\.exe)?(?![\w-])", re.I)
_SHELL = re.compile(  # a shell that complains: 'bash: ufw: …', 'sudo: ufw: …', 'sh: 1: ufw: …', 'zsh: …: ufw'
    rf"(?<![\w.-])-?(?:bash|sh|dash|ash|zsh|ksh|fish|su|sudo|doas|env|time)(?:: (?:line |строка )?\d{{1,4}})?: "
    rf"(?:[^\n:]{{1,60}}: )?(?:/[\w/.-]{{1,40}}/)?(?P<tool>{_NAME})(?::|$|[ \t]*(?=\n))",
    re.I,
)
_MISSING = re.compile(
    r"not found|not recogni[sz]ed|No such file or directory|unknown command|is not installed|isn't installed|"
    r"не найден|не знайден|не является|не распознан|нет такого файла|немає такого файлу|"
    r"nicht gefunden|nicht erkannt|falsch geschrieben|Datei oder Verzeichnis nicht|"
    r"introuvable|n.est pas reconnu|Aucun fichier|no se encontr|no encontrad|no se reconoce|no se ha encontrado|"
    r"No existe el (?:archivo|fichero)|não encontrad|nao encontrad|não foi encontrad|não é reconhecid|"
    r"non trovat|non è riconosciut|nie znalezion|nie jest rozpoznawan|nenalezen|není názvem|"
    r"bulunamad|komut yok|tanınmıyor|olarak tanınm|topilmadi|mavjud emas|o'rnatilmagan|табылмады|топилмади|"
    r"未找到|找不到|不是内部|没有那个文件|見つかりません|認識されていません|찾을 수 없|không tìm thấy|"
    r"hittades inte|ikke fundet|ikke funnet|niet gevonden|negăsit|nu a fost găsit|nem található|δεν βρέθηκε|ei löydy",
    re.I,
)
_REFUSED = re.compile(
    r"must be root|need to be root|be run as root|are you root|[Pp]ermission denied|[Oo]peration not permitted|"
    r"Authorization failed|[Nn]ot authori[sz]ed|requires elevation|[Aa]ccess (?:is )?denied|"
    r"is not in the sudoers|may not run sudo|incorrect password attempt|a password is required|a terminal is required|"
    r"Отказано в доступе|отказано в доступе|Операция не (?:позволена|разрешена)|требует повышения|нужны права root|"
    r"Keine Berechtigung|Zugriff verweigert|Die Operation ist nicht erlaubt|erfordert erhöhte Rechte|"
    r"Permission non accordée|Accès refusé|requiert une élévation|nécessite une élévation|Opération non permise|"
    r"Permiso denegado|Acceso denegado|requiere elevación|Operación no permitida|"
    r"Permissão negada|Acesso negado|requer elevação|Operação não permitida|Permesso negato|Accesso negato|"
    r"richiede l.elevazione|richiede privilegi|Operazione non permessa|Erişim engellendi|İzin verilmedi|reddedildi|"
    r"yükseltme gerektir|İşleme izin verilmedi|Brak dostępu|Odmowa dostępu|wymaga podniesienia|"
    r"Відмовлено у доступі|потребує підвищення|Доступ заборонено|ruxsat (?:yo'q|berilmagan|etilmagan|rad)|"
    r"huquq(?:i|lar)? (?:yo'q|yetarli emas)|权限不够|拒绝访问|需要提升|不允许的操作|"
    r"アクセスが拒否|管理者特権|権限がありません|許可がありません",
)
# 'You need to be root to run this script' in the languages ufw speaks.
_UFW_REFUSED = re.compile(
    r"ERROR: [^\n]{0,90}(?:\broot\b|root-|Root-|rotbruker|супер-користувач|администратор|адміністратор|administrator|"
    r"alministrador|διαχειριστή|superus|pääkäyttäj|juure |rendszergazdai|uprawnień|skrbnik|root )"
    r"|(?:Для запуска этого сценария требуются права администратора|You need to be root to run this script)"
)
_NFT_REFUSED = re.compile(r"Operation not permitted \(you must be root\)|netlink: Error: cache initialization failed")
_ELEVATION = re.compile(
    r"The requested operation requires elevation|Запрошенная операция требует повышения|"
    r"Der angeforderte Vorgang erfordert erhöhte|L.opération demandée (?:requiert|nécessite) une élévation|"
    r"La operación solicitada requiere elevación|İstenen işlem [^\n]{0,30}yükselt|Запитана операція потребує|"
    r"Żądana operacja wymaga podniesienia|L'operazione richiesta richiede|A operação solicitada requer elevação|"
    r"So'ralgan (?:amal|operatsiya)[^\n]{0,60}|请求的操作需要提升|要求された操作には管理者特権"
)
# Cheap: without one of these no line is a complaint about a tool whose command is not visible.
_MARKS = (
    "ufw", "iptables", "ip6tables", "nft", "firewall-cmd", "netsh", "fail2ban", "error:", "not permitted", "netlink",
    "elevation", "повышени", "підвищен", "erhöht", "élévation", "elevación", "elevação", "elevazione", "yükselt",
    "podniesienia", "operatsiya", "amal", "需要提升", "管理者特権", "not_auth", "authorization", "need to be root",
    "администратора", "xtables",
)  # fmt: skip
_MOST = 64  # lines that are looked at closely
_RULE = re.compile(r"[ \t]*(?:-[APN] |Chain |:\w|\w[\w-]* +(?:all|udp|tcp|icmp|\d+) +--|ufw-[\w-]+ )")
_LONGEST = 600  # characters of a complaint
_FIRST_LINES = 6  # of a visible command's output, where a refusal stands
_QUOTES = frozenset("'\"«»`")  # as a cleaned page has them
_TOOLS = {"nft": "nft", "ufw": "ufw", "netsh": "netsh", "firewall-cmd": "firewalld", "fail2ban-client": "fail2ban"}


def tool_of(command: str | None) -> str | None:
    """The firewall tool a command runs, as readings name it; None for any other."""
    found = _TOOL.search(command or "")
    return _TOOLS.get(found["tool"].lower(), "iptables") if found else None


def read_denied(text: str, command: str | None) -> Ruling | None:
    """PERMISSION_DENIED or COMMAND_MISSING where the text says so of a firewall tool, else None."""
    asked = tool_of(command)
    lower = text.lower()
    present = [mark for mark in _MARKS if mark in lower]
    if not present and not asked:
        return None
    offset = looked = 0
    for number, line in enumerate(text.split("\n")):
        due = (asked and number < _FIRST_LINES) or any(mark in line.lower() for mark in present)
        if due and looked < _MOST and len(line) < _LONGEST and not _RULE.match(line):
            looked += 1
            if said := _said(line, asked):
                return Ruling(said[0], said[1], None, offset, offset + len(line))
        offset += len(line) + 1
    return None


def _said(line: str, asked: str | None) -> tuple[str, str] | None:
    """(tool, status) of one line; `asked`: the tool of the visible command."""
    if shell := _SHELL.search(line):
        refused = _REFUSED.search(line, shell.start())
        return _named(shell["tool"]), PERMISSION_DENIED if refused else COMMAND_MISSING
    if _UFW_REFUSED.search(line):
        return "ufw", PERMISSION_DENIED
    if _NFT_REFUSED.match(line.strip()):
        return asked or "nft", PERMISSION_DENIED
    if _ELEVATION.search(line):
        return asked or "netsh", PERMISSION_DENIED
    tool = _TOOL.search(line)
    if tool and _is_complaint(line, tool):
        if _MISSING.search(line):
            return _named(tool["tool"]), COMMAND_MISSING
        if _REFUSED.search(line):
            return _named(tool["tool"]), PERMISSION_DENIED
    if asked and _REFUSED.search(line):
        return asked, PERMISSION_DENIED
    if "xtables.lock" in line and _REFUSED.search(line):
        return "iptables", PERMISSION_DENIED
    if line.lstrip().startswith(("Authorization failed", "Error: NOT_AUTHORIZED", "NOT_AUTHORIZED")):
        return asked or "firewalld", PERMISSION_DENIED
    return None


def _named(name: str) -> str:
    return _TOOLS.get(name.lower(), "iptables")


def _is_complaint(line: str, tool: re.Match[str]) -> bool:
    """A machine's sentence about the tool, not a person's: it is quoted, or a colon or version follows it."""
    before, after = line[: tool.start()], line[tool.end() :]
    quoted = before[-1:] in _QUOTES and after[:1] in _QUOTES
    begins = not before.strip() and re.match(r"\s?:|\s+v\d|\s+\(v?\d", after) is not None
    return quoted or begins or bool(re.search(r": *$", before)) or "Unknown command" in before
