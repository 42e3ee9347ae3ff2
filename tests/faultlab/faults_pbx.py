"""What goes wrong with the PBX itself."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

from bot.model import Step
from tests.faultlab.fault import fault
from tests.faultlab.lab import Lab, Phone

HOLDS_THE_PORT = """
import socket, time
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.bind(("0.0.0.0", 5060))
print(flush=True)
time.sleep(300)
"""


@fault("stopped", "the PBX is stopped", Step.START_PBX)
def _(lab: Lab) -> Iterator[Phone]:
    lab.pbx.stop()
    yield Phone()
    lab.pbx.restart()
    lab.give_password()


@fault("hung", "the PBX hangs", Step.START_PBX)
def _(lab: Lab) -> Iterator[Phone]:
    pid = lab.pbx.pid
    os.kill(pid, signal.SIGSTOP)
    yield Phone()
    os.kill(pid, signal.SIGCONT)
    lab.pbx.restart()
    lab.give_password()


@fault("loopback", "the PBX is bound to loopback", Step.BIND_ALL_INTERFACES)
def _(lab: Lab) -> Iterator[Phone]:
    lab.pbx.restart(SIP_HOST="127.0.0.1")
    lab.give_password()
    yield Phone()
    lab.pbx.restart(SIP_HOST="0.0.0.0")
    lab.give_password()


@fault("port_taken", "another program holds the port", Step.FREE_PORT)
def _(lab: Lab) -> Iterator[Phone]:
    lab.pbx.stop()
    other = subprocess.Popen([*lab.net.prefix("host"), "python3", "-ISc", HOLDS_THE_PORT], stdout=subprocess.PIPE)
    assert other.stdout is not None
    other.stdout.readline()
    lab.pbx.pm2("restart", "pbx-system")
    time.sleep(3)
    yield Phone()
    lab.pbx.stop()  # pm2 tries again and again: it would start once more beside the restart
    other.kill()
    other.communicate()
    lab.pbx.restart()
    lab.give_password()


@fault("password_lost", "the PBX was restarted and lost the password", Step.RESET_EXTENSION_PASSWORD)
def _(lab: Lab) -> Iterator[Phone]:
    lab.register(Phone(), lab.folder / "before.log")
    lab.pbx.restart()
    yield Phone()
    lab.give_password()


@fault("database_restarted", "PostgreSQL's restart restarted the PBX", Step.RESET_EXTENSION_PASSWORD)
def _(lab: Lab) -> Iterator[Phone]:
    lab.register(Phone(), lab.folder / "before.log")
    os.kill(lab.pbx.pid, signal.SIGUSR2)
    lab.pbx.wait_for(lambda: lab.pbx.since_start().count("SIP Domain:") > 1, "pm2 does not start it again")
    yield Phone()
    lab.give_password()


@fault("database_down", "the database is down", Step.SERVER_ERROR)
def _(lab: Lab) -> Iterator[Phone]:
    away = lab.pbx.database.with_name("away.json")
    lab.pbx.database.rename(away)
    yield Phone()
    away.rename(lab.pbx.database)


@fault("unknown", "the user's own number does not exist", Step.CREATE_EXTENSION, extension="1047")
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(user="1047")


@fault("disabled", "the user's own number is disabled", Step.CREATE_EXTENSION, extension="1003")
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(user="1003", password="secret-of-1003")
