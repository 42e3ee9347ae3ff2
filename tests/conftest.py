"""What tests of several rooms share: a network of the module's own, as before each test; the PBX's name server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.dns import DnsServer
from tests.servers.healthy import named
from tests.servers.namespace import Namespace


@pytest.fixture(scope="module")
def network() -> Iterator[Namespace]:
    """One PBX host for the whole module: making it takes a while."""
    with Namespace() as made:
        yield made


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    """It knows the PBX, at 127.0.0.1."""
    with named() as server:
        yield server


@pytest.fixture
def space(network: Namespace) -> Iterator[Namespace]:
    """That host; no rule and no listener outlives the test."""
    yield network
    network.reset()
