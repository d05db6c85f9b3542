"""Banks as files: what is written is read, and what is bad is told of, line by line."""

from __future__ import annotations

import csv
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.matching.formats import (
    EMPTY_FILE,
    KINDS,
    LIBRARY_NAMES,
    MAX_LINE_BYTES,
    SIGNAL_BYTES,
    Form,
    Kind,
    Malformed,
    Problem,
    Signal,
    parse,
    read,
    write,
)

PDQ = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
OTHER = "e64cc9d91c623882f8d1f1d9a398e78c9f199b3bd83924f2b7e11e0bf861b064"
MD5 = "cab08b36195edb1a1231d2d09fa450e0"
SHA = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"


def signals() -> st.SearchStrategy[Signal]:
    def of(kind: Kind) -> st.SearchStrategy[Signal]:
        size = SIGNAL_BYTES[kind]
        return (
            st.binary(min_size=size, max_size=size)
            .filter(lambda value: 31 < int.from_bytes(value).bit_count() < 225)
            .map(lambda value: Signal(kind, value))
        )

    return st.sampled_from(Kind).flatmap(of)


def lines(text: str | bytes, kind: Kind | None = None) -> list[Signal | Problem]:
    data = text.encode() if isinstance(text, str) else text
    return list(read(io.BytesIO(data), kind))


def written(some: list[Signal], form: Form) -> str:
    out = io.StringIO()
    assert write(out, some, form, bank="a bank, of ours", tags="x") == len(some)
    return out.getvalue()


@given(st.lists(signals()), st.sampled_from([Form.TYPED, Form.CSV]))
def test_what_is_written_is_read(some: list[Signal], form: Form) -> None:
    assert lines(written(some, form)) == some


@given(st.lists(signals()))
def test_plain_text_holds_one_kind(some: list[Signal]) -> None:
    for kind in Kind:
        own = [each for each in some if each.kind is kind]
        assert lines(written(own, Form.TEXT), kind) == own
    if len({each.kind for each in some}) > 1:
        with pytest.raises(Malformed):
            written(some, Form.TEXT)


@given(st.lists(st.one_of(signals(), st.sampled_from(["", "zz", "pdq", "pdq zz"]))))
def test_every_line_is_taken_or_told_of(some: list[Signal | str]) -> None:
    text = "".join(
        f"{each}\n" if isinstance(each, str) else f"{each.kind} {each.value.hex()}\n"
        for each in some
    )
    found = lines(text)
    assert [each for each in found if isinstance(each, Signal)] == [
        each for each in some if isinstance(each, Signal)
    ]
    assert [each.line for each in found if isinstance(each, Problem)] == [
        number
        for number, each in enumerate(some, start=1)
        if isinstance(each, str) and each
    ]


@given(st.binary(max_size=2000), st.sampled_from([None, *Kind]))
def test_any_bytes_can_be_read(data: bytes, kind: Kind | None) -> None:
    for each in lines(data, kind):
        assert isinstance(each, Signal | Problem)


def test_forms_of_a_line() -> None:
    pdq, md5, sha = (bytes.fromhex(each) for each in (PDQ, MD5, SHA))
    assert lines(PDQ, Kind.PDQ) == [Signal(Kind.PDQ, pdq)]
    assert lines(f"\ufeff{PDQ.upper()}\r\n\r\n# a remark\r\n{MD5}") == [
        Problem(1, "64 digits can be PDQ or SHA-256: say which"),
        Signal(Kind.MD5, md5),
    ]
    assert lines(SHA, Kind.SHA256) == [Signal(Kind.SHA256, sha)]
    assert lines(f"{PDQ},93,a picture.jpg\n{PDQ}, 100") == [
        Signal(Kind.PDQ, pdq, 93),
        Signal(Kind.PDQ, pdq, 100),
    ]
    assert lines(f"video_md5 {MD5}\nsha256 {SHA}\npdq {PDQ},77", Kind.PDQ) == [
        Signal(Kind.MD5, md5),
        Signal(Kind.SHA256, sha),
        Signal(Kind.PDQ, pdq, 77),
    ]


def test_tables_are_known_by_their_header() -> None:
    pdq, md5 = bytes.fromhex(PDQ), bytes.fromhex(MD5)
    assert lines(
        "signal_type,signal_str,collab,category,tags\n"
        f'pdq,{PDQ},"Ours, and theirs",POSITIVE_CLASS,a b\n'
        f"video_md5,{MD5},x,DISPUTED,\n"
        f"pdq,{OTHER},x,NEGATIVE_CLASS,\n"
        f"raw_text,hello,x,POSITIVE_CLASS,\n"
        f'pdq,{PDQ[:63]},"never closed\n'
        f"pdq,{PDQ},x,INVESTIGATION_SEED,"
    ) == [
        Signal(Kind.PDQ, pdq),
        Signal(Kind.MD5, md5),
        Problem(4, "its source says that it shows nothing of the kind"),
        Problem(5, "signals of this kind are not looked for: PDQ, MD5 and SHA-256"),
        Problem(6, "pdq has 64 digits, and here are 63"),
        Signal(Kind.PDQ, pdq),
    ]
    assert lines(
        "id,indicator,type,status,tags,owner_id\n"
        f"1,{PDQ},HASH_PDQ,MALICIOUS,,2\n2,{MD5},HASH_MD5,NON_MALICIOUS,,2\n"
    ) == [
        Signal(Kind.PDQ, pdq),
        Problem(3, "its source says that it shows nothing of the kind"),
    ]


