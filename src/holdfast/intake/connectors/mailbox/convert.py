"""What a mail says, from its bytes: words, addresses in it, and what is attached.

Pure. Any bytes at all give an answer, since whoever writes to us may use anything. No
attachment is opened, decoded as a picture or looked into; only the envelope that mail
puts around it is taken off. Of a mail that is attached the words are read for the
addresses in them, and for nothing else. RFC 5322 and 2045 for mail, RFC 3834 and 3464
for what machines send.
"""

from __future__ import annotations

import codecs
import re
from base64 import decodebytes
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import parseaddr
from itertools import islice
from quopri import decodestring

from holdfast.base.ids import read_number
from holdfast.intake.connectors.mailbox.authentication import is_proven
from holdfast.intake.connectors.mailbox.flowed import unflowed
from holdfast.intake.connectors.mailbox.hypertext import read_hypertext
from holdfast.intake.connectors.mailbox.pasted import pasted_in
from holdfast.intake.connectors.mailbox.uuencoded import without_files
from holdfast.items.addresses import addresses_in

MAX_SUBJECT = 300  # characters.
MAX_HEADER = 10_000
"""Characters of one header that are read: Python's decoder of them takes seconds for a
million."""
MAX_FILES = 100
"""Files of one mail that are kept one by one; with more it is kept whole, as one."""
FEW_WORDS, SAID_ELSEWHERE = 3, 0.2
"""How many words of a mail's HTML, and what share of them, its plain text may lack.
With more the one is no copy of the other: "This mail needs a newer program"."""
MAX_FORWARDED_DEPTH = 3
"""Mails within mails that are read for addresses: a mail forwarded by two people."""
MAX_FORWARDED_BYTES = 1024 * 1024
"""Words of all of them together that are read: as many as a long novel has."""
MAX_MEDIA_TYPE = 100  # characters; the width of the vault's column.
UNNAMED = "application/octet-stream"
"""What a file is called that says nothing of its type (RFC 2046, section 4.5.1)."""
NUMBER = re.compile(r"\bR-?[0-9A-Z]{5}-?[0-9A-Z]{5}\b", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_ID = re.compile(r"<([^<>\s]+)>")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_NOBODY = re.compile(
    r"^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounce)", re.IGNORECASE
)


@dataclass(frozen=True)
class Attachment:
    """A file that came along, as it came; ``media_type`` is what its sender said."""

    data: bytes
    media_type: str


@dataclass(frozen=True)
class Letter:
    """A mail, read."""

    sender: str
    """An e-mail address; blank when there is none that can be answered."""
    subject: str
    words: str
    addresses: tuple[str, ...]
    """URLs in the words or behind links, each once, in order; then those in mails that
    are attached to it."""
    attachments: tuple[Attachment, ...]
    numbers: tuple[str, ...]
    """Report numbers in the subject."""
    refers_to: tuple[str, ...]
    """Message ids of the mails that this one answers."""
    message_id: str
    language: str
    automatic: bool
    """Whether a machine sent it in answer to a mail: a bounce, somebody's absence."""
    answerable: bool
    """Whether a person may be there: not automatic, no list, no address of nobody."""
    is_proven: bool
    """Whether our mail server found that the sender's domain did send it."""

    @property
    def unquoted(self) -> str:
        """The words without what is quoted of earlier mails."""
        lines = [line for line in self.words.splitlines() if line[:1] != ">"]
        return "\n".join(lines).strip()


def read(
    raw: bytes, *, trusted: Collection[str] = (), hosts: tuple[str, ...] = ()
) -> Letter:
    """A mail from its bytes. Raises ``ValueError`` only where Python cannot parse
    it. ``trusted`` are the names by which our own mail server signs what it found;
    ``hosts`` those of platforms, on which an address counts without its scheme, too."""
    try:
        letter = _read(message_from_bytes(raw), trusted, hosts)
    except (RecursionError, MessageError, LookupError, TypeError) as error:
        raise ValueError(f"not to be read: {type(error).__name__}") from None
    if len(letter.attachments) > MAX_FILES:
        return replace(letter, attachments=(Attachment(raw, "message/rfc822"),))
    return letter


def numbers_in(subject: str) -> tuple[str, ...]:
    """The report numbers in a subject, as they are stored."""
    return tuple(read_number(each) for each in NUMBER.findall(subject))


def as_written(raw: bytes) -> bytes:
    """What its sender made of a mail: the same by whatever ways it was delivered.

    A mail to two addresses of one mailbox arrives twice, and differs in the headers of
    those who carried it. One without a Message-ID is only the same if every byte is.
    """
    head, _blank, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    mail = message_from_bytes(head)
    if not _header(mail, "Message-ID"):
        return raw
    fields = (_header(mail, name) for name in ("Message-ID", "From", "Date", "Subject"))
    return "\n".join(fields).encode("utf-8", "replace") + b"\n\n" + body


def _read(mail: Message, trusted: Collection[str], hosts: tuple[str, ...]) -> Letter:
    plain, html, attachments = _parts(mail)
    shown = read_hypertext(html)
    sender = _sender(mail)
    automatic = _is_automatic(mail)
    words = _clean(_both(plain, shown.text))
    subject = _clean(_header(mail, "Subject"))[:MAX_SUBJECT]
    found = [
        *addresses_in(subject, hosts),
        *addresses_in(words, hosts),
        *addresses_in(shown.text, hosts),
        *addresses_in("\n".join(shown.links), hosts),
        # What comes back with a machine's answer is a mail that somebody here wrote.
        *([] if automatic else urls_of_forwarded(mail, hosts)),
    ]
    return Letter(
        sender=sender,
        subject=subject,
        words=words,
        addresses=tuple(dict.fromkeys(found)),
        attachments=tuple(attachments),
        numbers=numbers_in(subject),
        refers_to=tuple(
            _ID.findall(f"{_header(mail, 'In-Reply-To')} {_header(mail, 'References')}")
        ),
        message_id=next(iter(_ID.findall(_header(mail, "Message-ID"))), ""),
        language=_language(mail),
        automatic=automatic,
        answerable=bool(sender) and not automatic and _may_be_answered(mail, sender),
        is_proven=is_proven(
            [(name, str(value)) for name, value in mail.raw_items()], sender, trusted
        ),
    )


def _parts(mail: Message) -> tuple[str, str, list[Attachment]]:
    """The words as text and as HTML, and everything else as it came."""
    plain: list[str] = []
    html: list[str] = []
    attachments: list[Attachment] = []
    for part in _leaves(mail):
        kind = part.get_content_type()
        if _is_words(part):
            text = _text(part)
            if kind == "text/html":
                html.append(text)
                attachments += (
                    Attachment(data, said[:MAX_MEDIA_TYPE])
                    for data, said in islice(pasted_in(text), MAX_FILES + 1)
                )
            else:
                words, files = without_files(text)
                plain.append(words)
                attachments += (Attachment(data, UNNAMED) for data in files)
        elif data := _bytes(part):
            attachments.append(Attachment(data, kind[:MAX_MEDIA_TYPE]))
    return "\n".join(plain), "\n".join(html), attachments


def urls_of_forwarded(mail: Message, hosts: tuple[str, ...]) -> list[str]:
    """Addresses in the words of the mails attached to a mail, from the outside in.

    People forward the mail in which somebody sent them the place.
    """
    found: list[str] = []
    left = MAX_FORWARDED_BYTES
    waiting = deque((each, 1) for each in _forwarded(mail))
    while waiting:
        inner, depth = waiting.popleft()
        found += addresses_in(_header(inner, "Subject"), hosts)
        for part in _leaves(inner):
            size = len(str(part.get_payload())) if _is_words(part) else 0
            if 0 < size <= left:
                left -= size
                found += _urls_of(part, hosts)
        if depth < MAX_FORWARDED_DEPTH:
            waiting += ((each, depth + 1) for each in _forwarded(inner))
    return found


def _forwarded(mail: Message) -> Iterator[Message]:
    """The mails that are attached to one."""
    for part in _leaves(mail):
        if part.get_content_type() != "message/rfc822" or not part.is_multipart():
            continue
        for inner in part.get_payload():
            if isinstance(inner, Message):
                yield _unpacked(part, inner)


def _unpacked(part: Message, inner: Message) -> Message:
    """A mail that was packed as files are, which RFC 2046 forbids and programs do."""
    packing = _header(part, "Content-Transfer-Encoding").strip().lower()
    if packing not in ("base64", "quoted-printable"):
        return inner
    unpack = decodestring if packing == "quoted-printable" else decodebytes
    try:
        return message_from_bytes(unpack(inner.as_bytes()))
    except ValueError:
        return inner


def _urls_of(part: Message, hosts: tuple[str, ...]) -> list[str]:
    text = _text(part)
    if part.get_content_type() == "text/plain":
        return addresses_in(text, hosts)
    shown = read_hypertext(text)
    return addresses_in("\n".join([shown.text, *shown.links]), hosts)


def _is_words(part: Message) -> bool:
    """Whether a part is what its writer wrote, and no file."""
    is_file = part.get_content_disposition() == "attachment" or _named(part)
    return not is_file and part.get_content_type() in ("text/plain", "text/html")


def _leaves(mail: Message) -> Iterator[Message]:
    """The parts that hold something. A mail within the mail is one of them, closed."""
    waiting = [mail]
    while waiting:
        part = waiting.pop()
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            inner = [each for each in part.get_payload() if isinstance(each, Message)]
            waiting += reversed(inner)
        else:
            yield part


def _bytes(part: Message) -> bytes:
    if part.is_multipart():
        # A forwarded mail: kept as it is, with whatever is in it.
        inner = part.get_payload()
        return b"".join(each.as_bytes() for each in inner if isinstance(each, Message))
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _text(part: Message) -> str:
    """What is written in a part, with its lines as they were written."""
    text = _letters(part)
    return unflowed(text) if _is_broken_anywhere(part) else text


def _is_broken_anywhere(part: Message) -> bool:
    """Whether its lines may have been broken within words (RFC 3676, ``DelSp``)."""
    said = (part.get_param("format"), part.get_param("delsp"))
    return [str(each).strip().lower() for each in said] == ["flowed", "yes"]


def _letters(part: Message) -> str:
    """A part's letters: as it says that they are written, or as they can be read."""
    data = _bytes(part)
    said = _charset(part)
    for charset in dict.fromkeys((said, "utf-8")):
        with suppress(UnicodeError):
            return data.decode(charset)
    # Western letters that nobody named, or some broken ones among others.
    return data.decode("cp1252" if said == "ascii" else said, errors="replace")


def _charset(part: Message) -> str:
    """The charset it names, if that is one; ``ascii`` where it names none."""
    try:
        found = codecs.lookup(part.get_content_charset("ascii"))
        " ".encode(found.name)
    except (LookupError, UnicodeError, ValueError):
        return "ascii"
    # Of hosts' names, not of letters: a million of them take minutes to decode.
    return "ascii" if found.name == "punycode" else found.name


def _both(plain: str, shown: str) -> str:
    """The words of a mail that is written twice, or of two that go together.

    The plain text is what is read, unless the other says more: a programme's excuse for
    having no plain text, or a letter between two pictures.
    """
    said, more = (re.findall(r"\w+", each.lower()) for each in (plain, shown))
    known = set(said)
    missing = sum(each not in known for each in more)
    if said and missing <= max(FEW_WORDS, SAID_ELSEWHERE * len(more)):
        return plain
    return f"{plain.strip()}\n\n{shown}".strip()


def _sender(mail: Message) -> str:
    try:
        found = parseaddr(_header(mail, "From"))[1].strip()
    except RecursionError:
        # Brackets in brackets without end. Its words are read all the same.
        return ""
    return found if "@" in found and found.isprintable() else ""


def _named(part: Message) -> bool:
    return bool(part.get_filename())


def _header(mail: Message, named: str) -> str:
    name = named.lower()
    # As it came: what ``get`` gives of letters that nobody encoded is question marks.
    fields = (str(value) for key, value in mail.raw_items() if key.lower() == name)
    given = next(fields, "")[:MAX_HEADER]
    text = given.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return "".join(
            piece.decode(charset or "utf-8", errors="replace")
            if isinstance(piece, bytes)
            else piece
            for piece, charset in decode_header(text)
        )
    except (MessageError, LookupError, ValueError):
        return text


def _is_automatic(mail: Message) -> bool:
    """RFC 3834, section 5: what answers by itself says so. RFC 3464: bounces."""
    said = _submitted(mail)
    answers = bool(_header(mail, "In-Reply-To"))
    return (
        said == "auto-replied"
        # What Exchange says of somebody's absence.
        or (said != "no" and answers)
        or mail.get_content_type() == "multipart/report"
        or _header(mail, "Return-Path").strip() == "<>"
        or bool(_header(mail, "X-Autoreply") or _header(mail, "X-Autorespond"))
        or _header(mail, "Precedence").strip().lower() == "auto_reply"
    )


def _submitted(mail: Message) -> str:
    said = _header(mail, "Auto-Submitted").partition(";")[0].partition("(")[0]
    return said.strip().lower() or "no"


def _may_be_answered(mail: Message, sender: str) -> bool:
    """RFC 3834, section 2: no automatic answer to lists, bulk, machines and nobody."""
    bulk = _header(mail, "Precedence").strip().lower() in ("bulk", "list", "junk")
    listed = any(_header(mail, name) for name in ("List-Id", "List-Unsubscribe"))
    # [MS-OXCMAIL] 2.2.3.2.14: Exchange writes to others of its kind so.
    unwanted = _header(mail, "X-Auto-Response-Suppress").lower()
    asked_not_to = "all" in unwanted or "autoreply" in unwanted
    of_machine = _submitted(mail) != "no" or _NOBODY.match(sender)
    return not (bulk or listed or asked_not_to or of_machine)


def _language(mail: Message) -> str:
    found = _LANGUAGE.match(_header(mail, "Content-Language").strip())
    return found[0][:35] if found else "en"


def _clean(text: str) -> str:
    # A NUL cannot be stored, and a lone surrogate cannot be written as UTF-8.
    lines = text.replace("\0", "").replace("\r\n", "\n")
    return lines.encode("utf-8", errors="replace").decode().strip()
