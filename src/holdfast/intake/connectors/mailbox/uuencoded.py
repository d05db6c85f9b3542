"""Files that stand among the words of a mail, as uuencode writes them. Pure.

Old programs, and some scanners, send a picture so: a line ``begin 644 name``, lines of
coded bytes, a line ``end``; in no part of its own. Only that envelope is taken off, and
nothing is opened. POSIX.1-2017, ``uuencode``. One look at each line.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_uu

_BEGINS = re.compile(r"((?:> ?)*)begin(-base64)? [0-7]{3,4} \S.*")
_FULL = "M"
"""How a line of 45 bytes begins, as every line but the last one is."""
_LETTERS = re.compile(r"[ -`]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def without_files(text: str) -> tuple[str, list[bytes]]:
    """The words without the files that stand among them, and those files in order."""
    if "begin" not in text:
        return text, []
    lines = text.replace("\r\n", "\n").split("\n")
    words: list[str] = []
    files: list[bytes] = []
    at = 0
    while at < len(lines):
        begins = _BEGINS.fullmatch(lines[at])
        end, data = _file(lines, at + 1, begins) if begins else (at, b"")
        if data:
            files.append(data)
            at = end
        else:
            words.append(lines[at])
            at += 1
    return "\n".join(words), files


def _file(lines: list[str], at: int, begins: re.Match[str]) -> tuple[int, bytes]:
    """Where a file goes on behind its end, and its bytes; none where it is no file.

    A mail that was cut off lacks the end: then it is what has the form of a file
    beyond doubt.
    """
    quoted, is_base64 = begins[1], bool(begins[2])
    ends = "====" if is_base64 else "end"
    data: list[bytes] = []
    for place in range(at, len(lines)):
        line = lines[place].removeprefix(quoted).rstrip("\r")
        if line.strip() == ends:
            return place + 1, b"".join(data)
        part = _of_base64(line) if is_base64 else _of_line(line)
        if part is None:
            break
        data.append(part)
    sure: list[bytes] = []
    while len(sure) < len(data) and _is_whole(lines[at + len(sure)], quoted, is_base64):
        sure.append(data[len(sure)])
    return at + len(sure), b"".join(sure)


def _is_whole(line: str, quoted: str, is_base64: bool) -> bool:
    """Whether a line is as long as all but the last one are."""
    return len(line.removeprefix(quoted).strip()) >= (60 if is_base64 else 61)


def _of_line(line: str) -> bytes | None:
    """The bytes of a line of uuencode; None for one of words.

    Mail servers take the spaces off its end, which stand for noughts, and some programs
    put one character more for a check.
    """
    if line.strip() in ("", "`"):
        return b""
    length = ord(line[0]) - 32
    letters, said = (length + 2) // 3 * 4, line[1:]
    if line[0] > _FULL or len(said) > letters + 1 or not _LETTERS.fullmatch(line):
        return None
    try:
        return a2b_uu(line[0] + said[:letters].ljust(letters))
    except Error:
        return None


def _of_base64(line: str) -> bytes | None:
    if not _BASE64.fullmatch(line.strip()):
        return None
    try:
        return a2b_base64(line.strip())
    except Error:
        return None
