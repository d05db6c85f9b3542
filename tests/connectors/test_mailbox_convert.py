"""What a mail says: real shapes of mail, and any bytes at all."""

from __future__ import annotations

import time
from base64 import b64encode, encodebytes, urlsafe_b64encode
from binascii import b2a_uu
from email.message import EmailMessage
from quopri import encodestring
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.intake.connectors.mailbox.convert import (
    MAX_FILES,
    MAX_FORWARDED_BYTES,
    MAX_FORWARDED_DEPTH,
    read,
)
from holdfast.intake.connectors.mailbox.flowed import unflowed
from holdfast.intake.connectors.mailbox.uuencoded import without_files

TAKES_AT_MOST_S = 8.0
"""For two million bytes; what grows with their square takes minutes."""
POST = "https://plaza.example/p/1"


def written(text: str = "Look here.", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Kim <kim@example.org>"
    mail["Subject"] = headers.pop("Subject", "Help")
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


def test_words_addresses_and_sender() -> None:
    letter = read(written(f"See {POST}, please ({POST}).").as_bytes())
    assert (letter.sender, letter.subject) == ("kim@example.org", "Help")
    assert letter.addresses == (POST,)
    assert letter.words == f"See {POST}, please ({POST})."
    assert letter.answerable
    assert not letter.automatic


def test_of_a_page_of_html_the_words_and_where_its_links_lead() -> None:
    mail = EmailMessage()
    mail.set_content(
        f"<style>p {{}}</style><p>It is <a href='{POST}'>here</a>.</p>"
        "<script>alert(1)</script><p>Please&nbsp;help.</p>",
        subtype="html",
    )
    letter = read(mail.as_bytes())
    assert letter.words == "It is here.\nPlease help."
    assert letter.addresses == (POST,)


def test_text_and_html_of_the_same_words_are_words_once() -> None:
    mail = written("Plain words.")
    mail.add_alternative(f"<p>Plain words. <a href='{POST}'>x</a></p>", subtype="html")
    letter = read(mail.as_bytes())
    assert letter.words == "Plain words."
    assert letter.addresses == (POST,)
    assert letter.attachments == ()


def test_files_come_out_as_they_went_in() -> None:
    mail = written()
    mail.add_attachment(b"\x89PNG not opened", "image", "png", filename="a.png")
    mail.add_attachment("notes", filename="notes.txt")
    forwarded = written("Inner words.")
    mail.add_attachment(forwarded)
    letter = read(mail.as_bytes())
    assert [each.media_type for each in letter.attachments] == [
        "image/png",
        "text/plain",
        "message/rfc822",
    ]
    assert letter.attachments[0].data == b"\x89PNG not opened"
    assert b"Inner words." in letter.attachments[2].data
    assert letter.words == "Look here."


PICTURE = bytes(range(256)) * 20
CODED = b64encode(PICTURE).decode()


def held_by(page: str) -> list[tuple[str, bytes]]:
    """What is kept of a mail that is this page."""
    mail = EmailMessage()
    mail.set_content(page, subtype="html")
    letter = read(mail.as_bytes())
    return [(each.media_type, each.data) for each in letter.attachments]


@pytest.mark.parametrize(
    "page",
    [
        f'<img alt="x" src="data:image/png;base64,{CODED}" width=3>',
        f"<IMG SRC='DATA:image/png;name=a.png;BASE64,{CODED}'>",
        f"<img src=data:image/png;base64,{CODED} width=3>",
        f'<img src="data:image/png;base64,{CODED.rstrip("=")}">',
        f'<img src="data:image/png;base64,{quote(CODED)}">',
        f'<img src="data:image&#47;png;base64,{CODED}">',
        f'<p style="background: url(data:image/png;base64,{CODED})">',
        f'<p style="background: url(&quot;data:image/png;base64,{CODED}&quot;)">',
        f"<style>p {{ background: url('data:image/png;base64,{CODED}') }}</style>",
        f'<a href="data:image/png;base64,{CODED}">this</a>',
        f"<!--[if mso]><img src='data:image/png;base64,{CODED}'><![endif]-->",
        f'<img src="data:image/png;base64,\n{CODED[:99]}\n  {CODED[99:]}">',
        f'<img src="data:image/png;base64,{urlsafe_b64encode(PICTURE).decode()}">',
        f'<img src="data:image/png,{quote(PICTURE)}">',
        f'<img src="data:image/png;base64,{CODED}">' * 3,
    ],
)
def test_a_picture_pasted_into_a_page_is_a_file_that_came_along(page: str) -> None:
    mail = EmailMessage()
    mail.set_content(f"<p>Look: {page}, please.</p>", subtype="html")
    letter = read(mail.as_bytes())
    assert [(each.media_type, each.data) for each in letter.attachments] == [
        ("image/png", PICTURE)
    ]
    assert CODED[:50] not in letter.words
    assert letter.words.startswith("Look:")


def test_pictures_pasted_side_by_side_are_each_kept() -> None:
    other = b64encode(b"other bytes").decode()
    page = (
        f'<img srcset="data:image/png;base64,{CODED} 1x, '
        f'data:image/gif;base64,{other} 2x"> <svg><image href="data:,plain"/></svg>'
    )
    assert held_by(page) == [
        ("image/png", PICTURE),
        ("image/gif", b"other bytes"),
        ("text/plain", b"plain"),
    ]


def test_words_about_data_are_no_file() -> None:
    assert held_by('<p>I have "data: my name, my age", and metadata:,x') == []


def test_a_picture_that_a_page_names_as_a_part_is_kept_with_its_mail() -> None:
    mail = written("Look.")
    mail.add_alternative('<p>Look. <img src="cid:me@x"></p>', subtype="html")
    *_plain, page = mail.iter_parts()
    assert isinstance(page, EmailMessage)
    page.add_related(PICTURE, "image", "png", cid="<me@x>", disposition="inline")
    [kept] = read(mail.as_bytes()).attachments
    assert (kept.media_type, kept.data) == ("image/png", PICTURE)


def test_a_page_of_very_many_pictures_is_one_file() -> None:
    mail = EmailMessage()
    pages = (f'<img src="data:image/png,{each}">' for each in range(MAX_FILES + 1))
    mail.set_content("".join(pages), subtype="html")
    [file] = read(mail.as_bytes()).attachments
    assert file.data == mail.as_bytes()


def forwarding(inner: EmailMessage, depth: int = 1) -> EmailMessage:
    for level in range(depth):
        outer = written(f"Forwarded, {level}.")
        outer.add_attachment(inner)
        inner = outer
    return inner


def test_addresses_in_a_mail_that_is_attached_are_found_and_nothing_is_opened() -> None:
    inner = written(f"Look: {POST}", Subject=f"Here: {POST}0")
    inner.add_alternative(f"<p>See <a href='{POST}1'>this</a>.</p>", subtype="html")
    inner.add_attachment(f"{POST}2".encode(), "text", "plain", filename="a.txt")
    inner.add_attachment(POST.encode() + b"3", "image", "jpeg", filename="a.jpg")
    letter = read(forwarding(inner).as_bytes())
    assert letter.addresses == (f"{POST}0", POST, f"{POST}1")
    assert letter.words == "Forwarded, 0."
    [sealed] = letter.attachments
    assert sealed.media_type == "message/rfc822"
    assert b"a.jpg" in sealed.data


def test_a_mail_within_mails_is_read_to_a_depth_and_a_size() -> None:
    inner = written(POST)
    assert read(forwarding(inner, MAX_FORWARDED_DEPTH).as_bytes()).addresses == (POST,)
    too_deep = forwarding(inner, MAX_FORWARDED_DEPTH + 1)
    assert read(too_deep.as_bytes()).addresses == ()
    mail = written()
    long = written("a " * (MAX_FORWARDED_BYTES // 2))
    for each in (written(POST), long, written(f"{POST}9")):
        mail.add_attachment(each)
    assert read(mail.as_bytes()).addresses == (POST, f"{POST}9"), "Not the long one."


@pytest.mark.parametrize("packing", ["base64", "quoted-printable"])
def test_a_mail_that_was_packed_as_files_are_is_read_as_well(packing: str) -> None:
    inner = written(f"Look: {POST}").as_bytes()
    pack = encodebytes if packing == "base64" else encodestring
    raw = (
        b"From: kim@example.org\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSee this.\n"
        b"--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: "
        + packing.encode()
        + b"\n\n"
        + pack(inner)
        + b"\n--b--\n"
    )
    assert read(raw).addresses == (POST,)
    assert read(raw).words == "See this."


def test_what_a_machine_sends_back_is_not_searched() -> None:
    mail = forwarding(written(POST))
    mail["Auto-Submitted"] = "auto-replied"
    assert read(mail.as_bytes()).addresses == ()


def test_umlauts_in_every_place_and_a_charset_that_nobody_knows() -> None:
    raw = (
        b"From: =?utf-8?q?K=C3=A5re?= <kare@example.org>\r\n"
        b"Subject: =?iso-8859-1?q?Hj=E6lp?= \xc3\xa5\r\n"
        b"Content-Type: text/plain; charset=made-up\r\n\r\n"
        b"bl\xc3\xa5b\xc3\xa6r\x00\r\n"
    )
    letter = read(raw)
    assert letter.subject.startswith("Hjælp")
    assert letter.words == "blåbær"
    assert letter.sender == "kare@example.org"


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("", b"bl\xc3\xa5b\xc3\xa6r"),
        ("", b"bl\xe5b\xe6r"),
        ("us-ascii", b"bl\xe5b\xe6r"),
        ("iso-8859-1", b"bl\xe5b\xe6r"),
        ("utf-16", "blåbær".encode("utf-16")),
        ("hex", b"bl\xc3\xa5b\xc3\xa6r"),
        ("punycode", b"bl\xc3\xa5b\xc3\xa6r"),
    ],
)
def test_letters_are_kept_whatever_their_charset_is_said_to_be(
    charset: str, body: bytes
) -> None:
    named = f"; charset={charset}" if charset else ""
    head = f"From: a@b.example\nSubject: \u00e5\nContent-Type: text/plain{named}\n\n"
    letter = read(head.encode() + body)
    assert letter.words == "blåbær"
    # RFC 6532: a header in UTF-8, as it is.
    assert letter.subject == "å"


def test_what_only_one_of_two_texts_says_is_not_lost() -> None:
    mail = written("This message needs a program that shows HTML.")
    said = "He says that he will send it to my whole class tomorrow."
    mail.add_alternative(f"<html><head><title>x</title><p>{said}", subtype="html")
    letter = read(mail.as_bytes())
    assert said in letter.words
    assert "needs a program" in letter.words


def test_of_an_answer_in_html_alone_what_is_quoted_is_known() -> None:
    mail = EmailMessage()
    mail.set_content(
        "New words.<blockquote>Old words.<br>Older.</blockquote><p>And new.</p>",
        subtype="html",
    )
    letter = read(mail.as_bytes())
    assert letter.unquoted == "New words.\nAnd new."
    assert "> Old words." in letter.words


@pytest.mark.parametrize(
    "piece",
    [
        b"<a",
        b"<!--",
        b"</",
        b"<![x<",
        b"<a href='",
        b"<![CDATA[",
        b"<script>",
        b"<blockquote>",
        b"<p href=",
        b"&#" + b"9" * 5000 + b";",
        b"data:",
        b"data:a/b,",
        b"'data:a/b,",
        b"'data:a/b;base64,",
        b"data:" + b"a" * 200,
    ],
)
def test_no_page_is_so_broken_that_reading_it_takes_long(piece: bytes) -> None:
    head = b"From: a@b.example\nContent-Type: text/html\n\nHelp me.<br>"
    began = time.process_time()
    letter = read(head + piece * (2_000_000 // len(piece)))
    assert time.process_time() - began < TAKES_AT_MOST_S
    assert letter.words.startswith("Help me.")


@pytest.mark.parametrize(
    "piece",
    [
        b"begin 644 x\n",
        b"begin 644 x\n\n",
        b"begin 644 x\nM\n",
        b"> " * 500 + b"begin\n",
        b"begin-base64 644 x\nAAAA\n",
        b" \n",
        b"> \n>> \n",
        b"a" * 70 + b" \n",
    ],
)
def test_no_words_are_so_broken_that_reading_them_takes_long(piece: bytes) -> None:
    body = b"Help me.\n" + piece * (500_000 // len(piece))
    began = time.process_time()
    letter = read(flowed("").rstrip() + b"\n\n" + body)
    assert time.process_time() - began < TAKES_AT_MOST_S
    assert letter.words.startswith("Help me.")


@pytest.mark.parametrize(
    "head",
    [
        b"Subject: " + b"=?utf-8?q?a?= " * 100_000,
        b"Subject: " + b"=?utf-8?q?a" * 100_000,
        b"From: " + b"(" * 100_000,
        b"References: " + b"<a@b> " * 100_000,
        b"Content-Type: text/plain; charset=punycode",
    ],
)
def test_no_header_is_so_long_that_reading_it_takes_long(head: bytes) -> None:
    began = time.process_time()
    letter = read(head + b"\n\nHelp me." + b"z9" * 500_000)
    assert time.process_time() - began < TAKES_AT_MOST_S
    assert letter.words.startswith("Help me.")


def test_a_mail_of_very_many_files_is_one_file() -> None:
    parts = b"--b\nContent-Type: image/png\n\nx\n" * (MAX_FILES + 1)
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n" + parts + b"--b--\n"
    [file] = read(raw).attachments
    assert file.data == raw


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-replied (vacation)"},
        {"Return_Path": "<>"},
        {"X_Autoreply": "yes"},
        {"Precedence": "auto_reply"},
        # Somebody's absence, as Exchange tells of it.
        {"Auto_Submitted": "auto-generated", "In_Reply_To": "<1@x.example>"},
    ],
)
def test_what_a_machine_answers_is_automatic(headers: dict[str, str]) -> None:
    letter = read(written(**headers).as_bytes())
    assert letter.automatic
    assert not letter.answerable


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-generated"},
        {"Precedence": "bulk"},
        {"X_Auto_Response_Suppress": "DR, OOF, AutoReply"},
        {"List_Id": "<a.example.org>"},
        {"List_Unsubscribe": "<mailto:x@example.org>"},
    ],
)
def test_lists_and_programs_are_read_and_not_answered(headers: dict[str, str]) -> None:
    letter = read(written(**headers).as_bytes())
    assert not letter.automatic
    assert not letter.answerable


