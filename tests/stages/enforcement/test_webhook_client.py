"""One signed request against a real server that verifies it."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from holdfast.base.errors import InvalidInput
from holdfast.enforcement.connectors.webhook import client
from holdfast.enforcement.connectors.webhook.client import (
    NotConfirmed,
    NotReached,
    check_confirmed,
    post_signed,
)

if TYPE_CHECKING:
    from tests.stages.enforcement.stand import Network, Received

pytest_plugins = ["tests.stages.enforcement.stand"]

BODY = {
    "type": "item.freeze",
    "timestamp": "2026-01-02T03:04:05+00:00",
    "data": {"id": "d1", "number": 1, "verb": "freeze", "item": "é-17", "body": {}},
}


def linger(_: Received) -> None:
    time.sleep(0.6)


def deliver(network: Network, secret: str | None = None) -> None:
    answer = post_signed(network.url, secret or network.secret, "d1", BODY)
    check_confirmed(answer, "d1")


def test_a_signed_delivery_is_confirmed(network: Network) -> None:
    deliver(network)
    [(headers, body)] = network.raw
    assert headers["webhook-id"] == "d1"
    assert json.loads(body) == BODY
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 5


def test_a_wrong_secret_is_refused_by_the_platform(network: Network) -> None:
    with pytest.raises(NotConfirmed) as caught:
        deliver(network, "whsec_" + base64.b64encode(b"another").decode())
    assert caught.value.details == {"status": 401}
    assert network.refused == 1
    assert network.applied == []


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_é", "whsec_a"])
def test_no_secret_no_request(network: Network, secret: str) -> None:
    with pytest.raises(InvalidInput):
        post_signed(network.url, secret, "d1", BODY)
    assert network.raw == []


def test_a_replay_is_refused_when_old_and_ignored_when_fresh(network: Network) -> None:
    deliver(network)
    headers, body = network.raw[0]
    kept = {name: headers[name] for name in headers if name.startswith("webhook-")}
    assert httpx.post(network.url, content=body, headers=kept).status_code == 200
    assert network.numbers("é-17") == [1]
    assert len(network.ignored) == 1
    later = {**kept, "webhook-timestamp": str(int(kept["webhook-timestamp"]) - 301)}
    assert httpx.post(network.url, content=body, headers=later).status_code == 401


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (201, b'{"confirmed": ["d1"]}'),
        (204, b""),
        (302, b""),
        (200, b""),
        (200, b"ok"),
        (200, b"[]"),
        (200, b"null"),
        (200, b'{"confirmed": []}'),
        (200, b'{"confirmed": "d1"}'),
        (200, b'{"confirmed": {"d1": true}}'),
        (200, b'{"confirmed": ["d2"]}'),
        (200, b"[" * 60_000),
        (200, b'{"confirmed": ["d1"], "x": "' + b"x" * 200_000 + b'"}'),
    ],
)
def test_only_a_200_that_names_it_confirms(
    network: Network, status: int, body: bytes
) -> None:
    network.behave = lambda _: (status, body)
    with pytest.raises(NotConfirmed):
        deliver(network)
    assert len(network.raw) == 1  # A redirect was not followed.


def test_a_slow_platform_is_not_waited_for(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "READ_TIMEOUT_S", 0.2)
    network.behave = linger
    with pytest.raises(NotReached) as caught:
        deliver(network)
    assert caught.value.details == {"why": "ReadTimeout"}


def test_a_trickle_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TOTAL_TIMEOUT_S", 0.3)
    listener = socket.create_server(("127.0.0.1", 0))

    def trickle() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
            for _ in range(2000):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return
                time.sleep(0.02)

    thread = threading.Thread(target=trickle)
    thread.start()
    started = time.monotonic()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with pytest.raises(NotReached):
        post_signed(url, "whsec_c2VjcmV0", "d1", BODY)
    # All of it would take forty seconds.
    assert time.monotonic() - started < 20
    thread.join()
    listener.close()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "nonsense", "ftp://x/", "http://["]
)
def test_nobody_there(url: str) -> None:
    with pytest.raises(NotReached):
        post_signed(url, "whsec_c2VjcmV0", "d1", BODY)


def test_proxies_of_the_environment_are_not_used(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    client._http.cache_clear()
    deliver(network)
    assert len(network.applied) == 1
