"""The questions the bot puts to the network and the PBX's host, in the order their answers are shown."""

from __future__ import annotations

from bot.checks import api, dns, extension, firewall, last_seen, outside, pbx_log, ping, pm2, sip_options, sockets
from bot.checks.check import Check, NotTested, Probe

__all__ = ["CHECKS", "EVERY", "QUICK", "Check", "NotTested", "Probe"]

PBX = ("host", "probe_host", "expected_ips", "sip_port")  # where it is probed
HERE = ("on_this_host", "expected_ips", "probe_host")  # what decides whether the PBX runs on this host

CHECKS: tuple[Check, ...] = (
    Check("dns", dns.check, ("host", "expected_ips", "dns_servers")),
    Check("ping", ping.check, PBX),
    Check("sip", sip_options.check, PBX),
    Check("sip_loopback", sip_options.check_loopback, ("host", "sip_port", *HERE), budget_s=2.5),
    Check("extension", extension.check, (*PBX, "extension"), needs="extension"),
    Check("sockets", sockets.check, ("sip_port", "pm2_name", *HERE), budget_s=sockets.BUDGET_S),
    Check("firewall", firewall.check, ("sip_port", "user_ip", *HERE), budget_s=firewall.BUDGET_S),
    Check("pm2", pm2.check, ("pm2_name", *HERE), budget_s=pm2.BUDGET_S),
    Check("pbx_log", pbx_log.check, ("log_files", "host", "sip_port", "extension", *HERE)),
    Check(
        "last_seen",
        last_seen.check,
        ("log_files", "host", "sip_port", "extension", *HERE),
        needs="extension",
        budget_s=firewall.BUDGET_S,
    ),
    Check("api", api.check, ("api_url", "api_user", "api_password", "extension"), needs="api_url"),
    Check(
        "outside",
        outside.check,
        ("outside_url", "host", "expected_ips"),
        needs="outside_url",
        budget_s=outside.BUDGET_S,
        slow=True,
        keep_s=outside.KEEP_S,
    ),
)
EVERY = tuple(check.name for check in CHECKS)
QUICK = tuple(check.name for check in CHECKS if not check.slow)  # those somebody may wait for
