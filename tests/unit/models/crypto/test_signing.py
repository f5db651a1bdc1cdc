"""The file of signing keys: made once, kept private, refused when it is not."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest

from models.crypto.key_file import load_or_create
from models.crypto.signing import SigningKey, SigningRing
from models.errors import ConfigurationError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the keys of a fresh installation go."""
    return tmp_path / "keys" / "signing.json"


def test_the_key_and_thumbprint_are_those_of_the_standards() -> None:
    """RFC 8037, appendix A.1 to A.3: the example key, its public half and its RFC 7638 thumbprint."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    key = SigningKey.from_seed(seed)
    assert key.private_jwk()["d"] == "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
    assert key.public_jwk()["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_first_start_makes_a_key_that_stays(path: Path) -> None:
    """The second start reads the same one."""
    assert load_or_create(path).jwks() == load_or_create(path).jwks()


def test_file_and_folder_are_the_owners_alone(path: Path) -> None:
    """Mode 0600 inside 0700, with no leftovers beside it."""
    load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_reach_is_refused(path: Path, mode: int) -> None:
    """The message names the file and the mending command."""
    load_or_create(path)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"chmod 600 {path}"):
        load_or_create(path)


@pytest.mark.parametrize("mode", [0o750, 0o707, 0o777])
def test_a_folder_that_others_reach_is_refused(path: Path, mode: int) -> None:
    """Whoever writes in the folder could put another file there."""
    load_or_create(path)
    path.parent.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"chmod 700 {path.parent}"):
        load_or_create(path)


def test_workers_that_start_together_end_with_one_key(path: Path) -> None:
    """Sixteen at once, from an empty folder."""
    rings: list[SigningRing] = []
    barrier = threading.Barrier(16)

    def start() -> None:
        barrier.wait()
        rings.append(load_or_create(path))

    threads = [threading.Thread(target=start) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rings) == 16
    assert len({ring.keys[0].kid for ring in rings}) == 1
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"keys": []}', '{"keys": [{"kty": "OKP"}]}', '{"keys": "x"}', "null", "\ud800"],
)
def test_a_broken_file_stops_the_start_and_stays(path: Path, content: str) -> None:
    """A damaged ring is never replaced in silence: that would sign everybody out."""
    load_or_create(path)
    path.write_text(content, "utf-8", errors="surrogatepass")
    with pytest.raises(ConfigurationError, match="not a ring"):
        load_or_create(path)
    assert path.read_bytes() == content.encode("utf-8", "surrogatepass")


def test_parts_of_different_keys_are_refused(path: Path) -> None:
    """A private key under another key's public half would sign what nobody can verify."""
    load_or_create(path)
    one, other = SigningKey.generate().private_jwk(), SigningKey.generate().private_jwk()
    path.write_text(json.dumps({"keys": [{**one, "x": other["x"]}]}))
    with pytest.raises(ConfigurationError):
        load_or_create(path)


def test_an_unusable_place_is_named(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "keys").write_text("")
    with pytest.raises(ConfigurationError, match="keys"):
        load_or_create(tmp_path / "keys" / "signing.json")


def test_no_private_part_shows(path: Path) -> None:
    """Neither printing a ring nor publishing it gives the key away."""
    ring = load_or_create(path)
    private = ring.keys[0].private_jwk()["d"]
    assert private in path.read_text()
    for shown in (repr(ring), str(ring.keys[0]), json.dumps(ring.jwks())):
        assert private not in shown
        assert str(ring.keys[0]._seed) not in shown
