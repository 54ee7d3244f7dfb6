"""What is pushed bears a signature that any implementation of Standard Webhooks verifies."""

from __future__ import annotations

from base64 import b64encode

import pytest

from intake.pushing.signing import BadKey, keys_of, signature

#: The published example of the specification.
KEY, NAME, SECONDS, BODY = (
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    1614265330,
    b'{"test": 2432232314}',
)
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_example_comes_out() -> None:
    assert signature(keys_of(f"whsec_{KEY}"), NAME, SECONDS, BODY) == SIGNED


def test_while_keys_change_both_sign() -> None:
    other = b64encode(b"o" * 32).decode()
    both = signature(keys_of(f"whsec_{other} whsec_{KEY}"), NAME, SECONDS, BODY).split()
    assert both == [signature(keys_of(f"whsec_{other}"), NAME, SECONDS, BODY), SIGNED]


@pytest.mark.parametrize("change", [{"name": "msg_2"}, {"seconds": SECONDS + 1}, {"body": BODY + b" "}])
def test_id_time_and_body_are_all_signed(change: dict[str, object]) -> None:
    given: dict[str, object] = {"name": NAME, "seconds": SECONDS, "body": BODY} | change
    assert signature(keys_of(KEY), given["name"], given["seconds"], given["body"]) != SIGNED  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_c2hvcnQ=", f"{KEY} {KEY} {KEY}", "whsec_密钥" * 9, "not base64!" * 4]
)
def test_a_key_that_cannot_be_used_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(BadKey) as refused:
        keys_of(text)
    assert len(text) < 12 or text not in str(refused.value)