@pytest.mark.parametrize(
    "sender", ["", "MAILER-DAEMON@x.example", "no-reply@x.example"]
)
def test_nobody_is_not_answered(sender: str) -> None:
    mail = written()
    mail.replace_header("From", sender)
    assert not read(mail.as_bytes()).answerable


def test_a_bounce_is_automatic() -> None:
    raw = (
        b"From: MAILER-DAEMON@x.example\r\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n"
        b"\r\n--b\r\n\r\nIt could not be delivered.\r\n--b--\r\n"
    )
    assert read(raw).automatic


def test_numbers_and_threads() -> None:
    mail = written(
        Message_ID="<1@x.example>",
        In_Reply_To="<R-00000-00000.abc@plaza.example>",
        References="<a@x.example> <b@x.example>",
    )
    mail.replace_header("Subject", "Re: your message r-7k2m9-qx4tb")
    letter = read(mail.as_bytes())
    assert letter.numbers == ("R-7K2M9-QX4TB",)
    assert letter.refers_to[0] == "R-00000-00000.abc@plaza.example"
    assert len(letter.refers_to) == 3
    assert letter.message_id == "1@x.example"


def test_what_is_quoted_of_an_earlier_mail() -> None:
    letter = read(written("New words.\n> Old words.\n>> Older.").as_bytes())
    assert letter.unquoted == "New words."


