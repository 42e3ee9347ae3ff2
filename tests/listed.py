"""A list of who owns which address, as tests want it: a small real MMDB."""

from __future__ import annotations

from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]


def write_list(path: Path, owners: dict[str, str], **more: object) -> str:
    """Writes `network -> owner` as DB-IP's 'IP to ASN Lite' has it; `more`: further fields of each. The path."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="DBIP-ASN-Lite (compat=GeoLite2-ASN)")
    for place, (network, owner) in enumerate(owners.items()):
        fields = {"autonomous_system_number": 8190 + place, "autonomous_system_organization": owner, **more}
        writer.insert_network(IPSet([network]), fields)
    writer.to_db_file(str(path))
    return str(path)
