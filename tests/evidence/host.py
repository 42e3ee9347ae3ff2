"""What ss, ufw, iptables and nft print on the PBX's host."""

from __future__ import annotations

from tests.evidence.scene import Scene

_UFW_CHAINS = (
    "before-logging-input",
    "before-input",
    "after-input",
    "after-logging-input",
    "reject-input",
    "track-input",
)


def sockets(scene: Scene, address: str | None = "0.0.0.0", owner: str = "node /root/pbx-s", waiting: int = 0) -> str:
    """`ss`; address None: nothing on udp/5060."""
    pid = scene.chance.randrange(800, 40000)
    first = scene.chance.choice(("127.0.0.53%lo:53", "127.0.0.54:53"))
    rows = [(first, 0, f'users:(("systemd-resolve",pid={pid - 300},fd=13))')]
    if address:
        rows.append((f"{address}:5060", waiting, f'users:(("{owner}",pid={pid},fd=21))'))
        if owner.startswith("node"):
            rows.append(("0.0.0.0:5061", 0, f'users:(("{owner}",pid={pid},fd=22))'))
    style = scene.chance.choice(("ss", "grep", "netstat"))
    if style == "netstat":
        lines = [
            "Active Internet connections (only servers)",
            "Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name",
        ]
        for local, queue, users in rows:
            name = users.split('"')[1]
            number = users.split("pid=")[1].split(",")[0]
            lines.append(f"udp {queue:>8} {0:>6} {local:<23} 0.0.0.0:*                           {number}/{name[:15]}")
        return "root@pbx:~# netstat -ulnp\n" + "\n".join(lines) + "\nroot@pbx:~#\n"
    lines = [f"UNCONN {queue:<6} 0      {local:>20}      0.0.0.0:*    {users}" for local, queue, users in rows]
    if style == "grep":
        return (
            "root@pbx:~# ss -ulnp | grep 5060\n"
            + "".join(f"{line}\n" for line in lines if ":5060" in line)
            + "root@pbx:~#\n"
        )
    header = "State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess"
    return f"root@pbx:~# ss -ulnp\n{header}\n" + "\n".join(lines) + "\nroot@pbx:~#\n"


def ufw(scene: Scene, allows: str | None = "5060/udp", *, active: bool = True) -> str:
    """`ufw status verbose`; `allows`: what stands in the line for SIP, None: no such line."""
    if not active:
        return "Status: inactive\n"
    places = ["22/tcp", "80,443/tcp", *([allows] if allows else []), "10000:20000/udp"]
    rows = [f"{place:<26} ALLOW IN    Anywhere" for place in places]
    rows += [f"{place + ' (v6)':<26} ALLOW IN    Anywhere (v6)" for place in places]
    head = "Status: active\nLogging: on (low)\nDefault: deny (incoming), allow (outgoing), disabled (routed)\n"
    head += "New profiles: skip\n\n"
    table = "To                         Action      From\n--                         ------      ----\n" + "\n".join(
        rows
    )
    return f"root@pbx:~# ufw status verbose\n{head}{table}\n\n" if scene.chance.random() < 0.6 else f"{head}{table}\n\n"


def _ufw_rules(ports: list[str]) -> list[str]:
    """The heart of ufw's chains as `iptables -S` prints them."""
    chains = [f"ufw-{name}" for name in _UFW_CHAINS] + ["ufw-user-input", "ufw-not-local", "ufw-skip-to-policy-input"]
    rules = [f"-N {chain}" for chain in chains]
    rules += [f"-A INPUT -j ufw-{name}" for name in _UFW_CHAINS]
    rules += [
        "-A ufw-after-input -p udp -m udp --dport 137 -j ufw-skip-to-policy-input",
        "-A ufw-after-input -m addrtype --dst-type BROADCAST -j ufw-skip-to-policy-input",
        '-A ufw-after-logging-input -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "',
        "-A ufw-before-input -i lo -j ACCEPT",
        "-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A ufw-before-input -m conntrack --ctstate INVALID -j DROP",
        "-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT",
        "-A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT",
        "-A ufw-before-input -j ufw-not-local",
        "-A ufw-before-input -d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT",
        "-A ufw-before-input -j ufw-user-input",
        "-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN",
        "-A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN",
        "-A ufw-not-local -m addrtype --dst-type BROADCAST -j RETURN",
        "-A ufw-not-local -j DROP",
        "-A ufw-skip-to-policy-input -j DROP",
    ]
    for port in ports:
        number, _, proto = port.partition("/")
        several = "-m multiport --dports" if "," in number or ":" in number else f"-m {proto} --dport"
        rules.append(f"-A ufw-user-input -p {proto} {several} {number} -j ACCEPT")
    return rules


def iptables(
    scene: Scene, rules: tuple[str, ...] = (), *, ufw_allows: str | None = None, ufw_active: bool = False
) -> str:
    """`iptables -S`. `rules` stand before everything else."""
    policy = "DROP" if ufw_active else "ACCEPT"
    lines = [f"-P INPUT {policy}", "-P FORWARD ACCEPT", "-P OUTPUT ACCEPT"]
    if scene.banned:
        lines += ["-N f2b-sshd", "-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd"]
    lines += [rule for rule in rules if rule.startswith("-N")] + [rule for rule in rules if not rule.startswith("-N")]
    if ufw_active:
        lines += _ufw_rules(["22/tcp", "80,443/tcp", *([ufw_allows] if ufw_allows else []), "10000:20000/udp"])
    lines += [f"-A f2b-sshd -s {address}/32 -j REJECT --reject-with icmp-port-unreachable" for address in scene.banned]
    lines += ["-A f2b-sshd -j RETURN"] if scene.banned else []
    return (
        f"root@pbx:~# iptables -S\n{_sorted(lines)}\nroot@pbx:~#\n"
        if scene.chance.random() < 0.7
        else _sorted(lines) + "\n"
    )


def _sorted(lines: list[str]) -> str:
    """Policies, then chains, then rules, as iptables prints them."""
    return "\n".join(sorted(lines, key=lambda line: "PNA".index(line[1])))


def nft(
    scene: Scene, rules: tuple[str, ...] = (), *, native: str = "", output: tuple[str, ...] = (), chains: str = ""
) -> str:
    """`nft list ruleset`: what iptables set up, and a table of nft's own."""
    body = [f"\t\t{rule}" for rule in rules]
    text = ""
    if rules or output or scene.banned:
        if scene.banned:
            body.insert(0, "\t\tmeta l4proto tcp tcp dport 22 counter packets 912 bytes 54720 jump f2b-sshd")
        text += (
            "# Warning: table ip filter is managed by iptables-nft, do not touch!\ntable ip filter {\n\tchain INPUT {\n"
        )
        text += (
            "\t\ttype filter hook input priority filter; policy accept;\n"
            + "".join(f"{line}\n" for line in body)
            + "\t}\n"
        )
        if output:
            text += "\n\tchain OUTPUT {\n\t\ttype filter hook output priority filter; policy accept;\n"
            text += "".join(f"\t\t{rule}\n" for rule in output) + "\t}\n"
        if scene.banned:
            text += (
                "\n\tchain f2b-sshd {\n"
                + "".join(f"\t\tip saddr {address} counter packets 41 bytes 2460 reject\n" for address in scene.banned)
                + "\t\tcounter packets 830 bytes 49800 return\n\t}\n"
            )
        text += f"{chains}}}\n"
    text += native
    return f"root@pbx:~# nft list ruleset\n{text}root@pbx:~#\n"
