"""Is the SIP port open on this host: for everybody, by the PBX itself, and does somebody read from it?

The sockets are looked at twice, half a second apart: a queue that only grows means that the process hangs (pm2
still says `online`), a drop counter that rises means that packets come faster than they are read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.checks import pm2, proc_net
from bot.checks.address import literal, pbx_address
from bot.checks.check import NotTested, Probe
from bot.checks.here import require_here
from bot.checks.proc_net import Owner, Socket
from bot.model import Failure, Finding, Tag, Target

BETWEEN_S = 0.5
PM2_WAIT_S = 2.0  # more is not worth it: the pm2 check tells on its own
BUDGET_S = 4.0


async def check(target: Target, probe: Probe) -> tuple[Finding, ...]:
    """SERVER_LISTENS(address) or _LOOPBACK, _TCP_ONLY, SERVER_NOT_LISTENING; beside it what is wrong with it."""
    await require_here(target, probe)
    apps = asyncio.ensure_future(_pm2_apps(target, probe))
    try:
        before = await _look(target.sip_port)
        await asyncio.sleep(BETWEEN_S)
        after = await _look(target.sip_port)
        owners = await asyncio.to_thread(proc_net.owners, [one.inode for one in _reachable(after)])
        probe.note(", ".join(f"{owner.name}[{owner.pid}]" for owner in owners) or "owner not visible")
        foreign = _foreign(owners, await apps)
    finally:
        apps.cancel()
    meant = await _is_meant_for_this_host_only(target, probe)
    return (await _listening(after, target.sip_port, loopback_will_do=meant), *foreign, *_flow(before, after))


async def _is_meant_for_this_host_only(target: Target, probe: Probe) -> bool:
    """A PBX whose own address is a loopback one needs no other socket."""
    try:
        address = literal(await pbx_address(target, probe))
    except NotTested:
        return False
    return address is not None and address.is_loopback


async def _look(port: int) -> tuple[Socket, ...]:
    try:
        return await asyncio.to_thread(proc_net.sockets, "udp", port)
    except OSError as error:
        raise NotTested(Failure.NO_TOOL, f"/proc/net/udp: {error.strerror}") from error


def _reachable(found: Sequence[Socket]) -> tuple[Socket, ...]:
    """The sockets the world can reach, else those it cannot."""
    return tuple(one for one in found if not proc_net.is_loopback(one)) or tuple(found)


async def _listening(found: Sequence[Socket], port: int, *, loopback_will_do: bool) -> Finding:
    if not found:
        tcp = await asyncio.to_thread(proc_net.sockets, "tcp", port)
        listens = any(one.state == proc_net.LISTEN for one in tcp)
        return Finding(Tag.SERVER_LISTENS_TCP_ONLY if listens else Tag.SERVER_NOT_LISTENING)
    # The wildcard first: it is the one that counts.
    one = min(_reachable(found), key=lambda one: not one.address.is_unspecified)
    shut_in = proc_net.is_loopback(one) and not loopback_will_do
    tag = Tag.SERVER_LISTENS_LOOPBACK if shut_in else Tag.SERVER_LISTENS
    return Finding(tag, {"address": proc_net.text(one)})


def _flow(before: Sequence[Socket], after: Sequence[Socket]) -> list[Finding]:
    found = []
    earlier = {one.inode: one for one in before}
    pairs = [(earlier[one.inode], one) for one in after if one.inode in earlier]
    stuck = [now.recv_q_bytes for then, now in pairs if now.recv_q_bytes >= then.recv_q_bytes > 0]
    if stuck:
        found.append(Finding(Tag.SERVER_QUEUE_STUCK, {"recv_q_bytes": max(stuck)}))
    if any(now.drops > then.drops for then, now in pairs):
        found.append(Finding(Tag.SERVER_PACKETS_DROPPED, {"drops": max(now.drops for _, now in pairs)}))
    return found


async def _pm2_apps(target: Target, probe: Probe) -> tuple[pm2.App, ...]:
    """What pm2 says about the PBX; empty when that cannot be known, and then nobody is called foreign."""
    try:
        async with asyncio.timeout(PM2_WAIT_S):
            return await pm2.first_look(target, probe)
    except (NotTested, TimeoutError):
        return ()


def _foreign(owners: Sequence[Owner], apps: Sequence[pm2.App]) -> list[Finding]:
    """SERVER_PORT_OWNER_FOREIGN when none of the owners is the PBX.

    The PBX is pm2's process, its descendants (a wrapper script) or its parent (in cluster mode pm2's daemon
    opens the sockets). Without a living pid in pm2's list only what is plainly not node is foreign.
    """
    if not owners or not apps:
        return []
    pids = {app.pid for app in apps if app.pid and proc_net.lives(app.pid)}
    family = pids | {parent for pid in pids for parent in proc_net.ancestors(pid)[:1]}
    if any(owner.pid in family or pids & set(owner.ancestors) for owner in owners):
        return []
    if not pids and any(one.program in ("", "node", "nodejs") for one in owners):
        return []
    return [Finding(Tag.SERVER_PORT_OWNER_FOREIGN, {"owner": owners[0].name, "pid": owners[0].pid})]