def test_an_address_counts_without_its_scheme_on_the_host_of_a_platform() -> None:
    raw = written("See plaza.example/p/1, and my page kim.example/me.").as_bytes()
    assert read(raw).addresses == ()
    assert read(raw, hosts=("plaza.example",)).addresses == ("plaza.example/p/1",)


def flowed(body: str, delsp: str = "yes") -> bytes:
    head = f"Content-Type: text/plain; format=flowed; delsp={delsp}\n\n"
    return b"From: a@b.example\n" + head.encode() + body.encode()


def test_lines_that_were_broken_within_an_address_are_whole_again() -> None:
    letter = read(flowed("See  \nhttps://plaza.exam \nple/p/1.\n\n> It  \n> is old.\n"))
    assert letter.addresses == (POST,)
    assert letter.words == f"See {POST}.\n\n> It is old."
    assert letter.unquoted == f"See {POST}."


def test_lines_of_other_depth_a_signature_and_other_mails_stay_as_they_are() -> None:
    assert read(flowed("Mine \n> his \n>> hers\n-- \nKim")).words == (
        "Mine\n> his\n>> hers\n-- \nKim"
    )
    assert read(flowed("See \nthis.", "no")).words == "See \nthis."
    assert read(written("See \nthis.").as_bytes()).words == "See \nthis."


