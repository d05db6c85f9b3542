"""``holdfast import media s3://...``, from a real server of that protocol."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from holdfast.cli.importing.collection import collection_at
from holdfast.items.models import Item, Media
from tests.cli.importer import Importer, small
from tests.server import free_port

live = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, bytes], None]]:
    """A real S3 protocol server (moto) of this machine, with one bucket to fill."""
    for module in ("s3fs", "moto.server"):
        pytest.importorskip(module, reason=f"S3 is tried where {module} is")
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]

    def put(path: str, data: bytes) -> None:
        kind = {"Content-Type": "application/octet-stream"}
        request = urllib.request.Request(f"{endpoint}/{path}", data, kind, method="PUT")
        urllib.request.urlopen(request, timeout=10).close()

    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            for _ in range(300):
                try:
                    put("media", b"")
                    break
                except urllib.error.URLError:
                    time.sleep(0.1)
            yield put
        finally:
            server.terminate()


@live
def test_a_bucket_is_imported_like_a_folder(
    importer: Importer, bucket: Callable[[str, bytes], None]
) -> None:
    bucket("media/old/a.jpg", small(1))
    bucket("media/old/year/b%20c.jpg", small(2))
    bucket("media/old/year/broken.jpg", small(3)[:300])
    bucket("media/older/no.jpg", small(4))
    said = importer("s3://media/old")
    assert said.code == 0, said.words
    assert (said.counts["registered"], said.counts["not_comparable"]) == (3, 1)
    ids = set(Item.objects.values_list("external_id", flat=True))
    assert ids == {"a.jpg", "year/b c.jpg", "year/broken.jpg"}
    assert importer("s3://media/old").counts["registered"] == 3
    assert Media.objects.count() == 3
    assert "no such bucket" in importer("s3://nowhere/x").words


def test_a_long_bucket_is_listed_page_by_page(
    bucket: Callable[[str, bytes], None],
) -> None:
    for number in range(1003):
        bucket(f"media/old/{number:04}", b"x")
    listed = [file.path for file in collection_at("s3://media/old/").listing()]
    assert listed == [f"{number:04}".encode() for number in range(1003)]
