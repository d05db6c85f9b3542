"""Tests reach nothing beyond this machine."""

from __future__ import annotations

import socket

import pytest


def test_a_connection_to_anywhere_else_is_refused() -> None:
    # 192.0.2.0/24 is set aside for documentation (RFC 5737): nobody is there.
    with pytest.raises(OSError, match="tests reach no network"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
