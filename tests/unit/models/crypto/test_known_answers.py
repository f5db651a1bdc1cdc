"""What is computed is what the standards say, and what the formats of docs/encryption.md say."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models.crypto.blind_index import BlindIndex, Pepper
from models.crypto.envelope import DataKey, key_version_of
from models.crypto.wrapping import KeyKind, KeyName, WrappingKey, wrapping_version_of
from tests.bindings import Binding, seal, unseal

VECTORS: Final = Path(__file__).parents[3] / "vectors"
OWN: Final = json.loads((VECTORS / "fieldward.json").read_text())


def blocks(name: str, first: str) -> Iterator[dict[str, str]]:
    """Each vector of a file: its lines `name = value`, from the one called `first` on."""
    for part in re.split(rf"(?m)^(?={first} = )", (VECTORS / name).read_text())[1:]:
        yield {**dict(re.findall(r"(?m)^(\w+) *= *(\S*)$", part)), "FAIL": "1" if "\nFAIL" in part else ""}


def raw(vector: dict[str, str], *names: str) -> list[bytes]:
    """The named values; one that is not there is empty."""
    return [bytes.fromhex(vector.get(name, "")) for name in names]


def test_the_cipher_of_values_encrypts_as_nist_says() -> None:
    """CAVP, 256-bit keys, 96-bit nonces, 128-bit tags: every length of text and additional data."""
    vectors = list(blocks("nist-cavp-gcmEncryptExtIV256.rsp", "Count"))
    for vector in vectors:
        key, nonce, text, data, sealed, tag = raw(vector, "Key", "IV", "PT", "AAD", "CT", "Tag")
        assert DataKey(key, 1)._cipher.encrypt(nonce, text, data) == sealed + tag
    assert len(vectors) == 50


def test_the_cipher_of_values_opens_what_nist_opens_and_nothing_else() -> None:
    """Half of them are to fail."""
    failed = 0
    for vector in blocks("nist-cavp-gcmDecrypt256.rsp", "Count"):
        key, nonce, text, data, sealed, tag = raw(vector, "Key", "IV", "PT", "AAD", "CT", "Tag")
        cipher = DataKey(key, 1)._cipher
        if vector["FAIL"]:
            failed += 1
            with pytest.raises(InvalidTag):
                cipher.decrypt(nonce, sealed + tag, data)
        else:
            assert cipher.decrypt(nonce, sealed + tag, data) == text
    assert failed == 25


def test_the_cipher_of_keys_is_that_of_rfc_8452() -> None:
    """Appendix C.2, and C.3, where the counter runs over."""
    vectors = list(blocks("rfc-8452-aes-256-gcm-siv.txt", "COUNT"))
    for vector in vectors:
        key, nonce, text, data, sealed, tag = raw(vector, "Key", "IV", "Plaintext", "AAD", "Ciphertext", "Tag")
        cipher = WrappingKey(key, 1)._cipher
        assert cipher.encrypt(nonce, text, data) == sealed + tag
        assert cipher.decrypt(nonce, sealed + tag, data) == text
    assert len(vectors) == 24


def test_keys_are_derived_as_in_rfc_5869() -> None:
    """Appendix A.1 to A.3."""
    vectors = list(blocks("rfc-5869-hkdf-sha256.txt", "COUNT"))
    for vector in vectors:
        material, salt, info, okm = raw(vector, "IKM", "salt", "info", "OKM")
        assert HKDF(SHA256(), int(vector["L"]), salt=salt or None, info=info).derive(material) == okm
    assert len(vectors) == 3


@pytest.mark.parametrize("vector", OWN["seals"], ids=lambda vector: str(vector["path"]))
def test_a_sealed_value_has_its_bytes(vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Sealing gives them, given the nonce, and they open."""
    key = DataKey(bytes.fromhex(vector["key"]), vector["version"])
    place = Binding(*(vector[name] for name in ("region", "collection", "document", "person", "path")))
    monkeypatch.setattr("os.urandom", lambda size: bytes.fromhex(vector["nonce"])[:size])
    sealed = bytes.fromhex(vector["sealed"])
    assert (place.row + place.column[sealed[:5]]).hex() == vector["additional_data"]
    assert seal(key, place, vector["plaintext"].encode()) == sealed
    assert unseal(key, place, sealed).decode() == vector["plaintext"]
    assert key_version_of(sealed) == vector["version"]


@pytest.mark.parametrize("vector", OWN["wraps"], ids=lambda vector: str(vector["kind"]))
def test_a_wrapped_key_has_its_bytes(vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrapping gives them, given the nonce, and they unwrap."""
    key = WrappingKey(bytes.fromhex(vector["wrapping_key"]), vector["wrapping_version"])
    name = KeyName(KeyKind(vector["kind"]), vector["region"], vector["version"], vector["owner"])
    monkeypatch.setattr("os.urandom", lambda size: bytes.fromhex(vector["nonce"])[:size])
    secret, wrapped = bytes.fromhex(vector["secret"]), bytes.fromhex(vector["wrapped"])
    assert key._data(name).hex() == vector["additional_data"]
    assert key.wrap(name, secret) == wrapped
    assert key.unwrap(name, wrapped) == secret
    assert wrapping_version_of(wrapped) == vector["wrapping_version"]


@pytest.mark.parametrize("vector", OWN["indexes"], ids=lambda vector: str(vector["path"]))
def test_a_blind_index_has_its_bytes(vector: dict[str, Any]) -> None:
    """Also computed here by the two HMACs of HKDF."""
    pepper = Pepper(bytes.fromhex(vector["pepper"]), vector["version"])
    place = (vector["region"], vector["collection"], vector["path"])
    extracted = hmac.digest(bytes(32), bytes.fromhex(vector["pepper"]), "sha256")
    expanded = hmac.digest(extracted, bytes.fromhex(vector["info"]) + b"\1", "sha256")
    assert pepper.key_for(*place) == expanded == bytes.fromhex(vector["key"])
    [entry] = BlindIndex(*place, [pepper], str.lower).entries(vector["value"].upper())
    assert entry == {"v": vector["version"], "mac": bytes.fromhex(vector["mac"])}


def test_the_example_of_the_documentation_is_one_of_them() -> None:
    """Byte by byte."""
    text = (VECTORS.parents[1] / "docs" / "encryption.md").read_text()
    examples = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    written = ["".join(re.findall(r"(?m)^[0-9a-f ]+?(?=  )", each)).replace(" ", "") for each in examples]
    assert written == [OWN["seals"][0]["sealed"], OWN["seals"][0]["additional_data"]]
