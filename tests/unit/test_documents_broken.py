"""Broken and hostile documents: each ends in findings or rows set aside, never in an exception or a value told."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from support.document_files import as_json, document_file, fixture, read_document, rules, unexpected

JSON = document_file("json", "people", {"id": None, "name": None})
LINES = document_file("json_lines", "people", {"id": None, "name": None})
XML = document_file("xml", "people/person", {"id": None, "name": None})
FHIR = document_file("fhir", "entry/resource", {"id": None, "family": "name/family"})
SECRET = "Zyxwvut"  # noqa: S105


def people(*items: str) -> str:
    return '{"people": [' + ", ".join(items) + "]}"


JSON_PROBLEMS = {
    "nothing": (b"", "EMPTY_FILE"),
    "white space": (b" \n\t ", "EMPTY_FILE"),
    "a single value": (b'"Zyxwvut"', "WRONG_FILE"),
    "an array of values": (b"[1, 2]", "WRONG_FILE"),
    "another document": (b'{"pupils": [{"id": "1"}]}', "WRONG_FILE"),
    "cut in a string": (b'{"people": [{"id": "Zyxw', "TRUNCATED"),
    "cut behind a row": (b'{"people": [{"id": "Zyxwvut"}', "TRUNCATED"),
    "cut in an escape": (b'{"people": [{"id": "\\u00', "BAD_JSON"),
    "more behind the end": (b'{"people": []} Zyxwvut', "TRAILING_CONTENT"),
    "two documents": (b'{"people": []} {"people": []}', "TRAILING_CONTENT"),
    "not a number": (b'{"people": [{"id": NaN}]}', "BAD_JSON"),
    "infinity": (b'{"people": [{"id": -Infinity}]}', "BAD_JSON"),
    "a comment": (b'{"people": [] /* Zyxwvut */}', "BAD_JSON"),
    "a comma too many": (b'{"people": [{"id": "Zyxwvut"},]}', "BAD_JSON"),
    "single quotes": (b"{'people': []}", "BAD_JSON"),
    "a number of 5,000 digits": (b'{"people": [{"id": ' + b"9" * 5000 + b"}]}", "OVERSIZED_NUMBER"),
    "an exponent beyond all bounds": (b'{"people": [{"id": 1e99999999999999999999}]}', "BAD_JSON"),
    "bytes of another encoding": ('{"people": [{"id": "Zoë"}]}'.encode("latin-1"), "BAD_BYTES"),
    "UTF-16 that was not agreed": ('{"people": []}'.encode("utf-16"), "BAD_BYTES"),
    "a NUL byte": (b'{"people": [{"id": "a\0b"}]}', "NUL_BYTES"),
    "100,000 arrays in each other": (b'{"people": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "TOO_DEEP"),
    "100,000 objects in each other": (b'{"people":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "TOO_DEEP"),
    "100,000 known objects": (b'{"people":' + b'{"people":' * 100_000 + b"1" + b"}" * 100_001, "TOO_DEEP"),
    "100,000 arrays cut off": (b"[" * 100_000, "TOO_DEEP"),
    "a string that never ends": (b'{"people": [{"id": "' + b"x" * 9_000_000, "OVERSIZED_FIELD"),
    "one of quotes only": (b'{"people": [{"id": "' + b'\\"' * 4_500_000, "OVERSIZED_FIELD"),
    "a name twice around the rows": (b'{"people": [], "people": [{"id": "1"}]}', "DUPLICATE_KEY"),
}


@pytest.mark.parametrize("case", JSON_PROBLEMS, ids=lambda case: case.replace(" ", "_"))
def test_a_broken_json_document_is_refused_by_rule(case: str) -> None:
    content, rule = JSON_PROBLEMS[case]
    rows, _, findings = read_document(content, JSON)
    assert (rules(findings), rows) == ([rule], [])
    assert SECRET not in str(findings)


ROWS_SET_ASIDE = {
    "an object where a value is expected": ('{"id": {"a": 1}, "name": "x"}', "WRONG_SHAPE"),
    "an empty object": ('{"id": {}}', "WRONG_SHAPE"),
    "a value where the row is expected": ('"x"', "WRONG_SHAPE"),
    "a name twice": ('{"id": "1", "name": "x", "id": "2"}', "DUPLICATE_KEY"),
    "a name twice, once null": ('{"id": "1", "name": null, "name": null}', "DUPLICATE_KEY"),
    "a name twice, once an empty array": ('{"id": "1", "name": [], "name": "x"}', "DUPLICATE_KEY"),
    "a NUL written as an escape": ('{"id": "a\\u0000b"}', "BAD_CHARACTER"),
    "a text of monstrous size": ('{"id": "' + "x" * 200_000 + '"}', "OVERSIZED_FIELD"),
    "an array of monstrous size": ('{"id": [' + "1," * 300_000 + "1]}", "OVERSIZED_ELEMENT"),
}


@pytest.mark.parametrize("case", ROWS_SET_ASIDE, ids=lambda case: case.replace(" ", "_"))
def test_a_bad_row_is_set_aside_and_costs_no_other(case: str) -> None:
    content, reason = ROWS_SET_ASIDE[case]
    good = '{"id": "9", "name": "y"}'
    rows, set_aside, findings = read_document(people(good, content, good), JSON)
    assert rows == [("9", "y"), ("9", "y")]
    assert [(row.row_number, row.reason) for row in set_aside] == [(2, reason)]
    assert findings.problems == []
    assert "\0" not in set_aside[0].raw


def test_an_element_of_which_a_filter_cannot_say_whether_it_is_a_row_is_set_aside() -> None:
    file = document_file("json", "people[kind=a]/names[use=b]", {"id": "../id", "name": None})
    items = (
        '{"kind": "a", "kind": "b", "id": "1"}',
        '{"kind": "a", "id": "2", "names": [{"use": "b", "use": "c", "name": "x"}, {"use": "b", "name": "y"}]}',
        '{"kind": "c", "id": "3", "names": [{"use": "b", "name": "z"}]}',
    )
    rows, set_aside, findings = read_document(people(*items), file)
    assert rows == [("2", "y")]
    assert [(row.row_number, row.reason) for row in set_aside] == [(1, "DUPLICATE_KEY"), (2, "DUPLICATE_KEY")]
    assert findings.problems == []


def test_values_are_text_as_written() -> None:
    texts = [
        "1.10",
        "-0.5",
        "9434765919",
        "123456789012345678901234567890",
        "true",
        "false",
        "0.30000000000000004",
    ]
    rows, _, _ = read_document(people(*(f'{{"id": "1", "name": {text}}}' for text in texts)), JSON)
    assert [row[1] for row in rows] == texts
    rows, _, _ = read_document(people('{"id": 9.43E+09, "name": 1e400}'), JSON)
    assert rows == [("9.43E+9", "1E+400")]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "a byte order mark"])
@pytest.mark.parametrize("kind", ["json", "json_lines"])
def test_a_byte_order_mark_is_accepted(kind: str, mark: bytes) -> None:
    rows, _, findings = read_document(
        mark + people('{"id": "Zoë"}').encode(), JSON if kind == "json" else LINES
    )
    assert (rows, findings.problems) == ([("Zoë", None)], [])


@pytest.mark.parametrize("kind", ["json", "json_lines"])
@pytest.mark.parametrize("encoding", ["utf-16", "windows-1252"])
def test_another_encoding_is_read_where_it_is_agreed(kind: str, encoding: str) -> None:
    file = document_file(kind, "people", {"id": None}, encoding=encoding)  # type: ignore[arg-type]
    rows, _, findings = read_document((people('{"id": "Zoë"}') + "\n").encode(encoding), file)
    assert (rows, findings.problems) == ([("Zoë",)], [])


def test_a_bad_line_is_set_aside_and_costs_no_other_line() -> None:
    good = people('{"id": "1", "name": "x"}')
    bad = {
        b'{"people": [': "TRUNCATED",
        b'{"people": [} Zyxwvut': "BAD_JSON",
        b"{} {}": "TRAILING_CONTENT",
        b"5": "WRONG_FILE",
        b'{"people": "\xff"}': "BAD_BYTES",
        b'{"people": "\0"}': "NUL_BYTES",
        b"[" * 5000: "TOO_DEEP",
        b"[" + b"1" * 5000 + b"]": "OVERSIZED_NUMBER",
    }
    content = b"\n".join(line for broken in bad for line in (broken, good.encode(), b"")) + b"\n"
    rows, set_aside, findings = read_document(content, LINES)
    assert rows == [("1", "x")] * len(bad)
    assert [row.reason for row in set_aside] == list(bad.values())
    assert findings.problems == []


def test_a_last_line_that_breaks_off_is_noticed() -> None:
    _, _, findings = read_document(people('{"id": "1"}') + '\n{"people": [{"id"', LINES)
    assert rules(findings) == ["TRUNCATED"]


XML_PROBLEMS = {
    "nothing": (b"", "EMPTY_FILE"),
    "white space": (b"  \n ", "EMPTY_FILE"),
    "no XML": (b"id,name\n1,Zyxwvut\n", "WRONG_FILE"),
    "another document": (b"<Message><pupils/></Message>", "WRONG_FILE"),
    "cut in a text": (b"<m><people><person><id>Zyxw", "TRUNCATED"),
    "cut behind a row": (b"<m><people><person><id>Zyxwvut</id></person>", "TRUNCATED"),
    "a wrong end": (b"<m><people><person><id>Zyxwvut</name></person></people></m>", "BAD_XML"),
    "two roots": (b"<m><people/></m><Zyxwvut/>", "BAD_XML"),
    "bytes of another encoding": ("<m><people><person><id>Zoë</id></person></people></m>".encode("latin-1"), "BAD_BYTES"),
    "a NUL byte": (b"<m><people><person><id>a\0b</id></person></people></m>", "BAD_BYTES"),
    "a NUL as a reference": (b"<m><people><person><id>&#0;</id></person></people></m>", "BAD_BYTES"),
    "an entity that is not declared": (b"<m><people><person><id>&zyxwvut;</id></person></people></m>", "BAD_XML"),
    "100,000 elements in each other": (b"<m>" * 100_000, "TOO_DEEP"),
    "a document type": (b'<!DOCTYPE m SYSTEM "m.dtd"><m><people/></m>', "XML_ENTITIES"),
}  # fmt: skip


@pytest.mark.parametrize("case", XML_PROBLEMS, ids=lambda case: case.replace(" ", "_"))
def test_a_broken_xml_document_is_refused_by_rule(case: str) -> None:
    content, rule = XML_PROBLEMS[case]
    rows, _, findings = read_document(content, XML)
    assert (rules(findings), rows) == ([rule], [])
    assert SECRET not in str(findings).replace("zyxwvut", SECRET)


def _bomb() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE m [<!ENTITY l0 "lol">{entities}]><m><people><person><id>&l9;</id></person></people></m>'.encode()


HOSTILE = {
    "a billion laughs": _bomb(),
    "quadratic blowup": b'<!DOCTYPE m [<!ENTITY a "' + b"x" * 50_000 + b'">]><m>' + b"&a;" * 50_000 + b"</m>",
    "an external entity": b'<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/hostname">]><m><people><person><id>&x;</id></person></people></m>',
    "a parameter entity": b'<!DOCTYPE m [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]><m><people/></m>',
}


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.replace(" ", "_"))
def test_entities_are_refused_before_anything_is_expanded(case: str) -> None:
    started = time.monotonic()
    rows, _, findings = read_document(HOSTILE[case], XML)
    assert (rules(findings), rows) == (["XML_ENTITIES"], [])
    assert time.monotonic() - started < 5


def test_xml_is_read_in_the_encoding_that_it_declares_with_attributes_and_any_namespace() -> None:
    text = """<?xml version="1.0" encoding="windows-1252"?>
    <x:m xmlns:x="urn:a"><x:people><x:person kind="adult"><id issuer="838">Zoë &amp; <![CDATA[<co>]]></id><name/></x:person>
    <person xmlns="urn:b"><id><!-- none --></id> stray <name> A </name></person></x:people></x:m>"""
    columns = {"kind": "@kind", "issuer": "id/@issuer", "id": None, "name": None}
    rows, set_aside, findings = read_document(
        text.encode("cp1252"), document_file("xml", "people/person", columns)
    )
    assert rows == [("adult", "838", "Zoë & <co>", None), (None, None, None, " A ")]
    assert (set_aside, findings.problems, findings.warnings) == ([], [], [])


def test_an_xml_text_of_monstrous_size_sets_its_row_aside_and_costs_no_other() -> None:
    person = "<person><id>%s</id></person>"
    content = "<m><people>" + person % "1" + person % ("x" * 3_000_000) + person % "3" + "</people></m>"
    rows, set_aside, findings = read_document(content, XML)
    assert rows == [("1", None), ("3", None)]
    assert [(row.row_number, row.reason) for row in set_aside] == [(2, "OVERSIZED_FIELD")]
    assert len(set_aside[0].raw) <= 10_000
    assert findings.problems == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("&amp;", "&"),
        ("&amp;#38;", "&#38;"),
        ("&#38;", "&"),
        ("&lt;&quot;&gt;", '<">'),
        ("&amp;amp;", "&amp;"),
    ],
)
def test_what_xml_writes_as_a_reference_is_read_as_its_sign_in_text_and_attribute(
    written: str, read: str
) -> None:
    content = f'<m><people><person name="{written}"><id>{written}</id></person></people></m>'
    rows, _, _ = read_document(content, document_file("xml", "people/person", {"name": "@name", "id": None}))
    assert rows == [(read, read)]


def test_elements_that_no_path_knows_are_told_once_by_a_path_without_values() -> None:
    person = {"id": "1", "shoe": {"size": 4}, "9990000018": 1, "hat": 1, "x" * 70: 1}
    file = document_file("json", "people", {"id": None}, ignored=("hat",))
    _, _, findings = read_document(as_json({"people": [person, person], "meta": {"a": 1}}), file)
    assert unexpected(findings) == ["people/shoe", "people/(a name not shown)", "meta"]


DOCUMENTS = {
    "json": (JSON, people(*(f'{{"id": "{n}", "name": "Zoë"}}' for n in range(20))).encode()),
    "json_lines": (LINES, "".join(people(f'{{"id": "{n}"}}') + "\n" for n in range(20)).encode()),
    "xml": (XML, ("<m><people>" + "<person><id>1</id><name>é</name></person>" * 20 + "</people></m>").encode()),
    "fhir": (FHIR, fixture("pds_bundle.json")),
}  # fmt: skip
FILE_RULES = {
    "EMPTY_FILE", "WRONG_FILE", "TRUNCATED", "TRAILING_CONTENT", "BAD_JSON", "BAD_XML", "BAD_BYTES", "NUL_BYTES",
    "TOO_DEEP", "OVERSIZED_FIELD", "OVERSIZED_NUMBER", "DUPLICATE_KEY", "XML_ENTITIES",
}  # fmt: skip


@pytest.mark.parametrize("kind", DOCUMENTS)
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_a_document_cut_or_changed_anywhere_never_raises(kind: str, data: st.DataObject) -> None:
    file, content = DOCUMENTS[kind]
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 40)))
    other = data.draw(
        st.one_of(st.binary(max_size=8), st.sampled_from([b"", b"{", b"]", b'"', b"<", b"&a;", b"\\"]))
    )
    tail = data.draw(st.sampled_from([content[end:], b""]))
    _, _, findings = read_document(content[:start] + other + tail, file)
    assert set(rules(findings)) <= FILE_RULES


@pytest.mark.parametrize("kind", DOCUMENTS)
@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=60))
def test_no_bytes_raise(kind: str, content: bytes) -> None:
    _, _, findings = read_document(content, DOCUMENTS[kind][0])
    assert set(rules(findings)) <= FILE_RULES


@pytest.mark.parametrize("kind", ["json", "xml"])
def test_a_document_cut_at_any_byte_is_truncated(kind: str) -> None:
    file, content = DOCUMENTS[kind]
    for length in range(1, len(content), 7):
        assert rules(read_document(content[:length], file)[2]) in (["TRUNCATED"], ["BAD_BYTES"]), length


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"),
    max_size=8,
)
tables = st.lists(st.lists(st.tuples(texts, st.one_of(st.none(), texts)), max_size=4), max_size=5)


@settings(max_examples=80, deadline=None)
@given(tables, st.sampled_from(["json", "json_lines"]), st.booleans())
def test_any_table_written_as_a_nested_document_reads_back(table: list, kind: str, list_at_top: bool) -> None:
    """A family has people; each row is a person with the family's number."""
    file = document_file(
        kind, "families/people", {"family": "../number", "a": "name/a", "b": "name/b"}, null_literals=()
    )  # type: ignore[arg-type]
    families = [
        {"people": [{"name": {"a": a, "b": b}} for a, b in family], "number": str(number)}
        for number, family in enumerate(table)
    ]
    documents = [{"families": [family]} for family in families]
    if kind == "json_lines":
        content = "".join(as_json(document) + "\n" for document in documents) or '{"families": []}\n'
    else:
        content = as_json(documents if list_at_top and documents else {"families": families})
    rows, set_aside, findings = read_document(content, file)
    assert rows == [(str(number), a, b) for number, family in enumerate(table) for a, b in family]
    assert (set_aside, findings.problems) == ([], [])