def uuencoded(data: bytes, *, spaces: bool = False) -> list[str]:
    """The lines of a file, with ` or with spaces that a mail server took off."""
    lines = (data[at : at + 45] for at in range(0, len(data), 45))
    coded = [b2a_uu(each, backtick=not spaces).decode().rstrip() for each in lines]
    return ["begin 644 my picture.jpg", *coded, "" if spaces else "`", "end"]


def coded_in_base64(data: bytes) -> list[str]:
    coded = encodebytes(data).decode().splitlines()
    return ["begin-base64 644 a.jpg", *coded, "===="]


@given(st.binary(min_size=1), st.booleans())
def test_a_file_among_the_words_is_taken_out_whole(data: bytes, spaces: bool) -> None:
    for coded in (uuencoded(data, spaces=spaces), coded_in_base64(data)):
        text = "\n".join(["Look:", *coded, "Please help."])
        assert without_files(text) == ("Look:\nPlease help.", [data])
        quoted = "\n".join(f"> {each}" for each in text.splitlines())
        assert without_files(quoted) == ("> Look:\n> Please help.", [data])


def test_an_uuencoded_picture_is_a_file_that_came_along() -> None:
    files = "\n".join([*uuencoded(PICTURE), "And:", *uuencoded(b"other")])
    letter = read(written(f"Look.\n{files}\nBye.").as_bytes())
    assert [(each.data, each.media_type) for each in letter.attachments] == [
        (PICTURE, "application/octet-stream"),
        (b"other", "application/octet-stream"),
    ]
    assert letter.words == "Look.\nAnd:\nBye."