@pytest.mark.parametrize(
    ("text", "kind", "why"),
    [
        ("0" * 64, Kind.PDQ, "nothing in it"),
        ("f" * 64, Kind.PDQ, "nothing in it"),
        ("0" * 32, Kind.PDQ, "64 digits"),  # StopNCII handed this one out.
        (f"{PDQ},49", None, "too little"),
        (f"{PDQ},101", None, "0 to 100"),
        (f"{PDQ},-5", None, "0 to 100"),
        (f"{PDQ},٩٩", None, "0 to 100"),  # Arabic digits.
        (f"{MD5},80", Kind.MD5, "no quality"),
        (PDQ[:-1] + "g", Kind.PDQ, "hexadecimal"),
        ("\u0660" * 64, Kind.PDQ, "hexadecimal"),
        (f"tlsh {PDQ}", None, "not looked for"),
        (MD5[:-2], None, "30 digits"),
        *((digest, None if len(digest) == 32 else Kind.SHA256, "empty file")
          for digest in sorted(EMPTY_FILE)),
    ],
)  # fmt: skip
def test_what_is_refused_says_why(text: str, kind: Kind | None, why: str) -> None:
    [problem] = lines(text, kind)
    assert isinstance(problem, Problem)
    assert why in problem.why
    # The reason is logged and shown; what was in the line is not.
    assert text not in problem.why


def test_lines_are_bounded_and_the_rest_is_taken() -> None:
    long = b"f" * (3 * MAX_LINE_BYTES)
    found = lines(long + b"\n" + MD5.encode() + b"\n\xff\xfe\n" + MD5.encode())
    assert [type(each) for each in found] == [Problem, Signal, Problem, Signal]
    assert [each.line for each in found if isinstance(each, Problem)] == [1, 3]


def test_a_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    path.write_bytes((MD5.encode() + b"\n") * 200_000 + b"f" * 4_000_000)
    tracemalloc.start()
    with path.open("rb") as source:
        count = sum(1 for _ in read(source))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 200_001
    assert most < 1_000_000


def test_parse_says_the_kind_it_was_given() -> None:
    assert parse(Kind.MD5, f" {MD5.upper()} ", 90) == Signal(
        Kind.MD5, bytes.fromhex(MD5)
    )


# --- beside python-threatexchange -----------------------------------------------------


def test_the_library_has_the_names_that_we_write() -> None:
    pdq = pytest.importorskip("threatexchange.signal_type.pdq.signal")
    md5 = pytest.importorskip("threatexchange.signal_type.md5")
    sha = pytest.importorskip("threatexchange.signal_type.sha256")
    for kind, theirs in (
        (Kind.PDQ, pdq.PdqSignal),
        (Kind.MD5, md5.VideoMD5Signal),
        (Kind.SHA256, sha.VideoSHA256Signal),
    ):
        assert theirs.get_name() == LIBRARY_NAMES[kind]
        types = theirs.INDICATOR_TYPE
        for name in [types] if isinstance(types, str) else types:
            assert KINDS[name.lower()] is kind


@pytest.mark.parametrize("form", [Form.TEXT, Form.TYPED])
def test_the_library_reads_what_we_write(form: Form, tmp_path: Path) -> None:
    file_api = pytest.importorskip("threatexchange.exchanges.impl.file_api")
    pdq = pytest.importorskip("threatexchange.signal_type.pdq.signal")
    md5 = pytest.importorskip("threatexchange.signal_type.md5")
    ours = [Signal(Kind.PDQ, bytes.fromhex(each)) for each in (PDQ, OTHER)]
    if form is Form.TYPED:
        ours.append(Signal(Kind.MD5, bytes.fromhex(MD5)))
    path = tmp_path / "bank"
    path.write_text(written(ours, form))
    config = file_api.FileCollaborationConfig(
        name="ours",
        api="local_file",
        filename=str(path),
        signal_type="pdq" if form is Form.TEXT else None,
    )
    api = file_api.LocalFileSignalExchangeAPI.for_collab(config)
    [delta] = api.fetch_iter([], None)
    types = [pdq.PdqSignal, md5.VideoMD5Signal]
    read_back = api.naive_convert_to_signal_type(types, config, delta.updates)
    assert set(read_back[pdq.PdqSignal]) == {PDQ, OTHER}
    if form is Form.TYPED:
        assert set(read_back[md5.VideoMD5Signal]) == {MD5}


def test_we_read_and_write_the_table_that_the_library_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the library's own printing function, into our reader and from our writer."""
    command = pytest.importorskip("threatexchange.cli.dataset_cmd")
    state = pytest.importorskip("threatexchange.exchanges.fetch_state")
    pdq = pytest.importorskip("threatexchange.signal_type.pdq.signal")
    printer = command.DatasetCommand(print_signals=True, csv=True)
    signals_of = {pdq.PdqSignal: {PDQ: [("Ours", state.FetchedSignalMetadata())]}}
    printer.get_signal_types = lambda settings: {pdq.PdqSignal}
    printer.get_signals = lambda settings, types: signals_of
    printer.execute_print_signals(None)
    printed = capsys.readouterr().out
    ours = [Signal(Kind.PDQ, bytes.fromhex(PDQ))]
    assert lines(printed) == ours
    [header, *_] = csv.reader([printed.splitlines()[0]])
    assert written(ours, Form.CSV).splitlines()[0].split(",") == header
