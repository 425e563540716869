#!/usr/bin/env python3
"""The generated tables of docs/ are what the source says, and a source that cannot be read is an error."""
import os
import sys
import unittest

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "scripts", "lib"))
import documents  # noqa: E402


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def read_with(path, before, after):
    """As `read`, with one change in one file."""
    assert before in read(path), f"{path} has no {before}"
    return lambda wanted: read(wanted).replace(before, after, 1) if wanted == path else read(wanted)


class Generated(unittest.TestCase):
    def test_A_reason_is_read_with_status_and_Event(self):
        row = documents.reason("Word", "True or False: It is so (R20, R21). Also an Event.")
        self.assertEqual(row, ("Word", "True or False", "It is so.", True))

    def test_A_rule_number_beside_words_is_removed(self):
        self.assertEqual(documents.reason("Word", "False: It is off (`--a=b`, R18).").means, "It is off (`--a=b`).")

    def test_A_reason_without_a_comment_is_an_error(self):
        broken = read_with("src/core/reasons.hpp", "/// True: The authority can sign.\n", "")
        self.assertRaisesRegex(documents.SourceError, "Usable has no comment", documents.blocks, broken)

    def test_Each_announced_reason_is_marked_as_an_Event(self):
        source = read("src/core/events.cpp")
        announced = set(documents.re.findall(r"Announced\{condition::k\w+, reason::k(\w+),", source))
        marked = {one.word for rows in documents.reasons(read).values() for one in rows if one.event}
        self.assertEqual(announced - marked, set())

    def test_A_flag_shows_its_default_and_its_environment(self):
        row = next(line for line in documents.blocks(read)["flags"].splitlines() if "--smtp-rate" in line)
        self.assertIn("| `--smtp-rate N` | `CERTPAIR_SMTP_RATE` | `60` |", row)

    def test_A_flag_declared_in_another_way_is_an_error(self):
        broken = read_with("controller/options.cpp", 'Add(app, "--workers"', 'AddOther(app, "--workers"')
        self.assertRaisesRegex(documents.SourceError, "declaration of --workers", documents.blocks, broken)

    def test_A_metric_declared_in_another_way_is_an_error(self):
        broken = read_with("src/metrics/registry.cpp", "Gauges(registry", "Others(registry")
        self.assertRaisesRegex(documents.SourceError, "declaration of certpair_", documents.blocks, broken)

    def test_A_value_is_described_in_the_schema_as_in_values_yaml(self):
        made = documents.json.loads(documents.schema(read))
        self.assertIn("maximum of mails in any minute", made["properties"]["smtp"]["properties"]["rate"]["description"])

    def test_A_value_that_the_schema_lacks_is_an_error(self):
        broken = read_with("charts/certpair/values.yaml", "replicas: 2", "replicates: 2")
        self.assertRaisesRegex(documents.SourceError, "no replicates", documents.schema, broken)

    def test_A_value_without_a_comment_is_an_error(self):
        broken = read_with("charts/certpair/values.yaml", "# time between two renewals", "")
        self.assertRaisesRegex(documents.SourceError, "retryPeriod has no comment", documents.blocks, broken)

    def test_A_block_is_replaced_and_the_prose_stays(self):
        text = "before\n<!-- generated: flags -->\nold\n<!-- end of flags -->\nafter\n"
        after, _ = documents.updated({"docs/x.md": text}, read)
        self.assertTrue(after["docs/x.md"].startswith("before\n<!-- generated: flags -->\n| flag |"))
        self.assertTrue(after["docs/x.md"].endswith("|\n<!-- end of flags -->\nafter\n"))

    def test_A_block_that_nothing_generates_is_named(self):
        _, faults = documents.updated({"docs/x.md": "<!-- generated: no -->\n<!-- end of no -->"}, read)
        self.assertIn('docs/x.md: nothing generates the block "no"', faults)

    def test_A_table_that_no_document_has_is_named(self):
        self.assertIn('no document has the block "metrics"', documents.updated({}, read)[1])


if __name__ == "__main__":
    unittest.main()
