"""A real PJSIP client, MicroSIP's stack, as a process: registers once and prints how it ended.

    python -m tests.phone --server call.soundz.uz --user 1002 --password secret --log phone.log
    {"code": 200, "reason": "OK", "seconds": 0.05, "active": true, "account": "sip:1002@call.soundz.uz"}

`--log` writes PJSIP's log of level 5: what MicroSIP keeps in its own log file. Needs the wheel `pjsua2-python`.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from typing import Any

WHY_NOT = None if find_spec("pjsua2") else "not installed: pjsua2-python"
pj: Any = None if WHY_NOT else import_module("pjsua2")  # the wheel has no types
LONGEST_S = 45.0  # PJSIP itself gives up after 32 s


def main(words: list[str]) -> None:
    """Registers, waits for the first outcome, holds the registration if asked, prints one line of JSON."""
    ask = argparse.ArgumentParser()
    ask.add_argument("--server", required=True, help="what stands in the SIP server field")
    ask.add_argument("--user", required=True)
    ask.add_argument("--password", default="")
    ask.add_argument("--login", help="where it differs from --user")
    ask.add_argument("--transport", choices=("udp", "tcp"), default="udp")
    ask.add_argument("--proxy")
    ask.add_argument("--log")
    ask.add_argument("--hold", type=float, default=0, help="seconds to stay registered")
    ask.add_argument("--unregister", action="store_true", help="take the registration back at the end")
    ask.add_argument("--limit", type=float, default=LONGEST_S)
    _register(ask.parse_args(words))


def _register(asked: argparse.Namespace) -> None:
    began = time.monotonic()
    outcome: dict[str, Any] = {}
    signed_off: list[int] = []  # the code of the answer

    class Account(pj.Account):  # type: ignore[misc]
        def onRegState(self, prm: Any) -> None:  # noqa: N802 - PJSIP's name
            if outcome:
                signed_off.append(prm.code)
            else:
                seconds = round(time.monotonic() - began, 2)
                active = bool(self.getInfo().regIsActive)
                outcome.update(code=prm.code, reason=prm.reason, seconds=seconds, active=active)

    endpoint = pj.Endpoint()
    endpoint.libCreate()
    endpoint.libInit(_endpoint(asked))
    tcp = asked.transport == "tcp"
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP if tcp else pj.PJSIP_TRANSPORT_UDP, pj.TransportConfig())
    endpoint.audDevManager().setNullDev()
    endpoint.libStart()
    account = Account()
    began = time.monotonic()
    account.create(_account(asked, ";transport=tcp" if tcp else ""))
    while not outcome and time.monotonic() - began < asked.limit:
        endpoint.libHandleEvents(20)
    held = time.monotonic() + (asked.hold if outcome.get("active") else 0)
    while time.monotonic() < held:
        endpoint.libHandleEvents(20)
    if asked.unregister and outcome.get("active"):
        account.setRegistration(False)
        ending = time.monotonic() + 2
        while not signed_off and time.monotonic() < ending:
            endpoint.libHandleEvents(20)
    print(json.dumps(outcome | {"account": f"sip:{asked.user}@{asked.server}"}), flush=True)
    ctypes.CDLL(None).fflush(None)
    os._exit(0)  # PJSIP's own end would write a second outcome, 503, into its log


def _endpoint(asked: argparse.Namespace) -> Any:
    config = pj.EpConfig()
    config.uaConfig.userAgent = "MicroSIP/3.21.6"
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.logConfig.level = 5
    config.logConfig.consoleLevel = 0
    config.logConfig.msgLogging = 1
    config.logConfig.filename = asked.log or os.devnull
    return config


def _account(asked: argparse.Namespace, suffix: str) -> Any:
    config = pj.AccountConfig()
    config.idUri = f"<sip:{asked.user}@{asked.server}>"
    config.regConfig.registrarUri = f"sip:{asked.server}{suffix}"
    config.regConfig.timeoutSec = 300
    if asked.proxy:
        config.sipConfig.proxies.append(f"<sip:{asked.proxy};lr{suffix}>")
    login = asked.login or asked.user
    config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", login, 0, asked.password))
    config.natConfig.iceEnabled = False
    return config


if __name__ == "__main__":
    main(sys.argv[1:])
