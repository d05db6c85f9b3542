"""What a mail says, from its bytes: words, addresses in it, and what is attached.

Pure. Any bytes at all give an answer, since whoever writes to us may use anything. No
attachment is opened, decoded as a picture or looked into; only the envelope that mail
puts around it is taken off. RFC 5322 and 2045 for mail, RFC 3834 and 3464 for what
machines send.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import parseaddr
from html.parser import HTMLParser

from holdfast.base.ids import read_number

MAX_SUBJECT = 300  # characters.
MAX_MEDIA_TYPE = 100  # characters; the width of the vault's column.
ADDRESS = re.compile(r"https?://[^\s<>\"'\\]+", re.IGNORECASE)
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
    """URLs in the words or behind links, each once, in order."""
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

    @property
    def unquoted(self) -> str:
        """The words without what is quoted of earlier mails."""
        lines = [line for line in self.words.splitlines() if line[:1] != ">"]
        return "\n".join(lines).strip()


def read(raw: bytes) -> Letter:
    """A mail from its bytes. Raises ``ValueError`` only where Python cannot parse
    it."""
    try:
        return _read(message_from_bytes(raw))
    except (RecursionError, MessageError, LookupError, TypeError) as error:
        raise ValueError(f"not to be read: {type(error).__name__}") from None


def _read(mail: Message) -> Letter:
    plain, html, attachments = _parts(mail)
    shown = _Shown(html)
    sender = parseaddr(_header(mail, "From"))[1].strip()
    sender = sender if "@" in sender and sender.isprintable() else ""
    automatic = _is_automatic(mail)
    words = _clean(plain.strip() or shown.text)
    subject = _clean(_header(mail, "Subject"))[:MAX_SUBJECT]
    found = [*_urls(subject), *_urls(words), *_urls("\n".join(shown.links))]
    return Letter(
        sender=sender,
        subject=subject,
        words=words,
        addresses=tuple(dict.fromkeys(found)),
        attachments=tuple(attachments),
        numbers=tuple(read_number(each) for each in NUMBER.findall(subject)),
        refers_to=tuple(
            _ID.findall(f"{_header(mail, 'In-Reply-To')} {_header(mail, 'References')}")
        ),
        message_id=next(iter(_ID.findall(_header(mail, "Message-ID"))), ""),
        language=_language(mail),
        automatic=automatic,
        answerable=bool(sender) and not automatic and _may_be_answered(mail, sender),
    )


def _parts(mail: Message) -> tuple[str, str, list[Attachment]]:
    """The words as text and as HTML, and everything else as it came."""
    plain: list[str] = []
    html: list[str] = []
    attachments: list[Attachment] = []
    for part in _leaves(mail):
        kind = part.get_content_type()
        is_words = part.get_content_disposition() != "attachment" and not _named(part)
        if is_words and kind == "text/plain":
            plain.append(_text(part))
        elif is_words and kind == "text/html":
            html.append(_text(part))
        elif data := _bytes(part):
            attachments.append(Attachment(data, kind[:MAX_MEDIA_TYPE]))
    return "\n".join(plain), "\n".join(html), attachments


def _leaves(mail: Message) -> Iterator[Message]:
    """The parts that hold something. A mail within the mail is one of them, closed."""
    waiting = [mail]
    while waiting:
        part = waiting.pop(0)
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            inner = part.get_payload()
            waiting[:0] = [each for each in inner if isinstance(each, Message)]
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
    data = _bytes(part)
    try:
        return data.decode(part.get_content_charset("utf-8"), errors="replace")
    except (LookupError, UnicodeError, ValueError):
        return data.decode("utf-8", errors="replace")


def _named(part: Message) -> bool:
    return bool(part.get_filename())


def _header(mail: Message, name: str) -> str:
    given = mail.get(name)
    if given is None:
        return ""
    text = str(given)
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
    said = _header(mail, "Auto-Submitted").lower()
    return (
        said.startswith("auto-replied")
        or mail.get_content_type() == "multipart/report"
        or _header(mail, "Return-Path").strip() == "<>"
        or bool(_header(mail, "X-Autoreply") or _header(mail, "X-Autorespond"))
        or _header(mail, "Precedence").strip().lower() == "auto_reply"
    )


def _may_be_answered(mail: Message, sender: str) -> bool:
    """RFC 3834, section 2: no automatic answer to lists, bulk, machines and nobody."""
    bulk = _header(mail, "Precedence").strip().lower() in ("bulk", "list", "junk")
    said = _header(mail, "Auto-Submitted").strip().lower() or "no"
    listed = mail.get("List-Id") is not None or mail.get("List-Unsubscribe") is not None
    return not (bulk or listed or said != "no" or _NOBODY.match(sender))


def _language(mail: Message) -> str:
    found = _LANGUAGE.match(_header(mail, "Content-Language").strip())
    return found[0][:35] if found else "en"


def _clean(text: str) -> str:
    # A NUL cannot be stored, and a lone surrogate cannot be written as UTF-8.
    lines = text.replace("\0", "").replace("\r\n", "\n")
    return lines.encode("utf-8", errors="replace").decode().strip()


def _urls(text: str) -> list[str]:
    return [each.rstrip(".,;:!?)]}") for each in ADDRESS.findall(text)]


class _Shown(HTMLParser):
    """What a page of HTML says, and where its links lead. Nothing is fetched."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self._said: list[str] = []
        self._silent = 0
        self.links: list[str] = []
        try:
            self.feed(html)
            self.close()
        except AssertionError:
            # Python's parser gives up so on a few broken marks ("<![x<").
            self._said = [_TAG.sub(" ", html)]
            self.links += _urls(html)

    @property
    def text(self) -> str:
        """The words, with a line for each block."""
        lines = "".join(self._said).splitlines()
        kept = [" ".join(line.split()) for line in lines]
        return "\n".join(line for line in kept if line)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "head"):
            self._silent += 1
        if tag in ("p", "div", "br", "li", "tr", "blockquote", "h1", "h2", "h3"):
            self._said.append("\n")
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "head") and self._silent:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._said.append(data)
