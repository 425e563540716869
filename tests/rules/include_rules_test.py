#!/usr/bin/env python3
"""Each rule can fail, and lets through what it should: a check that cannot fail is worse than none."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import include_rules as rules  # noqa: E402

# A small tree that breaks nothing.
GOOD = {
    "src/base/clock.hpp": "#include <chrono>\nclass SystemClock { auto f() { return std::chrono::system_clock::now(); } };\n",
    "src/base/log.cpp": '#include "base/clock.hpp"\n#include <fmt/format.h>\n#include <spdlog/spdlog.h>\n',
    "src/core/rules.hpp": '#include "base/clock.hpp"\n#include <vector>\n',
    "src/core/rules.cpp": '#include "core/rules.hpp"\n#include <fmt/format.h>\n',
    "src/x509/key.hpp": '#include "core/rules.hpp"\n#include <openssl/x509.h>\n#include <sys/prctl.h>\n',
    "src/kube/client.hpp": '#include "base/clock.hpp"\n#include <nlohmann/json.hpp>\n#include <openssl/ssl.h>\n',
    "src/kube/transport_cpprest.cpp": "#include <cpprest/http_client.h>\n#include <pplx/pplx.h>\n#include <openssl/x509v3.h>\n",
    "src/http/message.hpp": "#include <map>\n",
    "src/http/server.cpp": "#include <boost/beast/http/parser.hpp>\n",
    "src/metrics/registry.cpp": '#include "http/message.hpp"\n#include <prometheus/registry.h>\n',
    "src/reconcile/observe.hpp": '#include "kube/client.hpp"\n#include "x509/key.hpp"\n',
    "controller/options.hpp": "#include <string>\n",
    "controller/main.cpp": '#include "options.hpp"\n#include "reconcile/observe.hpp"\nint main() { std::signal(1, f); getenv("X"); SystemClock c; }\n',
    "tests/unit/x509/key_test.cpp": '#include "x509/key.hpp"\n#include <openssl/pem.h>\n',
    "README.md": "Keys look like `BEGIN PRIVATE KEY`. See /etc/kubernetes/ and $HOME/.kube.\n",
}


def pem(label: str, body: str) -> str:
    dashes = "-" * 5
    return f"{dashes}BEGIN {label}{dashes}\n{body}\n{dashes}END {label}{dashes}\n"


class Rules(unittest.TestCase):
    def broken_by(self, path: str, text: str):
        """What a file breaks when it is added to, or replaced in, the good tree."""
        return [(p.path, p.line, p.text) for p in rules.problems({**GOOD, path: text})]

    def expect_break(self, path: str, text: str, line: int, words: str):
        found = self.broken_by(path, text)
        self.assertTrue(any(p == path and at == line and words in what for p, at, what in found),
                        f"{path} should break '{words}' at line {line}; found: {found}")

    def expect_fine(self, path: str, text: str):
        self.assertEqual(self.broken_by(path, text), [])

    def test_the_good_tree_breaks_nothing(self):
        self.assertEqual(rules.problems(GOOD), [])

    def test_a_folder_includes_only_what_the_table_allows(self):
        for folder, target in [("base", "core/rules.hpp"), ("core", "x509/key.hpp"), ("core", "kube/client.hpp"),
                               ("x509", "kube/client.hpp"), ("kube", "core/rules.hpp"), ("kube", "x509/key.hpp"),
                               ("metrics", "kube/client.hpp"), ("notify", "kube/client.hpp"),
                               ("kube", "reconcile/observe.hpp")]:
            with self.subTest(folder=folder, target=target):
                self.expect_break(f"src/{folder}/new.cpp", f'#pragma once\n#include "{target}"\n', 2, "must not include")

    def test_a_folder_links_only_what_it_may_include(self):
        self.expect_fine("src/CMakeLists.txt", "certpair_library(base fmt::fmt)\ncertpair_library(x509 certpair_core OpenSSL::Crypto)\n")
        self.expect_break("src/CMakeLists.txt", "certpair_library(base fmt::fmt)\ncertpair_library(kube certpair_core)\n", 2, "must not link core")

    def test_a_program_includes_its_own_files_and_all_of_src(self):
        self.expect_fine("plugin/main.cpp", '#include "reconcile/observe.hpp"\n')
        self.expect_break("plugin/main.cpp", '#include "options.hpp"\n', 1, "written from src/")

    def test_includes_are_written_from_src(self):
        self.expect_break("src/core/new.cpp", '#include "rules.hpp"\n', 1, "written from src/")
        self.expect_break("src/core/new.cpp", '#include "../base/clock.hpp"\n', 1, "written from src/")
        self.expect_break("src/core/new.cpp", '#include "core/absent.hpp"\n', 1, "written from src/")

    def test_a_new_folder_must_be_in_the_table(self):
        self.expect_break("src/helpers/a.cpp", "int a;\n", 1, "not in the table")

    def test_base_headers_include_the_standard_library_only(self):
        self.expect_break("src/base/new.hpp", "#include <fmt/format.h>\n", 1, "standard library only")
        self.expect_fine("src/base/new.cpp", "#include <fmt/format.h>\n")
        self.expect_break("src/base/new.cpp", "#include <nlohmann/json.hpp>\n", 1, "not for src/base")
        self.expect_break("src/base/new.cpp", "#include <sys/socket.h>\n", 1, "not for src/base")

    def test_core_does_no_IO_and_knows_neither_OpenSSL_nor_JSON(self):
        for header in ["fstream", "iostream", "filesystem", "thread", "mutex", "random", "cstdlib"]:
            with self.subTest(header=header):
                self.expect_break("src/core/new.hpp", f"#include <{header}>\n", 1, "is pure")
        for header in ["openssl/evp.h", "nlohmann/json.hpp", "unistd.h", "sys/socket.h", "spdlog/spdlog.h"]:
            with self.subTest(header=header):
                self.expect_break("src/core/new.hpp", f"#include <{header}>\n", 1, "not for src/core")

    def test_only_x509_includes_certificate_headers(self):
        for header in ["x509.h", "x509v3.h", "x509_vfy.h", "pem.h", "pkcs12.h"]:
            with self.subTest(header=header):
                self.expect_break("src/kube/new.cpp", f"#include <openssl/{header}>\n", 1, "only src/x509")
        self.expect_break("controller/tls.cpp", "#include <openssl/x509.h>\n", 1, "only src/x509")

    def test_one_file_includes_Beast(self):
        self.expect_break("src/http/new.cpp", "#include <boost/asio/post.hpp>\n", 1, "alone")
        self.expect_break("src/metrics/new.cpp", "#include <boost/beast/http.hpp>\n", 1, "not for src/metrics")

    def test_one_file_includes_libcurl(self):
        self.expect_break("src/notify/outbox.cpp", "\n#include <curl/curl.h>\n", 2, "alone")

    def test_exactly_one_file_includes_cpprestsdk(self):
        for path in ["src/kube/new.cpp", "controller/new.cpp", "bench/new.cpp", "tests/fault/new.cpp"]:
            with self.subTest(path=path):
                self.expect_break(path, "\n#include <cpprest/json.h>\n", 2, "alone")
        self.expect_break("src/kube/new.cpp", "#include <pplx/pplx.h>\n", 1, "alone")
        self.expect_break(rules.THE_CPPREST_FILE, "int a;\n", 1, "does not")

    def test_only_main_looks_at_clock_environment_and_signals(self):
        for code, words in [("auto t = std::chrono::system_clock::now();", "wall clock"),
                            ("auto t = std::chrono::system_clock :: now();", "wall clock"),
                            ("const SystemClock clock;", "wall clock"), ("time(nullptr);", "wall clock"),
                            ("auto t = steady_clock::now();", "steady clock"),
                            ('std::getenv("HOME");', "environment"), ('setenv("A", "b", 1);', "environment"),
                            ("sigaction(SIGTERM, &a, nullptr);", "signals"),
                            ("std::signal(SIGTERM, f);", "signals"), ("signal(SIGTERM, f);", "signals")]:
            for path in ["src/reconcile/new.cpp", "src/kube/new.hpp", "controller/options.cpp"]:
                with self.subTest(code=code, path=path):
                    self.expect_break(path, f"\nvoid f() {{\n  {code}\n}}\n", 3, words)
        self.expect_fine("src/kube/work_queue.cpp", "auto t = steady_clock::now();\n")
        self.expect_break("src/kube/work_queue.cpp", "auto t = system_clock::now();\n", 1, "wall clock")

    def test_comments_and_texts_may_speak_of_them(self):
        self.expect_fine("src/core/new.cpp", "// not SystemClock\n/* getenv(\n sigaction( */\n"
                                             'auto a = "std::getenv(x)";\nauto b = R"(system_clock::now())";\n')
        self.expect_break("src/core/new.cpp", '/* a\n b */ auto x = "q\\""; getenv("x");\n', 2, "environment")

    def test_no_private_key_is_in_the_repository(self):
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"]:
            with self.subTest(label=label):
                self.expect_break("examples/a.yaml", "a: |\n" + pem(label, "MII" * 20), 2, "private key")
        self.expect_break("tests/a.cpp", '"' + pem("PRIVATE KEY", "MII" * 20).replace("\n", "\\n") + '"', 1, "private key")
        self.expect_break("examples/a.yaml", "tls.key: LS0tLS1CRUdJTi" + "BQUklWQVRF" + "A" * 80 + "\n", 1, "private key")
        self.expect_break("tests/ca.key", "x\n", 1, "key material")
        self.expect_fine("examples/a.yaml", pem("CERTIFICATE", "MII" * 20))
        self.expect_fine("tests/a.cpp", '"' + pem("PRIVATE KEY", "AAAA") + '"')

    def test_files_are_at_most_500_lines(self):
        self.expect_fine("src/core/long.cpp", "int a;\n" * 500)
        self.expect_break("src/core/long.cpp", "int a;\n" * 501, 501, "501 lines")

    def test_no_path_of_a_machine(self):
        for path in ["/" + "root/x", "/" + "work/main", "'/" + "home/joe/src'", "(/" + "root/.cache)"]:
            with self.subTest(path=path):
                self.expect_break("docs/a.md", f"first\nsee {path}\n", 2, "machine")
        for path in ["/workspace/x", "https://example.com/root", "src/work/x", "$HOME/work/x", "/homepage"]:
            with self.subTest(path=path):
                self.expect_fine("docs/a.md", f"see {path}\n")


if __name__ == "__main__":
    unittest.main()
