"""A mailbox: the fake and a real Dovecot answer to the same suite."""

from __future__ import annotations

import imaplib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.base import clock
from holdfast.base.errors import InvalidInput, Unavailable
from holdfast.intake.connectors.mailbox.client import (
    MAX_LISTED,
    Mailbox,
    Waiting,
    opened,
    place_of,
    waiting_in,
)
from holdfast.intake.connectors.mailbox.fake import FakeMailbox
from tests.connectors import dovecot

MAIL = b"From: a@example.org\r\nSubject: \xe6\r\n\r\nWords and \x00 nothing.\r\n"


class MailboxSuite:
    """What holds of every mailbox."""

    box: Mailbox

    def deliver(self, mail: bytes, arrived_at: datetime | None = None) -> int:
        raise NotImplementedError

    def again(self) -> Mailbox:
        """The mailbox as somebody finds it who comes later."""
        raise NotImplementedError

    def test_an_empty_one_lists_nothing(self) -> None:
        assert self.box.waiting() == []

    def test_a_mail_is_listed_and_fetched_as_it_came(self) -> None:
        mail = MAIL.replace(b"\x00", b"?")
        uid = self.deliver(mail)
        [found] = self.again().waiting()
        assert (found.uid, found.size_bytes) == (uid, len(mail))
        assert self.again().fetch(uid) == mail
        assert [each.uid for each in self.again().waiting()] == [uid]

    def test_when_it_arrived_is_what_the_server_says(self) -> None:
        at = datetime(2026, 3, 1, 7, 8, 9, tzinfo=UTC)
        self.deliver(b"Subject: x\r\n\r\n\r\n", at)
        assert self.again().waiting()[0].arrived_at == at
        self.deliver(b"Subject: y\r\n\r\n\r\n")
        now = self.again().waiting()[1].arrived_at
        assert abs(now - clock.now()) < timedelta(minutes=1)

    def test_what_is_expunged_is_gone_and_nothing_else(self) -> None:
        first, second = self.deliver(b"A: 1\r\n\r\n1"), self.deliver(b"A: 2\r\n\r\n2")
        self.again().expunge(first)
        assert [each.uid for each in self.again().waiting()] == [second]
        self.box.expunge(first)
        assert [each.uid for each in self.again().waiting()] == [second]

    def test_what_is_set_aside_stays_and_is_not_listed(self) -> None:
        uid = self.deliver(MAIL.replace(b"\x00", b"?"))
        self.again().set_aside(uid)
        later = self.again()
        assert later.waiting() == []
        assert later.fetch(uid)

    def test_what_is_not_there_cannot_be_fetched(self) -> None:
        with pytest.raises(Unavailable):
            self.box.fetch(4711)


class TestFake(MailboxSuite):
    """The mailbox in memory."""

    @pytest.fixture(autouse=True)
    def _box(self) -> None:
        self.fake = FakeMailbox()
        self.box = self.fake

    def deliver(self, mail: bytes, arrived_at: datetime | None = None) -> int:
        return self.fake.deliver(mail, arrived_at)

    def again(self) -> Mailbox:
        return self.fake


@pytest.fixture(scope="module")
def server() -> Iterator[dovecot.Dovecot]:
    with tempfile.TemporaryDirectory() as home, dovecot.running(Path(home)) as server:
        yield server


