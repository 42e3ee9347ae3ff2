"""Who looks from where, in which language and when: what varies between two cases of the same fault."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

NAME = "call.soundz.uz"
ADDRESS = "69.62.127.9"  # of the PBX, in public
_PUBLIC = ("213.230.87.14", "84.54.71.203", "195.158.9.77", "37.110.214.6", "92.63.204.118", "94.158.52.31")
_LAN = ("192.168.1.23", "192.168.0.105", "10.0.0.14", "192.168.100.7", "172.16.4.60", "192.168.31.44")
_ROUTER = ("192.168.1.1", "192.168.0.1", "10.0.0.1", "192.168.100.1")
_SCANNERS = ("185.243.5.75", "62.210.142.9", "193.32.162.157", "45.134.144.10", "141.98.11.68", "80.94.95.116")


@dataclass(frozen=True, slots=True)
class Scene:
    """One case: a person with a number and addresses, and the tools both sides happened to use."""

    seed: int
    extension: str
    public_ip: str
    local_ip: str
    port: int  # as the PBX sees it
    local_port: int
    router: str
    began: datetime
    language: str  # of Windows: en | ru
    chance: random.Random = field(compare=False, repr=False)
    others: tuple[str, str, int] | None = None  # another client's number, address and port
    banned: tuple[str, ...] = ()  # strangers that fail2ban keeps from SSH

    @classmethod
    def of(cls, seed: int, *, language: str | None = None, others: bool | None = None) -> Scene:
        """The same seed always gives the same scene."""
        chance = random.Random(seed)
        served = chance.random() < 0.4 if others is None else others
        elsewhere = chance.choice(_PUBLIC)
        public = chance.choice([address for address in _PUBLIC if address != elsewhere])
        return cls(
            seed=seed,
            extension=chance.choice(("1002", "201", "1047", "305", "1118", "117")),
            public_ip=public,
            local_ip=chance.choice(_LAN),
            port=chance.randrange(20000, 64000),
            local_port=chance.randrange(49200, 65000),
            router=chance.choice(_ROUTER),
            began=datetime(2026, chance.randrange(1, 12), chance.randrange(1, 28), chance.randrange(8, 19))
            + timedelta(seconds=chance.randrange(3600)),
            language=language or chance.choice(("en", "ru")),
            chance=chance,
            others=("1190", elsewhere, chance.randrange(20000, 64000)) if served else None,
            banned=tuple(chance.sample(_SCANNERS, 3)) if chance.random() < 0.4 else (),
        )

    def token(self, length: int) -> str:
        """Hexadecimal digits for tags, branches and Call-IDs."""
        return "".join(self.chance.choice("0123456789abcdef") for _ in range(length))