@settings(max_examples=60, deadline=None)
@given(tables)
def test_any_table_written_as_xml_reads_back(table: list) -> None:
    root = etree.Element("m")
    families = etree.SubElement(root, "families")
    for number, members in enumerate(table):
        family = etree.SubElement(families, "family")
        for a, b in members:
            person = etree.SubElement(family, "person", {} if b is None else {"b": b})
            etree.SubElement(person, "a").text = a
        etree.SubElement(family, "number").text = str(number)
    columns = {"family": "../number", "a": "a", "b": "@b"}
    file = document_file("xml", "families/family/person", columns, null_literals=())
    rows, _, findings = read_document(etree.tostring(root, encoding="utf-8"), file)
    assert rows == [
        (str(number), a if a.strip() else "", b) for number, members in enumerate(table) for a, b in members
    ]
    assert findings.problems == []


def test_duplicates_are_not_what_python_would_make_of_them() -> None:
    assert json.loads('{"id": "1", "id": "2"}') == {"id": "2"}
    assert read_document(people('{"id": "1", "id": "2"}'), JSON)[0] == []


FIELDS = [
    "resourceType",
    "id",
    "meta",
    "name",
    "gender",
    "birthDate",
    "address",
    "telecom",
    "identifier",
    "contact",
]
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["use", "family", "given", "value", "extension", "url", "_given", "x"]), inner, max_size=3),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), values, max_size=4), max_size=3), st.booleans())
def test_whatever_stands_in_a_resource_it_is_a_row_or_set_aside(patients: list, in_bundle: bool) -> None:
    resources = [{"resourceType": "Patient", **patient} for patient in patients]
    entries = [{"resource": resource} for resource in resources]
    bundle = as_json({"resourceType": "Bundle", "entry": entries})
    content = bundle if in_bundle else "".join(as_json(resource) + "\n" for resource in resources)
    rows, set_aside, findings = read_document(content, FHIR)
    assert len(rows) + len(set_aside) + findings.blank_rows == len(resources)
    assert findings.problems == [] or not resources
    assert {row.reason.split(":")[0] for row in set_aside} <= {"FHIR_INVALID", "WRONG_SHAPE", "BAD_CHARACTER"}
