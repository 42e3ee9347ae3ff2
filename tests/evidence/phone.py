"""What MicroSIP writes into its log while it tries to register."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.evidence.scene import ADDRESS, NAME, Scene

_TIMER_S = (0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0)  # between the eleven copies of a request
_REASONS = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    200: "OK",
    500: "Internal Server Error",
}
_RESOLVE = "gethostbyname() has returned error (PJ_ERESOLVE)"
_REFUSED = {
    "en": "No connection could be made because the target machine actively refused it",
    "ru": "Подключение не установлено, т.к. конечный компьютер отверг запрос на подключение",
}


@dataclass(slots=True)
class _Writer:
    """The log while it is written."""

    scene: Scene
    now: datetime
    wide: bool
    version: str
    cseq: int
    server: str
    text: str = ""

    def line(self, sender: str, words: str) -> None:
        width = 22 if self.wide else 14
        self.text += f"{self.now:%H:%M:%S}.{self.now.microsecond // 1000:03d} {sender[:width]:>{width}} {words}\r\n"

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def send(self, address: str, transport: str, size: int, *, digest: bool = False, port: int = 5060) -> None:
        me, where = f"{self.scene.local_ip}:{self.scene.local_port}", f"{self.scene.extension}@{NAME}"
        parameter = f";transport={transport.lower()}" if transport != "UDP" else ""
        self.line(
            "pjsua_core.c",
            f" ...TX {size} bytes Request msg REGISTER/cseq={self.cseq} (tdta{self.scene.token(8)})"
            f" to {transport} {address}:{port}:",
        )
        self.text = self.text[:-2] + "\n"
        lines = [
            f"REGISTER sip:{self.server}{parameter} SIP/2.0",
            f"Via: SIP/2.0/{transport} {me};rport;branch=z9hG4bKPj{self.scene.token(32)}",
            "Max-Forwards: 70",
            f"From: <sip:{where}>;tag={self.scene.token(32)}",
            f"To: <sip:{where}>",
            f"Call-ID: {self.scene.token(32)}",
            f"CSeq: {self.cseq} REGISTER",
            f"User-Agent: MicroSIP/{self.version}",
            f"Contact: <sip:{self.scene.extension}@{me}{parameter};ob>",
            "Expires: 300",
            "Allow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER, MESSAGE, OPTIONS",
        ]
        if digest:
            lines.append(
                f'Authorization: Digest username="{self.scene.extension}", realm="{NAME}", '
                f'nonce="mws8c{self.scene.token(12)}", uri="sip:{self.server}", response="{"0" * 32}", algorithm=MD5'
            )
        self.text += "\r\n".join([*lines, "Content-Length:  0", "", "\n--end msg--", ""])

    def receive(self, code: int, address: str = ADDRESS) -> None:
        self.line(
            "pjsua_core.c",
            f"!.RX 411 bytes Response msg {code}/REGISTER/cseq={self.cseq} (rdata{self.scene.token(8)})"
            f" from UDP {address}:5060:",
        )
        self.text = self.text[:-2] + "\n"
        me, where = f"{self.scene.local_ip}:{self.scene.local_port}", f"{self.scene.extension}@{NAME}"
        lines = [
            f"SIP/2.0 {code} {_REASONS[code]}",
            f"Via: SIP/2.0/UDP {me};rport;branch=z9hG4bKPj{self.scene.token(32)}"
            f";received={self.scene.public_ip};rport={self.scene.port}",
            f"From: <sip:{where}>;tag={self.scene.token(32)}",
            f"To: <sip:{where}>;tag={self.scene.token(16)}",
            f"Call-ID: {self.scene.token(32)}",
            f"CSeq: {self.cseq} REGISTER",
        ]
        if code == 401:
            lines.append(
                f'WWW-Authenticate: Digest realm="{NAME}", nonce="mws8c{self.scene.token(12)}", '
                'algorithm=MD5, qop="auth"'
            )
        if code == 200:
            lines.append(f"Contact: sip:{self.scene.extension}@{me};ob;expires=300")
        self.text += "\r\n".join([*lines, "Content-Length: 0", "", "\n--end msg--", ""])

    def copies(
        self, address: str, size: int, *, answered: bool = False, digest: bool = False, port: int = 5060
    ) -> None:
        """Eleven copies of a request, 32 s; `answered`: a 401 comes to each and fits none."""
        self.send(address, "UDP", size, digest=digest, port=port)
        self.line("pjsua_acc.c", " ..Acc 0: Registration sent")
        for pause_s in _TIMER_S:
            if answered:
                self.wait(0.06)
                self.receive(401, address)
            self.wait(pause_s)
            self.send(address, "UDP", size, digest=digest, port=port)
        self.wait(0.5)

    def failed(self, code: int) -> None:
        self.line("pjsua_acc.c", f" ....SIP registration failed, status={code} ({_REASONS[code]})")
        if code in (408, 500):
            self.line("pjsua_acc.c", " ....Scheduling re-registration retry for acc 0 in 4 seconds..")


def _begun(scene: Scene, server: str, transport: str = "UDP") -> _Writer:
    wide = scene.chance.random() < 0.6
    log = _Writer(
        scene,
        scene.began,
        wide,
        scene.chance.choice(("3.21.6", "3.22.3", "3.20.5")),
        scene.chance.randrange(1000, 60000),
        server,
    )
    me = f"{scene.local_ip}:{scene.local_port}"
    log.line("os_core_win32.c", f"!PJLIB 2.{scene.chance.randrange(12, 16)} for win32 initialized")
    log.line("sip_endpoint.c", " .Creating endpoint instance...")
    log.wait(0.03)
    log.line("pjsua_core.c", f" SIP UDP socket reachable at {me}")
    log.line(f"udp{scene.token(13)}", f" SIP UDP transport started, published address is {me}")
    log.line("pjsua_acc.c", f" Adding account: id=<sip:{scene.extension}@{NAME}>")
    log.line("pjsua_acc.c", f" .Account <sip:{scene.extension}@{NAME}> added with id 0")
    log.line("pjsua_acc.c", " .Acc 0: setting registration..")
    host, _, port = server.partition(":")
    log.line(
        "sip_resolve.c",
        f" ...DNS resolver not available, target '{host}:{port or 0}' type={transport} will be "
        "resolved with getaddrinfo()",
    )
    return log


def _resolved(log: _Writer, address: str, transport: str = "UDP") -> None:
    host, _, port = log.server.partition(":")
    log.line(
        "sip_resolve.c",
        f" ...Target '{host}:{port or 0}' type={transport} resolved to '{address}:{port or 5060}' "
        f"type={transport} ({transport} transport)",
    )


def registered(scene: Scene, *, copies: int = 1, late_s: float = 0.1) -> str:
    """401, then 200. `copies`: how often each request had to be sent."""
    log = _begun(scene, NAME)
    _resolved(log, ADDRESS)
    for code, digest in ((401, False), (200, True)):
        for number in range(copies):
            log.send(ADDRESS, "UDP", 760 if digest else 560, digest=digest)
            log.wait(_TIMER_S[number] if number + 1 < copies else late_s)
        log.receive(code)
        log.cseq += 1
    log.line(
        "pjsua_acc.c",
        f" ...<sip:{scene.extension}@{NAME}>: registration success, status=200 (OK), will re-register in 300 seconds",
    )
    log.line("pjsua_acc.c", f" ...Keep-alive timer started for acc 0, destination:{ADDRESS}:5060, interval:15s")
    return log.text


def unanswered(
    scene: Scene, address: str = ADDRESS, *, answered: bool = False, server: str = NAME, size: int = 560
) -> str:
    """408 after eleven copies. `answered`: 401s come in and fit no transaction."""
    log = _begun(scene, server)
    _resolved(log, address)
    port = int(server.partition(":")[2] or 5060)
    log.copies(address, size, answered=answered, port=port)
    log.failed(408)
    return log.text


def second_lost(scene: Scene, size: int = 760) -> str:
    """One 401 comes, the request with the credentials is never answered: 408."""
    log = _begun(scene, NAME)
    _resolved(log, ADDRESS)
    log.send(ADDRESS, "UDP", 560)
    log.wait(0.1)
    log.receive(401)
    log.cseq += 1
    log.copies(ADDRESS, size, digest=True)
    log.failed(408)
    return log.text


def refused(scene: Scene, code: int, server: str = NAME) -> str:
    """The PBX answers 403, 404 or 500; 401: the phone has no fitting credentials and stops."""
    log = _begun(scene, server)
    _resolved(log, ADDRESS)
    log.send(ADDRESS, "UDP", 560)
    log.wait(0.1)
    if code == 403:
        log.receive(401)
        log.cseq += 1
        log.send(ADDRESS, "UDP", 760, digest=True)
        log.wait(0.1)
    log.receive(code)
    if code == 401:
        log.line(
            "pjsua_acc.c", " ...SIP registration error: No suitable credential (PJSIP_ENOCREDENTIAL) [status=171101]"
        )
    else:
        log.failed(code)
    return log.text


def unresolved(scene: Scene, name: str = NAME, waited_s: float = 0.1) -> str:
    """502: the name is not found."""
    log = _begun(scene, name)
    log.wait(waited_s)
    log.line("sip_resolve.c", f" ...Failed to resolve '{name}': {_RESOLVE}")
    log.line(
        f"tsx{scene.token(13)}",
        f" ...Failed to send Request msg REGISTER/cseq={log.cseq} (tdta{scene.token(8)})! err=70018 ({_RESOLVE})",
    )
    log.line("pjsua_acc.c", f" ...SIP registration failed, status=502 ({_RESOLVE})")
    log.line("pjsua_acc.c", " ...Scheduling re-registration retry for acc 0 in 3 seconds..")
    return log.text


def over_tcp(scene: Scene, *, dropped: bool) -> str:
    """TCP is chosen: refused at once (503), or the connection never comes up (408)."""
    log = _begun(scene, NAME, "TCP")
    _resolved(log, ADDRESS, "TCP")
    log.line(
        f"tcpc{scene.token(12)}",
        f" ....TCP client transport created\r\n{log.now:%H:%M:%S}.300   tcpc{scene.token(8)}"
        f"  ....TCP transport {scene.local_ip}:{scene.local_port} is connecting to {ADDRESS}:5060...",
    )
    log.send(ADDRESS, "TCP", 576)
    log.line("pjsua_acc.c", " ..Acc 0: Registration sent")
    if dropped:
        log.wait(32.1)
        log.failed(408)
    else:
        log.wait(0.2)
        words = _REFUSED[scene.language]
        log.line(f"tcpc{scene.token(12)}", f"!.TCP connect() error: [code=130061] peer: {ADDRESS}:5060: {words}")
        log.line("pjsua_acc.c", f" ....SIP registration failed, status=503 ({words})")
        log.line("pjsua_acc.c", " ....Scheduling re-registration retry for acc 0 in 2 seconds..")
    return log.text
