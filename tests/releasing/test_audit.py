"""An audit is clean when every package was asked about, and not when nobody answered."""

from __future__ import annotations

import json

from audit import NOT_ASKED, VULNERABLE, read

FINE = {"name": "a", "version": "1", "vulns": []}
BAD = {
    "name": "b",
    "version": "2",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"], "aliases": [], "description": ""}],
}
SKIPPED = {"name": "c", "skip_reason": "Dependency not found on PyPI"}


def report(*packages: object) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_all_asked_about_and_fine():
    audit = read([report(FINE), report(FINE | {"name": "d"})])
    assert (audit.status, audit.asked) == (0, 2)
    assert audit.text() == "2 packages asked about, 0 known vulnerabilities"


def test_a_vulnerability_is_named_with_its_mend():
    audit = read([report(FINE, BAD, SKIPPED)])
    assert audit.status == VULNERABLE
    assert "b 2: PYSEC-1, mended in 2.1" in audit.text()


def test_what_could_not_be_asked_about_is_no_clean_audit():
    audit = read([report(FINE, SKIPPED)])
    assert audit.status == NOT_ASKED
    assert "1 could not be asked about" in audit.text()
    assert read([report()]).status == NOT_ASKED
