"""What every connector to an authority must do, whatever its protocol.

A connector's own test class inherits :class:`ConnectorSuite`, brings its double and
its way of filing, and runs these tests beside its own. They hold the promise that the
authority is told surely and once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from holdfast.base.errors import HoldfastError, InvalidInput

USERNAME = "platform"
PASSWORD = "not-a-real-secret"
# A double that has not printed its address by then is not coming, in seconds.
START_TIMEOUT_S = 60.0


class Double(Protocol):
    """A verified double of an authority, running."""

    @property
    def url(self) -> str: ...


class ConnectorSuite(ABC):
    """The tests; a subclass brings what is abstract, and a ``failure`` fixture."""

    # ``python -m`` name of the double's program.
    program: str
    password_variable: str
    # Files in the referral that the subclass files.
    files: int

    @abstractmethod
    def running(self, state: Path) -> Iterator[Double]:
        """The double in this process, as a generator for a context manager."""

    @abstractmethod
    def fail_next(self, double: Double, failure: str) -> None:
        """Let the double fail once, as ``failure`` says."""

    @abstractmethod
    def file(self, url: str, password: str = PASSWORD) -> bytes:
        """File the referral by the documented reactions; the raw receipt.

        Raises the connector's error where the reaction is to page an operator.
        """

    @abstractmethod
    def begin(self, url: str) -> object:
        """File the referral up to the last step but one."""

    @abstractmethod
    def end(self, url: str, begun: object) -> bytes:
        """Go on where :meth:`begin` stopped; the raw receipt."""

    @abstractmethod
    def finished_files(self, url: str) -> list[int]:
        """For each finished referral at the double, how many complete files it has."""

    @abstractmethod
    def connect(self, url: str) -> object:
        """A client for ``url``."""

    @pytest.fixture
    def double(self, tmp_path: Path) -> Iterator[Double]:
        with contextmanager(self.running)(tmp_path / "double.sqlite") as double:
            yield double

    def test_files_one_referral(self, double: Double) -> None:
        receipt = self.file(double.url)
        assert receipt
        assert self.finished_files(double.url) == [self.files]

    def test_files_one_referral_whatever_fails(
        self, double: Double, failure: str
    ) -> None:
        self.fail_next(double, failure)
        if "unauthorized" in failure:
            # Only this stops the filing, and only until an operator put it right.
            with pytest.raises(HoldfastError):
                self.file(double.url)
            assert self.finished_files(double.url) == []
        self.file(double.url)
        assert self.finished_files(double.url) == [self.files]

    def test_files_one_referral_when_it_fails_twice_running(
        self, double: Double, failure: str
    ) -> None:
        if "unauthorized" in failure:
            pytest.skip("a refused password stops the filing; the test above has it")
        self.fail_next(double, failure)
        self.fail_next(double, failure)
        self.file(double.url)
        assert self.finished_files(double.url) == [self.files]

    def test_a_wrong_password_files_nothing_and_is_not_told(
        self, double: Double
    ) -> None:
        with pytest.raises(HoldfastError) as caught:
            self.file(double.url, password="wrong-secret")
        assert "wrong-secret" not in caught.value.diagnostics()
        assert self.finished_files(double.url) == []

    def test_every_answer_of_the_double_says_what_it_is(self, double: Double) -> None:
        root = double.url.rsplit("/", 1)[0] + "/"
        page = httpx.get(root, trust_env=False)
        assert "test double" in page.text.lower()
        refused = httpx.get(double.url + "/status", trust_env=False)
        assert refused.status_code == 401
        for answer in (page, refused):
            assert "nothing is filed" in answer.headers["X-Test-Double"]

    def test_no_password_goes_over_an_open_line(self) -> None:
        for url in (
            "http://authority.example/x",
            "ftp://authority.example/x",
            "https://name:secret@authority.example/x",
            "https:///x",
        ):
            with pytest.raises(InvalidInput):
                self.connect(url)

    def test_a_double_that_is_killed_forgets_nothing(self, tmp_path: Path) -> None:
        state = tmp_path / "killed.sqlite"
        with self._process(state) as (process, url):
            begun = self.begin(url)
            process.send_signal(signal.SIGKILL)
            process.wait()
        with self._process(state) as (process, url):
            assert self.finished_files(url) == []
            assert self.end(url, begun)
            process.send_signal(signal.SIGKILL)
            process.wait()
        with self._process(state) as (_, url):
            assert self.finished_files(url) == [self.files]

    @contextmanager
    def _process(self, state: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
        command = [sys.executable, "-m", self.program, "--port", "0"]
        command += ["--state", str(state)]
        command += ["--username", USERNAME]
        environment = {**os.environ, self.password_variable: PASSWORD}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            try:
                assert process.stdout is not None
                begun = time.monotonic()
                url = process.stdout.readline().strip()
                assert url.startswith("http://127.0.0.1:")
                assert time.monotonic() - begun < START_TIMEOUT_S
                yield process, url
            finally:
                process.kill()
