"""All the faults that can be made here, in the order of the path: PC, network, the host's filters, the PBX."""

from __future__ import annotations

from tests.faultlab import faults_filter, faults_path, faults_pbx, faults_user
from tests.faultlab.fault import FAULTS, Fault

__all__ = ["FAULTS", "Fault", "faults_filter", "faults_path", "faults_pbx", "faults_user"]
ORDER = [module.__name__ for module in (faults_user, faults_path, faults_filter, faults_pbx)]
FAULTS.sort(key=lambda one: ORDER.index(one.module))
