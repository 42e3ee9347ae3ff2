"""Whose address it is, as a local list says; without a list, or with a broken one, nobody is named."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bot.model import Finding, Tag
from bot.providers import NAME_MAX, Providers, providers
from tests.listed import write_list

HERE, SAME_NET, SAME_OWNER, ELSEWHERE, UNKNOWN = "94.158.52.31", "94.158.9.9", "84.54.70.9", "185.74.5.9", "8.8.8.8"
OWNERS = {
    "94.158.0.0/17": "Uzbektelekom",
    "84.54.64.0/20": "Uzbektelekom",
    "185.74.4.0/22": "Comnet",
    "2a00::/16": "Six",
}


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Providers:
    return providers(write_list(tmp_path_factory.mktemp("list") / "asn.mmdb", OWNERS))


@pytest.mark.parametrize(
    ("address", "owner"),
    [(HERE, "Uzbektelekom"), (SAME_OWNER, "Uzbektelekom"), (ELSEWHERE, "Comnet"), ("2a00::7", "Six"), (UNKNOWN, None)],
)
def test_an_address_has_the_owner_of_its_network(known: Providers, address: str, owner: str | None) -> None:
    assert known.name(address) == owner


def test_an_owner_without_a_name_has_a_number_and_a_long_name_is_cut(tmp_path: Path) -> None:
    fields = {"94.158.0.0/17": "", "84.54.64.0/20": "Uz\n  telekom " * 20}
    named = providers(write_list(tmp_path / "asn.mmdb", fields))
    assert (named.name(HERE), named.name(SAME_OWNER)) == ("AS8190", ("Uz telekom " * 20)[:NAME_MAX])


def test_a_list_of_something_else_names_nobody(tmp_path: Path) -> None:
    other = {"autonomous_system_number": "8193", "country": "UZ"}
    assert providers(write_list(tmp_path / "country.mmdb", {"94.158.0.0/17": ""}, **other)).name(HERE) is None


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ([], None),
        ([SAME_NET], None),
        ([SAME_OWNER, ELSEWHERE], None),  # another network of the same provider
        ([ELSEWHERE], Finding(Tag.PROVIDER_UNUSUAL, {"address": HERE, "provider": "Uzbektelekom"})),
        ([ELSEWHERE, UNKNOWN], Finding(Tag.NETWORK_UNUSUAL, {"address": HERE})),  # that one may have been his
    ],
)
def test_a_place_is_unusual_when_nobody_was_near_and_no_provider_is_the_same(
    known: Providers, before: list[str], expected: Finding | None
) -> None:
    assert known.unusual(HERE, before) == expected


@pytest.mark.parametrize("before", [[ELSEWHERE], [SAME_OWNER]])
def test_without_a_list_networks_are_compared_and_no_provider_is_named(before: list[str]) -> None:
    nobody = providers(None)
    assert (nobody.name(HERE), nobody.unusual(HERE, before)) == (None, Finding(Tag.NETWORK_UNUSUAL, {"address": HERE}))


@pytest.mark.parametrize("call", ["name", "unusual"])
def test_what_is_no_address_is_said(known: Providers, call: str) -> None:
    with pytest.raises(ValueError, match="x"):
        known.name("x") if call == "name" else known.unusual("x", [HERE])


def broken(folder: Path) -> dict[str, bytes]:
    """Files that are no list, each in its way."""
    whole = Path(write_list(folder / "whole.mmdb", OWNERS)).read_bytes()
    mark = b"\xab\xcd\xefMaxMind.com"
    return {
        "empty": b"",
        "text": b"not a list\n" * 99,
        "cut": whole[:200],
        "no_tree": whole[200:],
        "no_metadata": mark,
        "bad_metadata": mark + b"\xe0",
        "bad_letters": whole.replace(b"ip_version", b"ip_versi\xff\xfe"),
    }


@pytest.mark.parametrize("how", ["empty", "text", "cut", "no_tree", "no_metadata", "bad_metadata", "bad_letters"])
def test_a_file_that_is_no_list_is_said_once_and_names_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    file = tmp_path / f"{how}.mmdb"
    file.write_bytes(broken(tmp_path)[how])
    with caplog.at_level(logging.ERROR):
        found = [providers(str(file)).name(HERE) for _ in range(2)]
    assert found == [None, None]
    (said,) = {record.getMessage() for record in caplog.records}
    assert said.startswith("PROVIDERS_FILE ")


def test_a_newer_list_in_the_place_of_the_old_one_counts_at_once(tmp_path: Path) -> None:
    file = write_list(tmp_path / "asn.mmdb", OWNERS)
    first = providers(file)
    assert (first.name(HERE), providers(file)) == ("Uzbektelekom", first)
    Path(write_list(tmp_path / "new.mmdb", {"94.158.0.0/17": "Uztelecom"})).replace(file)
    assert providers(file).name(HERE) == "Uztelecom"


@pytest.mark.parametrize(("name", "why"), [("none.mmdb", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_is_not_there_is_named_with_the_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, why: str
) -> None:
    file = str(tmp_path / name)
    assert providers(file).name(HERE) is None
    expected = f"PROVIDERS_FILE cannot be read, networks are shown instead of providers: {file} ({why})"
    assert [record.getMessage() for record in caplog.records] == [expected]
