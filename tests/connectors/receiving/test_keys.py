"""The environment holds digests of our callers' keys: whoever reads it cannot call."""

from __future__ import annotations

import hashlib

import pytest

from connectors.receiving.contract import Refused
from connectors.receiving.keys import BadKeys, bearer_of, client_of, clients_of

ONE, TWO = (hashlib.sha256(key).hexdigest() for key in (b"one", b"two"))


def test_a_key_names_its_client() -> None:
    clients = clients_of("KEYS", {"KEYS": f"app:{ONE}, civic.app-2:{TWO}"})
    assert client_of("one", clients) == "app"
    assert client_of("two", clients) == "civic.app-2"


@pytest.mark.parametrize(("key", "status"), [("", 401), ("three", 403), (ONE, 403)])
def test_any_other_key_is_refused(key: str, status: int) -> None:
    with pytest.raises(Refused) as refused:
        client_of(key, clients_of("KEYS", {"KEYS": f"app:{ONE}"}))
    assert refused.value.status == status


@pytest.mark.parametrize("written", ["app", "app:one", f"a b:{ONE[:-1]}", f":{ONE}"])
def test_keys_in_clear_are_not_accepted_as_digests(written: str) -> None:
    with pytest.raises(BadKeys) as wrong:
        clients_of("KEYS", {"KEYS": written})
    assert "KEYS" in str(wrong.value)
    assert written.partition(":")[2] not in str(wrong.value) or not written.partition(":")[2]


def test_a_key_comes_in_either_header() -> None:
    assert bearer_of({"authorization": "Bearer one"}) == bearer_of({"x-api-key": "one"}) == "one"
    assert bearer_of({"authorization": "Basic one"}) == ""