@pytest.mark.skipif(bool(dovecot.missing()), reason=dovecot.missing())
class TestDovecot(MailboxSuite):
    """A real server, by TLS with a certificate that is checked."""

    @pytest.fixture(autouse=True)
    def _box(
        self, server: dovecot.Dovecot, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[None]:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.home / "cert.pem"))
        self.server = server
        self.open = ExitStack()
        self.box = self.again()
        yield
        self.open.close()
        with suppress(imaplib.IMAP4.error):
            # Refused when there is nothing to delete.
            session = server.session()
            session.store("1:*", "+FLAGS", r"(\Deleted)")
            session.expunge()
            session.logout()

    def deliver(self, mail: bytes, arrived_at: datetime | None = None) -> int:
        return self.server.deliver(mail, arrived_at)

    def again(self) -> Mailbox:
        return self.open.enter_context(opened(place_of(self.server.url())))

    def test_by_starttls_and_by_a_socket_of_this_machine(self) -> None:
        self.deliver(b"A: 1\r\n\r\n1")
        for scheme in ("imap+starttls", "imap"):
            with opened(place_of(self.server.url(scheme))) as box:
                assert len(box.waiting()) == 1

    def test_a_wrong_password_says_nothing_of_itself(self) -> None:
        place = place_of(self.server.url(password="a secret guess"))
        with pytest.raises(Unavailable) as refused, opened(place):
            pass
        assert "secret" not in refused.value.diagnostics() + repr(place)

    def test_a_certificate_that_nobody_vouches_for_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        for scheme in ("imaps", "imap+starttls"):
            with (
                pytest.raises(Unavailable) as refused,
                opened(place_of(self.server.url(scheme))),
            ):
                pass
            assert "SSLCertVerificationError" in refused.value.diagnostics()

    def test_thousands_are_listed_some_at_a_time_and_all_come_to_an_end(self) -> None:
        session = self.server.session()
        for place in range(MAX_LISTED + 5):
            session.append("INBOX", "", None, b"Subject: %d\r\n\r\n\r\n" % place)
        session.logout()
        seen: list[int] = []
        for expected in (MAX_LISTED, 5, 0):
            box = self.again()
            found = [each.uid for each in box.waiting()]
            assert len(found) == expected
            seen += found
            for uid in found:
                box.expunge(uid)
        assert seen == sorted(set(seen))

    def test_a_mailbox_made_anew_is_read_from_its_beginning(self) -> None:
        """Its numbers begin again (UIDVALIDITY), and none is remembered here."""
        folder = f"{self.server.url().rpartition('/')[0]}/Reports"
        session = self.server.session()
        texts = (b"Subject: first\r\n\r\n\r\n", b"Subject: second\r\n\r\n\r\n")
        for text in texts:
            session.create("Reports")
            session.append("Reports", "", None, text)
            with opened(place_of(folder)) as box:
                [found] = box.waiting()
                assert found.uid == 1
                assert box.fetch(found.uid) == text
            session.delete("Reports")
        session.logout()

    def test_what_another_program_does_meanwhile_is_no_failure(self) -> None:
        kept = [self.deliver(b"A: %d\r\n\r\n1" % each) for each in range(4)]
        box = self.again()
        assert [each.uid for each in box.waiting()] == kept
        session = self.server.session()
        session.store("1", "+FLAGS", r"(\Seen)")
        session.store("2", "+FLAGS", r"(\Deleted)")
        session.expunge()
        session.logout()
        # The server tells of it between its answers.
        assert [each.uid for each in box.waiting()] == [kept[0], *kept[2:]]
        with pytest.raises(Unavailable):
            box.fetch(kept[1])
        assert box.fetch(kept[2])

    def test_a_flag_taken_off_lists_it_again(self) -> None:
        uid = self.deliver(b"A: 1\r\n\r\n1")
        self.again().set_aside(uid)
        session = self.server.session()
        session.uid("STORE", str(uid), "-FLAGS", r"(\Flagged)")
        session.logout()
        assert [each.uid for each in self.again().waiting()] == [uid]


def test_a_server_may_answer_in_an_order_of_its_own() -> None:
    at = b'INTERNALDATE " 1-Mar-2026 07:08:09 +0000"'
    lines = [
        # As asked, and as Cyrus answers, which has a fixed order.
        b"1 (UID 7 RFC822.SIZE 45 " + at + b")",
        b"2 (FLAGS (\\Seen) UID 8 " + at + b" RFC822.SIZE 46)",
        # What another program did, which nobody asked for.
        b"3 (FLAGS (\\Answered))",
        None,
    ]
    when = datetime(2026, 3, 1, 7, 8, 9, tzinfo=UTC)
    assert waiting_in(lines) == [Waiting(7, 45, when), Waiting(8, 46, when)]
    with pytest.raises(imaplib.IMAP4.error):
        waiting_in([b"1 (UID 7)"])


@pytest.mark.parametrize(
    "url",
    [
        "imap://u:p@mail.example.org/INBOX",
        "https://u:p@mail.example.org/",
        "imaps://mail.example.org/INBOX",
        "imaps://u:p@:99999999/",
        "nonsense",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        place_of(url)
    assert "u:p" not in refused.value.diagnostics()


def test_what_is_said_of_a_place_names_no_password() -> None:
    place = place_of("imaps://me%40example.org:s%2Fecret@mail.example.org/Reports")
    assert (place.user, place.password) == ("me@example.org", "s/ecret")
    assert (place.port, place.folder) == (993, "Reports")
    assert place.outbound == "imaps://mail.example.org:993"
    assert "s/ecret" not in repr(place)
