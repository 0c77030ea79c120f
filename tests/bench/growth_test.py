#!/usr/bin/env python3
"""The growth page: what is sent to the gateway, and what is said of it."""

import json
import pathlib
import sys
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import growth  # noqa: E402  (the path comes first)


class Policies(unittest.TestCase):
    def test_as_many_routes_and_rules_as_asked_for(self):
        for routes, rules in ((1, 5), (10, 5), (1000, 5), (1, 10), (1, 10000)):
            text = growth.policy(routes, rules)
            self.assertEqual(text.count("- name:"), routes)
            self.assertEqual(text.count("path: /contact }"), 1)
            self.assertEqual(text.count(" do: "), 5 * (routes - 1) + rules)

    def test_the_route_in_use_is_neither_first_nor_last(self):
        text = growth.policy(100, 5)
        self.assertTrue(0.3 < text.index("contact-form") / len(text) < 0.7)


def point(axis, value, ratio, **more):
    line = {"axis": axis, "value": value, "disturbed": []}
    for name in ("cpu", "rate", "p99"):
        line |= {name: 13.0 * ratio, name + "_ratio": ratio, name + "_low": ratio - 0.01, name + "_high": ratio + 0.01}
    return line | more


class Page(unittest.TestCase):
    def page(self, lines):
        with mock.patch.object(growth, "plot", lambda lines, axis, field, what, folder: f"{axis}-{field}.svg"):
            return growth.page(lines, pathlib.Path("nowhere"), "Commit 0.")

    def test_a_row_per_point_and_its_plots(self):
        text = self.page([point("routes", 1, 1.0), point("routes", 1000, 1.02)])
        self.assertIn("| 1000 | 13.26 | 1.020 (1.010 to 1.030)", text)
        self.assertIn("(growth/routes-cpu.svg)", text)
        self.assertNotIn("## Rules", text)

    def test_a_disturbed_point_says_so(self):
        self.assertIn("Void: steal", self.page([point("rules", 10, 1.0, disturbed=["steal"])]))

    def test_tokens(self):
        line = {"axis": "tokens", "value": 1000, "disturbed": []}
        for number, name in enumerate(growth.TOKEN_BENCHES):
            line |= {name: 1.5 + number, name + "_ratio": 1.0 + number}
        self.assertIn("| 1000 | 1.50 (1.00) | 2.50 (2.00) | 3.50 (3.00) |", self.page([line]))
        self.assertNotIn("requests/s", self.page([line]))
        text = self.page([line | point("tokens", 1000, 1.1)])
        self.assertIn("| 1000 | 14.30 | 1.100 (1.090 to 1.110) | 14 | 1.100 (1.090 to 1.110) | 14 | 1.100 (1.090 to 1.110) |", text)
        self.assertIn("(growth/tokens-rate.svg)", text)

    def test_tokens_over_real_sockets_go_by_the_first(self):
        steady = {"disturbed": ["steal"]}
        for name in ("cpu", "rate", "p99"):
            steady |= {name: 12.0, name + "_base": 10.0, name + "_ratio": [1.2, 1.1, 1.3]}
        lines = {"lines": [{"stored": 1000000, "steady": steady}]}

        def run(command, **_):
            command[command.index("--json") + 1].write_text(json.dumps(lines), encoding="utf-8")

        options = mock.Mock(binary="b", tools="t", seconds=0.4, rounds=3)
        with mock.patch.object(growth.subprocess, "run", run), mock.patch.dict(growth.os.environ, {"PARAVENT_BENCH_STORES": "s"}):
            found = growth.over_sockets(options, [1000, 1000000])
        self.assertEqual(found[1000000], {"disturbed": ["steal"]} | {f"{name}{what}": value for name in ("cpu", "rate", "p99") for what, value in (
            ("", 12.0), ("_ratio", 1.2), ("_low", 1.1), ("_high", 1.3))})
        self.assertEqual((found[1000]["cpu"], found[1000]["rate_ratio"]), (10.0, 1.0))


if __name__ == "__main__":
    unittest.main()
