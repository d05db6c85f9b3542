"""A server that keeps to the contract, and a client that speaks to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.client import Holdfast
from tests.client.contract import KEY, Contract

BUSY_S = 3.0
"""What other work on this machine may add to a time that is promised."""


@pytest.fixture
def contract() -> Iterator[Contract]:
    server = Contract()
    yield server
    server.close()


@pytest.fixture
def client(contract: Contract, tmp_path: Path) -> Iterator[Holdfast]:
    with Holdfast(contract.url, KEY, spool=tmp_path / "spool") as made:
        yield made


def until(true: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Wait until something is so; fail when it never is."""
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "It never came to be."
        time.sleep(0.01)