def test_of_a_picture_that_was_cut_off_what_came_is_a_file() -> None:
    coded = [*uuencoded(PICTURE)[:9], "and then it was cut off"]
    assert without_files("\n".join(coded)) == (coded[-1], [PICTURE[: 8 * 45]])


@pytest.mark.parametrize(
    "text",
    [
        "begin 644 to read",
        "begin 2026 with me\nHe says that he will.\nend",
        "We begin 644 x\nMETER\nend",
        "begin 644 x\nHELP ME",
        "begin 644 x\nHELP ME\nand not that\nend",
        "begin\nend",
    ],
)
def test_words_that_begin_are_no_file(text: str) -> None:
    assert without_files(text) == (text, [])


WORD = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=9)


@given(st.lists(WORD, min_size=1), st.integers(1, 7))
def test_what_is_broken_anywhere_is_whole_again(words: list[str], width: int) -> None:
    line = " ".join(words)
    parts = [line[at : at + width] for at in range(0, len(line), width)]
    # RFC 3676, 4.4: a space in front of a line that begins with one.
    stuffed = [f" {each}" if each[:1] in " >" else each for each in parts]
    assert unflowed(" \n".join(stuffed)) == line


@given(
    st.one_of(
        st.binary(max_size=400),
        st.lists(
            st.sampled_from(
                [
                    b"From: a@b.c\n",
                    b"From: \xff<\n",
                    b"Subject: =?x?q?=ff?=\n",
                    b"Content-Type: multipart/mixed; boundary=b\n",
                    b"Content-Type: text/html\n",
                    b"Content-Type: message/rfc822\n",
                    b"Content-Transfer-Encoding: base64\n",
                    b"\n",
                    b"--b\n",
                    b"--b--\n",
                    b"<a href='https://x.example/1'>\n",
                    b"<![x<!--\n",
                    b"\x00\xff=?utf-8?b?!!!?=\n",
                ]
            ),
            max_size=20,
        ).map(b"".join),
    )
)
def test_any_bytes_give_words_that_can_be_stored(raw: bytes) -> None:
    letter = read(raw)
    for text in (letter.words, letter.subject, letter.sender, letter.language):
        assert "\0" not in text
        text.encode()


def test_parts_in_parts_without_end_are_refused_and_not_fatal() -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (each, each)
        for each in range(5000)
    )
    with pytest.raises(ValueError, match="RecursionError"):
        read(deep)
