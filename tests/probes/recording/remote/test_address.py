"""What an address names, and that nothing secret of it is ever shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.remote.address import RemoteAddress, is_address, path_of, shown

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = [
    "sftp://me:hunter2pw@host/runs",
    "sftp://me:hunter2@pw@host/runs/a@b.perftui",
    "sftp://me:hunter2/pw@host/runs",
    "https://b.example/r.perftui.zip?X-Amz-Credential=hunter2&X-Amz-Signature=hunter2pw",
    "https://b.example/r.perftui.zip?sig=hunter2pw",
    "ftp://hunter2pw@host/x",
]


@pytest.mark.parametrize("url", SECRETS)
def test_nothing_secret_is_shown(url: str) -> None:
    address = RemoteAddress(url)
    assert address.has_secret
    for text in (shown(url), repr(address), str(address), address.key, address.child("x").shown):
        assert "hunter2" not in text
        assert "pw" not in text
    assert "host" in shown(url) or "b.example" in shown(url)
    assert address.child("x").url != url


@pytest.mark.parametrize("url", ["s3://KEY:hunter2pw@bucket/runs", "gs://bucket/x?key=hunter2pw"])
def test_a_bucket_takes_no_credentials_from_its_address(url: str) -> None:
    with pytest.raises(RecordingError) as told:
        RemoteAddress(url)
    assert "no credentials in an address" in str(told.value)
    assert "hunter2" not in str(told.value)


def test_a_wildcard_is_none() -> None:
    address = RemoteAddress("s3://bucket/run-?.perftui")
    assert address.is_pattern
    assert not address.has_secret
    assert address.shown == "s3://bucket/run-?.perftui"


def test_an_at_in_a_path_is_part_of_it() -> None:
    address = RemoteAddress("s3://bucket/team@home/a:b@c.perftui")
    assert (address.shown, address.name) == (address.url, "a:b@c.perftui")


def test_names_and_children() -> None:
    address = RemoteAddress("s3://bucket/runs/")
    assert address.child("a.perftui").url == "s3://bucket/runs/a.perftui"
    assert address.child("a.perftui").name == "a.perftui"
    assert RemoteAddress("s3://bucket/runs").key == address.key
    signed = RemoteAddress("https://h/runs?sig=x").child("a.perftui")
    assert signed.url == "https://h/runs/a.perftui?sig=x"
    assert signed.name == "a.perftui"


@pytest.mark.parametrize("url", ["memory://runs", "s3://", "s3:///", "nothing"])
def test_where_nothing_can_be_kept(url: str) -> None:
    with pytest.raises(RecordingError) as told:
        RemoteAddress(url)
    assert "\n" not in str(told.value)


def test_files_of_this_machine_are_paths(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    assert path_of(f"file://{tmp_path}/a%20b") == tmp_path / "a b"
    assert path_of(f"file://localhost{tmp_path}/x") == tmp_path / "x"
    assert path_of(f"local://{tmp_path}/x") == tmp_path / "x"
    assert path_of("s3://bucket/x") is None
    assert path_of(str(tmp_path)) is None


@pytest.mark.parametrize(
    ("word", "holds"),
    [("s3://b/x", True), ("simplecache::s3://b/x", True), ("a.perftui", False), ("/a/b", False)],
)
def test_addresses_and_paths_are_told_apart(word: str, holds: bool) -> None:
    assert is_address(word) is holds
