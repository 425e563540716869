#!/usr/bin/env python3
"""Each check of the documents can fail, and lets through what it should."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import document_rules as documents  # noqa: E402

ROW = "| R1 | A sentence. | `src/core/rules.cpp` | `Suite.Says_so` |\n"
GOOD = {
    "docs/rules.md": ROW,
    "src/core/rules.cpp": "// R1: why.\n",
    "tests/unit/core/rules_test.cpp": "TEST(Suite, Says_so) {}\nTEST_P(Table, Of_all_rows) {}\n",
    "tests/integration/chart/life_test.py": "class Life(unittest.TestCase):\n    def test_It_goes_on(self):\n",
    "tests/CMakeLists.txt": "add_test(NAME rules.Each_can_fail COMMAND x)\n",
    "ARCHITECTURE.md": "`core/rules.cpp` `rules.cpp` `Some/Table.Of_all_rows` `Life.test_It_goes_on` `rules.Each_can_fail`\n",
}


class Documents(unittest.TestCase):
    def broken_by(self, path: str, text: str):
        return [(p.path, p.line, p.text) for p in documents.problems({**GOOD, path: text})]

    def test_The_good_tree_breaks_nothing(self):
        self.assertEqual([], documents.problems(GOOD))

    def test_A_number_without_a_row_is_named(self):
        self.assertEqual([("src/core/new.cpp", 2, "R28 has no row in docs/rules.md")],
                         self.broken_by("src/core/new.cpp", "\n// R28: new.\n"))

    def test_Other_words_are_no_rule_numbers(self):
        self.assertEqual([], self.broken_by("src/core/new.cpp", "// SR28, R28x, AB:R28:CD, R100\n"))

    def test_A_test_that_was_renamed_is_named(self):
        self.assertEqual([("ARCHITECTURE.md", 1, "there is no test Suite.Says_another_thing")],
                         self.broken_by("ARCHITECTURE.md", "| x | `Suite.Says_another_thing` |\n"))

    def test_A_file_that_was_moved_is_named(self):
        self.assertEqual([("docs/rules.md", 1, "there is no file src/core/gone.cpp")],
                         self.broken_by("docs/rules.md", ROW.replace("rules.cpp", "gone.cpp")))

    def test_A_row_names_a_test(self):
        self.assertEqual([("docs/rules.md", 1, "a row names at least one test")],
                         self.broken_by("docs/rules.md", ROW.replace("`Suite.Says_so`", "none")))


if __name__ == "__main__":
    unittest.main()
