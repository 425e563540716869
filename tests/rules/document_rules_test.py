#!/usr/bin/env python3
"""Each check of the documents can fail, and lets through what it should."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import document_rules as documents  # noqa: E402

FOLDERS = "".join(f"| `{folder}` | what | {', '.join(sorted(names)) or 'nothing of ours'} |\n" for folder, names in documents.MAY_INCLUDE.items())
LIST = "| `src/core/rules.cpp` | `Decide`, the member `at_expiry`; more in `src/core/other.cpp` and `tests/unit` |\n"
ROW = "| R1 | A sentence. | `Decide` in `src/core/rules.cpp` | `Suite.Says_so` |\n"
GOOD = {
    "docs/rules.md": ROW,
    "src/core/rules.cpp": "// R1: why.\nDecision Decide(const View& view) { return at_expiry + kMost; }\n",
    "src/core/other.cpp": "\n",
    "docs/design/where-to-add-what.md": LIST,
    "docs/design/memory.md": "`core::Decide` `kMost` `rules.cpp` `Decision` `Ready`\n",
    "tests/unit/core/rules_test.cpp": "TEST(Suite, Says_so) {}\nTEST_P(Table, Of_all_rows) {}\n",
    "tests/integration/chart/life_test.py": "class Life(unittest.TestCase):\n    def test_It_goes_on(self):\n",
    "tests/CMakeLists.txt": "add_test(NAME rules.Each_can_fail COMMAND x)\n",
    "ARCHITECTURE.md": FOLDERS + "`core/rules.cpp` `rules.cpp` `Some/Table.Of_all_rows` `Life.test_It_goes_on` `rules.Each_can_fail`\n",
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
                         self.broken_by("ARCHITECTURE.md", "| x | `Suite.Says_another_thing` |\n" + FOLDERS))

    def test_A_file_that_was_moved_is_named(self):
        self.assertIn(("docs/rules.md", 1, "there is no file src/core/gone.cpp"),
                      self.broken_by("docs/rules.md", ROW.replace("rules.cpp", "gone.cpp")))

    def test_A_file_that_a_list_names_exists(self):
        path = "docs/design/where-to-add-what.md"
        self.assertEqual([(path, 1, "there is no file src/core/gone.cpp")], self.broken_by(path, LIST.replace("rules.cpp", "gone.cpp")))
        self.assertIn((path, 1, "there is no file src/core/gone.cpp"), self.broken_by(path, LIST.replace("other.cpp", "gone.cpp")))
        self.assertIn((path, 1, "there is no file tests/gone"), self.broken_by(path, LIST.replace("tests/unit", "tests/gone")))

    def test_A_name_that_a_list_gives_is_in_the_file(self):
        path = "docs/design/where-to-add-what.md"
        self.assertEqual([(path, 1, "src/core/rules.cpp has no Decided")], self.broken_by(path, LIST.replace("`Decide`", "`Decided`")))
        self.assertEqual([(path, 1, "src/core/rules.cpp has no at_end")], self.broken_by(path, LIST.replace("at_expiry", "at_end")))

    def test_A_type_that_a_design_names_is_in_the_code(self):
        path = "docs/design/memory.md"
        for gone in ("core::Decided", "kLeast", "NoSuchType"):
            self.assertEqual([(path, 1, f"the code has no {gone}")], self.broken_by(path, f"`{gone}`\n"))

    def test_A_link_that_leads_nowhere_is_named(self):
        for link, fault in (("gone.md", "the link gone.md leads nowhere"), ("../src/core/gone.cpp", "the link ../src/core/gone.cpp leads nowhere"),
                            ("rules.md#no", "docs/rules.md has no heading for #no")):
            self.assertEqual([("docs/new.md", 1, fault)], self.broken_by("docs/new.md", f"See [it]({link}).\n"))

    def test_A_link_that_leads_somewhere_is_fine(self):
        for link in ("rules.md", "../src/core/rules.cpp", "design", "https://example.com/x", "#the-first-one"):
            self.assertEqual([], self.broken_by("docs/new.md", f"## The first `one`\n[it]({link}) and `[no]({{link}})`\n"))

    def test_ARCHITECTURE_does_not_grow(self):
        self.assertEqual([("ARCHITECTURE.md", 201, "201 lines, and the maximum is 200: details belong into docs/")],
                         self.broken_by("ARCHITECTURE.md", FOLDERS + "\n" * (201 - FOLDERS.count("\n"))))

    def test_The_table_of_folders_is_the_one_that_is_checked(self):
        self.assertEqual([("ARCHITECTURE.md", 2, "src/core may include base, as include_rules.py has it")],
                         self.broken_by("ARCHITECTURE.md", FOLDERS.replace("| `src/core` | what | base |", "| `src/core` | what | base, kube |")))
        self.assertEqual([("ARCHITECTURE.md", 1, "the table of folders has no row for src/kube")],
                         self.broken_by("ARCHITECTURE.md", FOLDERS.replace("`src/kube`", "`src/cube`")))

    def test_A_row_names_a_function_of_its_file(self):
        self.assertEqual([("docs/rules.md", 1, "src/core/rules.cpp has no Decided")], self.broken_by("docs/rules.md", ROW.replace("Decide", "Decided")))
        self.assertEqual([("docs/rules.md", 1, "no function is named before src/core/rules.cpp")],
                         self.broken_by("docs/rules.md", ROW.replace("`Decide` in ", "")))

    def test_A_row_names_a_test(self):
        self.assertEqual([("docs/rules.md", 1, "a row names at least one test")],
                         self.broken_by("docs/rules.md", ROW.replace("`Suite.Says_so`", "none")))


if __name__ == "__main__":
    unittest.main()
