"""Which provider does an address belong to? A local list in MaxMind's format (MMDB) says it; nothing is sent anywhere.

Any list of autonomous systems does that has the fields of GeoLite2-ASN, e.g. DB-IP's free 'IP to ASN Lite'. Without
one no provider is named: networks are then all that is known (bot/networks.py).
"""

from __future__ import annotations

import ipaddress
import logging
import os
from collections.abc import Collection
from datetime import UTC, datetime
from functools import lru_cache

import maxminddb

from bot.model import Finding, Tag
from bot.networks import SAME_NET_BITS, network_of

log = logging.getLogger(__name__)
NAME_MAX = 60  # characters; some are whole sentences
# What the library raises over a damaged one; measured.
DAMAGED = (maxminddb.InvalidDatabaseError, TypeError, ValueError, OverflowError)


class Providers:
    """The list, or none."""

    def __init__(self, reader: maxminddb.Reader | None = None) -> None:
        self._reader = reader

    def name(self, address: str) -> str | None:
        """Whose address it is; None: not known. Raises ValueError for what is no address."""
        ip = ipaddress.ip_address(address)
        if self._reader is None:
            return None
        try:
            found = self._reader.get(ip) if ip.version <= self._reader.metadata().ip_version else None
        except DAMAGED as trouble:
            log.error("PROVIDERS_FILE is damaged: %s", trouble)
            return None
        if not isinstance(found, dict):
            return None
        number = found.get("autonomous_system_number")
        named = " ".join(str(found.get("autonomous_system_organization") or "").split())[:NAME_MAX]
        return named or (f"AS{number}" if isinstance(number, int) else None)

    def unusual(self, address: str, before: Collection[str]) -> Finding | None:
        """Where the address is another place than all before: PROVIDER_UNUSUAL(address, provider) where all have a
        provider, else NETWORK_UNUSUAL(address); None: it is not, or nothing was before. Raises ValueError."""
        networks = {network_of(one, SAME_NET_BITS) for one in before}
        if not networks or network_of(address, SAME_NET_BITS) in networks:
            return None
        mine, theirs = self.name(address), {self.name(one) for one in before}
        if mine is None or (None in theirs and mine not in theirs):
            return Finding(Tag.NETWORK_UNUSUAL, {"address": address})
        return None if mine in theirs else Finding(Tag.PROVIDER_UNUSUAL, {"address": address, "provider": mine})


def providers(file: str | None) -> Providers:
    """The list in this file as it is now. Of none, or of one that cannot be read, no provider is known."""
    if file is None:
        return Providers()
    try:
        found = os.stat(file)
    except OSError:
        return _read(file, None)
    return _read(file, (found.st_ino, found.st_mtime_ns, found.st_size))


@lru_cache(maxsize=1)
def _read(file: str, version: tuple[int, ...] | None) -> Providers:
    """Read once into memory for each version of the file."""
    try:
        reader = maxminddb.open_database(file, maxminddb.MODE_MEMORY)
        listed = reader.metadata()
        built = datetime.fromtimestamp(listed.build_epoch, UTC)
    except (OSError, *DAMAGED) as trouble:
        why = trouble.strerror if isinstance(trouble, OSError) else "not a list in the MMDB format"
        log.error("PROVIDERS_FILE cannot be read, networks are shown instead of providers: %s (%s)", file, why)
        return Providers()
    log.info("providers are named as in %s (%s of %s)", file, listed.database_type, f"{built:%Y-%m-%d}")
    return Providers(reader)
