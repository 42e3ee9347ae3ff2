"""Does every firewall tool's output give the status that the rules of the corpus ask for?"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.model import Context, Finding, Tag
from bot.parsers.firewall import parse
from bot.parsers.page import Page

CONTEXT = Context(expected_ips=frozenset({"69.62.127.9"}))
DATA = Path(__file__).parents[1] / "data" / "firewall"
PASTES = sorted(DATA.glob("*.txt"))


def read(text: str) -> list[tuple[str | None, str]]:
    return [(claim.reading.tool, claim.reading.status) for claim in parse(Page.of(text), CONTEXT)]


def findings(text: str) -> list[Finding]:
    return [finding for claim in parse(Page.of(text), CONTEXT) for finding in claim.reading.findings]


def _paste(path: Path) -> str:
    return path.read_bytes().decode()


@pytest.mark.parametrize("path", PASTES, ids=lambda path: path.stem)
def test_real_output_gives_what_a_packet_showed(path: Path) -> None:
    tool, status = path.stem.rsplit("-", 1)[0], path.stem.rsplit(".", 1)[1]
    assert read(_paste(path)) == [(tool, status)]


@pytest.mark.parametrize("path", PASTES, ids=lambda path: path.stem)
def test_chat_quotes_and_odd_spaces_around_an_output_change_nothing(path: Path) -> None:
    text = _paste(path)
    text = text.replace(" ", "\u00a0") if text.isascii() else text
    quoted = "\r\n".join("> " + line for line in text.splitlines())
    assert read(f"shu chiqdi:\n\n{quoted}\n\nnima qilay?") == read(_paste(path))


NFT = """table inet filter {
  chain input {
    type filter hook input priority PRIORITY; policy accept;
    udp dport < LIMIT accept
    udp dport 5060 counter packets COUNT bytes 5 drop
  }
}
"""
SAVED = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp -m udp --dport 5060 -c COUNT 10 -j DROP\nCOMMIT\n"


@pytest.mark.parametrize("odd", ["²", "5²", "+-5", "--5", "9" * 25])
@pytest.mark.parametrize("blank", ["PRIORITY", "LIMIT", "COUNT"])
def test_what_only_looks_like_a_number_costs_nobody_the_whole_reading(blank: str, odd: str) -> None:
    filled = {"PRIORITY": "0", "LIMIT": "1024", "COUNT": "0", blank: odd}
    pastes = [NFT, SAVED]
    for name, value in filled.items():
        pastes = [paste.replace(name, value) for paste in pastes]
    assert [read(paste) for paste in pastes] == [[("nft", "blocked")], [("iptables", "blocked")]]


FIREWALLD = """public (active)
  target: {target}
  icmp-block-inversion: no
  interfaces: eth0
  sources: 
  services: {services}
  ports: {ports}
  protocols: 
  forward: yes
  masquerade: no
  forward-ports: 
  source-ports: 
  icmp-blocks: 
  rich rules: 
{rich}"""  # noqa: W291 - firewall-cmd prints these spaces


@pytest.mark.parametrize(
    ("target", "services", "ports", "rich", "status"),
    [
        ("default", "cockpit ssh", "5060/udp 10000-20000/udp", "", "open"),
        ("default", "ssh", "5000-6000/udp", "", "open"),
        ("default", "ssh sip", "", "", "open"),
        ("default", "ssh", "5060/tcp", "", "no_rule"),
        ("%%REJECT%%", "ssh", "", "", "no_rule"),
        ("DROP", "ssh", "15060/udp", "", "no_rule"),
        ("ACCEPT", "ssh", "", "", "open"),
        ("default", "ssh", "5060/udp", '\trule family="ipv4" port port="5060" protocol="udp" drop', "blocked"),
        ("default", "ssh", "", '\trule family="ipv4" port port="5060" protocol="udp" accept', "open"),
        ("default", "ssh", "5060/udp", '\trule family="ipv4" source address="1.2.3.4" reject', "open"),
        ("default", "ssh", "5060/udp", '\trule family="ipv6" port port="5060" protocol="udp" drop', "open"),
        ("default", "ssh", "", '\trule service name="sip" accept limit value="5/m"', "no_rule"),
    ],
)
def test_a_zone_is_judged_by_target_services_ports_and_rich_rules(
    target: str, services: str, ports: str, rich: str, status: str
) -> None:
    text = FIREWALLD.format(target=target, services=services, ports=ports, rich=rich)
    assert read(f"[root@alma ~]# firewall-cmd --list-all\n{text}\n[root@alma ~]#") == [("firewalld", status)]
    assert read(text) == [("firewalld", status)]
    assert read(" ".join(text.split())) == [("firewalld", status)]


NETSH = """
{name}:                            SIP UDP
----------------------------------------------------------------------
{enabled}
{direction}
Profiles:                             Domain,Private,Public
Grouping:                             
LocalIP:                              {any}
RemoteIP:                             {remote}
{protocol}:                             {proto}
LocalPort:                            {port}
RemotePort:                           {any}
Edge traversal:                       No
{action}
Ok.
"""  # noqa: W291 - netsh prints these spaces


def netsh(
    *, enabled: str = "Enabled: Yes", direction: str = "Direction: In", remote: str = "Any", proto: str = "UDP",
    port: str = "5060", action: str = "Action: Allow", everything: str = "Any", name: str = "Rule Name",
    protocol: str = "Protocol",
) -> str:  # fmt: skip
    return NETSH.format(
        name=name, enabled=enabled, direction=direction, any=everything, remote=remote, protocol=protocol,
        proto=proto, port=port, action=action,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (netsh(), "open"),
        (netsh(action="Action: Block"), "blocked"),
        (netsh() + netsh(action="Action: Block"), "blocked"),
        (netsh(enabled="Enabled: No"), "no_rule"),
        (netsh(direction="Direction: Out"), "no_rule"),
        (netsh(proto="TCP"), "no_rule"),
        (netsh(port="5061"), "no_rule"),
        (netsh(port="5000-5100"), "open"),
        (netsh(port="Any"), "open"),
        (netsh(proto="Any", port="Any"), "open"),
        (netsh(remote="192.168.1.0/255.255.255.0"), "no_rule"),
        (
            netsh(
                name="Имя правила", enabled="Включено: Да", direction="Направление: Входящие", everything="Любой",
                remote="Любой", protocol="Протокол", action="Действие: Блокировать",
            ),
            "blocked",
        ),
        (
            netsh(
                name="Имя правила", enabled="Включено: Нет", direction="Направление: Входящие", everything="Любой",
                remote="Любой", protocol="Протокол", action="Действие: Разрешить",
            ),
            "no_rule",
        ),
        (
            netsh(
                name="Regelname", enabled="Aktiviert: Ja", direction="Richtung: Ausgehend", everything="Beliebig",
                remote="Beliebig", protocol="Protokoll", action="Aktion: Zulassen",
            ),
            "no_rule",
        ),
        (
            netsh(
                name="Qoida nomi", enabled="Yoqilgan: Ha", direction="Yoʻnalish: Kiruvchi", everything="Istalgan",
                remote="Istalgan", protocol="Protokol", action="Amal: Bloklash",
            ),
            "blocked",
        ),
        ("No rules match the specified criteria.\n", "no_rule"),
        ("Ни одно правило не соответствует указанным критериям.", "no_rule"),
        ("Es stimmen keine Regeln mit den angegebenen Kriterien überein.", "no_rule"),
    ],
)  # fmt: skip
def test_netsh_is_read_by_the_order_of_its_lines(text: str, status: str) -> None:
    assert read(text) == [("netsh", status)]
    assert read(" ".join(text.split())) == [("netsh", status)]


@pytest.mark.parametrize(
    ("text", "tool", "status"),
    [
        ("bash: ufw: command not found", "ufw", "command_missing"),
        ("-bash: /usr/sbin/ufw: No such file or directory", "ufw", "command_missing"),
        ("zsh: command not found: nft", "nft", "command_missing"),
        ("sh: 1: iptables: not found", "iptables", "command_missing"),
        ("sudo: firewall-cmd: command not found", "firewalld", "command_missing"),
        ("bash: nft: команда не найдена", "nft", "command_missing"),
        ("bash: ufw: Kommando nicht gefunden.", "ufw", "command_missing"),
        ("-bash: ufw: buyruq topilmadi", "ufw", "command_missing"),
        ("'ufw' is not recognized as an internal or external command,\noperable program", "ufw", "command_missing"),
        ('"iptables" не является внутренней или внешней\nкомандой', "iptables", "command_missing"),
        ("Command 'ufw' not found, but can be installed with:\napt install ufw", "ufw", "command_missing"),
        ("bash: /usr/sbin/iptables: Permission denied", "iptables", "permission_denied"),
        ("ERROR: You need to be root to run this script", "ufw", "permission_denied"),
        ("ERROR: Vous devez être root pour pouvoir exécuter ce script", "ufw", "permission_denied"),
        ("ERROR: Для запуска этого сценария требуются права администратора", "ufw", "permission_denied"),
        ("Operation not permitted (you must be root)\nnetlink: Error: cache initialization failed: Operation not "
         "permitted", "nft", "permission_denied"),
        ("Fatal: can't open lock file /run/xtables.lock: Permission denied", "iptables", "permission_denied"),
        ("The requested operation requires elevation (Run as administrator).", "netsh", "permission_denied"),
        ("ali@pbx:~$ sudo ufw status\nali is not in the sudoers file.\nali@pbx:~$", "ufw", "permission_denied"),
        ("Authorization failed.\n    Make sure polkit agent is running or run the application as superuser.",
         "firewalld", "permission_denied"),
    ],
)  # fmt: skip
def test_a_missing_or_refused_tool_is_no_finding(text: str, tool: str, status: str) -> None:
    assert (read(text), findings(text)) == ([(tool, status)], [])


@pytest.mark.parametrize(
    "text",
    [
        "Assalomu alaykum, ufw nima degani?",
        "sudo ufw status verbose | grep 5060",
        "root@pbx:~# iptables -L -n",
        "root@pbx:~# ufw allow 5060/udp",
        "sudo iptables -A INPUT -p udp --dport 5060 -j ACCEPT",
        "firewall-cmd --query-port=5060/udp",
        "nft list ruleset",
        "iptables yoki ufw ochilganmi?",
        "5060/udp",
        "Serverda firewall bor, 5060 portni och",
        "netsh advfirewall firewall add rule name=SIP dir=in action=allow protocol=UDP localport=5060",
        "● ufw.service - Uncomplicated firewall\n   Loaded: loaded\n   Active: active (exited)",
        "CONTAINER ID   IMAGE   PORTS\n1f   pbx   0.0.0.0:5060->5060/udp",
    ],
)
def test_words_and_bare_commands_are_no_output(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("command", "tool"),
    [
        ("ufw status | grep 5060", "ufw"),
        ("iptables -L -n | grep 5060", "iptables"),
        ("sudo nft list ruleset | grep 5060", "nft"),
        ("firewall-cmd --list-ports", "firewalld"),
    ],
)
def test_a_command_that_printed_nothing_shows_no_rule(command: str, tool: str) -> None:
    assert read(f"root@pbx:~# {command}\nroot@pbx:~#") == [(tool, "no_rule")]


def test_what_grep_left_out_is_no_finding_but_an_empty_ruleset_is_open() -> None:
    assert findings("root@pbx:~# iptables -S | grep 5060\nroot@pbx:~#") == []
    assert findings("-A INPUT -p tcp -m tcp --dport 5060 -j ACCEPT") == []
    assert read("root@pbx:~# nft list ruleset\nroot@pbx:~#") == [("nft", "open")]


def test_every_output_of_a_paste_is_a_reading() -> None:
    text = (
        "root@pbx:~# ufw status\nStatus: inactive\nroot@pbx:~# iptables -S\n-P INPUT ACCEPT\n"
        "-A INPUT -p udp -m udp --dport 5060 -j DROP\nroot@pbx:~# nft list ruleset | grep 5060\n"
        "\t\tudp dport 5060 counter packets 12 bytes 600 drop\nroot@pbx:~#"
    )
    assert read(text) == [("ufw", "inactive"), ("iptables", "blocked"), ("nft", "blocked")]


@pytest.mark.parametrize(
    ("query", "answer", "status"),
    [
        ("--query-port=5060/udp", "yes", "open"),
        ("--query-port=5060/udp", "no", "no_rule"),
        ("--query-port=5060/tcp", "yes", "no_rule"),
        ("--query-service=sip", "yes", "open"),
        ("--state", "running", "no_rule"),
        ("--state", "not running", "inactive"),
        ("--list-all", "FirewallD is not running", "inactive"),
        ("--list-services", "ssh sip", "open"),
    ],
)
def test_firewalld_answers_are_read_with_their_question(query: str, answer: str, status: str) -> None:
    assert read(f"[root@alma ~]# firewall-cmd {query}\n{answer}\n[root@alma ~]#") == [("firewalld", status)]


def test_fail2ban_names_whom_it_bans() -> None:
    text = (
        "# fail2ban-client status call-soundz\nStatus for the jail: call-soundz\n|- Filter\n"
        "|  |- Currently failed:\t1\n`- Actions\n   |- Currently banned:\t1\n   `- Banned IP list:\t10.99.0.2 5.6.7.8"
    )
    assert (read(text), findings(text)) == (
        [("fail2ban", "bans")],
        [Finding(Tag.SERVER_BANS, {"addresses": ("10.99.0.2", "5.6.7.8")})],
    )
    assert read("[{'call-soundz': ['10.99.0.2']}]") == [("fail2ban", "bans")]


def test_rates_bans_and_blocked_answers_are_findings_of_their_own() -> None:
    text = """*filter
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:f2b-sip - [0:0]
-A INPUT -p udp -m multiport --dports 5060,5061 -j f2b-sip
-A INPUT -p udp -m udp --dport 5060 -m hashlimit --hashlimit-above 1/min --hashlimit-name sip -j DROP
-A OUTPUT -p udp -m udp --sport 5060 -j DROP
-A f2b-sip -s 10.99.0.2/32 -j REJECT --reject-with icmp-port-unreachable
-A f2b-sip -j RETURN
COMMIT
"""
    limit = "-A INPUT -p udp -m udp --dport 5060 -m hashlimit --hashlimit-above 1/min --hashlimit-name sip -j DROP"
    assert findings(text) == [
        Finding(Tag.SERVER_FIREWALL_OPEN),
        Finding(Tag.SERVER_FIREWALL_THROTTLES, {"rule": limit}),
        Finding(Tag.SERVER_FIREWALL_BLOCKS_ANSWERS, {"rule": "-A OUTPUT -p udp -m udp --sport 5060 -j DROP"}),
        Finding(Tag.SERVER_BANS, {"addresses": ("10.99.0.2",)}),
    ]


def test_netsh_speaks_of_the_users_pc() -> None:
    assert findings(netsh(action="Action: Block")) == [Finding(Tag.USER_FIREWALL_BLOCKS)]
    assert findings("No rules match the specified criteria.") == [Finding(Tag.USER_FIREWALL_NO_RULE)]


UFW = "Status: active\n\nTo                         Action      From\n--                         ------      ----\n"
ALLOWED = "5060/udp                   ALLOW       Anywhere\n"


@pytest.mark.parametrize(
    ("rules", "banned"),
    [
        ("Anywhere                   REJECT      94.158.52.31      # by Fail2Ban after 5 attempts\n" + ALLOWED, True),
        ("[ 1] Anywhere                   DENY IN     94.158.52.31\n[ 2] 5060/udp   ALLOW IN    Anywhere\n", True),
        ("5060/udp                   DENY        94.158.52.31\n" + ALLOWED, True),
        ("5060                       REJECT IN   94.158.52.31               (log)\n" + ALLOWED, True),
        ("22/tcp                     DENY        94.158.52.31\n" + ALLOWED, False),
        ("Anywhere                   DENY OUT    94.158.52.31\n" + ALLOWED, False),
        ("Anywhere                   ALLOW       94.158.52.31\n" + ALLOWED, False),
        (ALLOWED + "Anywhere                   REJECT      94.158.52.31\n", False),  # never reached
    ],
)
def test_an_address_that_ufw_keeps_from_the_sip_port_is_a_ban(rules: str, banned: bool) -> None:
    (claim,) = parse(Page.of(UFW + rules), CONTEXT)
    found = [one.args["addresses"] for one in claim.reading.findings if one.tag is Tag.SERVER_BANS]
    assert (claim.reading.status, found) == ("open", [("94.158.52.31",)] if banned else [])


@pytest.mark.parametrize(
    ("rule", "banned"),
    [
        ("-A ufw-user-input -s 94.158.52.31/32 -j REJECT --reject-with icmp-port-unreachable", True),
        ("-A ufw-user-input -s 94.158.52.31/32 -p udp -m udp --dport 5060 -j DROP", True),
        ("-A ufw-user-input -s 94.158.52.31/32 -p tcp -m tcp --dport 22 -j DROP", False),
    ],
)
def test_ufws_rules_as_iptables_prints_them_tell_the_same(rule: str, banned: bool) -> None:
    allow = "-A ufw-user-input -p udp -m udp --dport 5060 -j ACCEPT"
    text = f"-P INPUT DROP\n-N ufw-user-input\n-A INPUT -j ufw-user-input\n{rule}\n{allow}\n"
    (claim,) = parse(Page.of(text), CONTEXT)
    found = [one.args["addresses"] for one in claim.reading.findings if one.tag is Tag.SERVER_BANS]
    assert found == ([("94.158.52.31",)] if banned else [])


@pytest.mark.parametrize(
    ("rule", "banned"),
    [
        ("ip saddr 94.158.52.31 counter drop", True),
        ("ip saddr 94.158.52.31 udp dport 5060 reject", True),
        ("ip saddr 94.158.52.31 tcp dport 22 drop", False),
    ],
)
def test_nft_bans_by_rule_count_where_they_concern_sip(rule: str, banned: bool) -> None:
    head = "table inet filter {\n chain input {\n  type filter hook input priority 0; policy accept;\n"
    text = f"{head}  {rule}\n }}\n}}\n"
    (claim,) = parse(Page.of(text), CONTEXT)
    found = [one.args["addresses"] for one in claim.reading.findings if one.tag is Tag.SERVER_BANS]
    assert (claim.reading.status, found) == ("open", [("94.158.52.31",)] if banned else [])
