#!/usr/bin/env python3
"""The plan of a run keeps to its minutes, and every program of others.py answers for targets that the table has."""

import contextlib
import io
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import others  # noqa: E402  (the path comes first)
import plan  # noqa: E402
import target_table  # noqa: E402

ALL = ["--slots", "47", "--renewed", "3", "--latency-slots", "5", "--counted", "35", "--others", "459", "295"]


def planned(*arguments):
    """([rounds, warm-up, window, pace], what was said)"""
    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        plan.main([*ALL, *arguments])
    return [float(word) for word in out.getvalue().split()], said.getvalue()


class Plan(unittest.TestCase):
    def test_it_fits_into_its_minutes(self):
        for minutes in (20, 25, 28, 30, 60, 73.75, 120):
            (rounds, warm_up, window, pace), said = planned("--minutes", str(minutes))
            self.assertGreaterEqual(rounds, 11)
            self.assertTrue(plan.SHORTEST <= window <= plan.LONGEST and 0 < warm_up < window and 0.5 <= pace <= 1, said)
            expected = float(said.split("Expected: ")[1].split()[0])
            self.assertLessEqual(expected, minutes + 0.1)
            # Rounds before length: a window is longer than usual only where there are as many rounds as are of use.
            self.assertTrue(window < 1.5 * plan.USUAL or rounds == plan.MOST_ROUNDS, said)

    def test_too_few_minutes_say_how_many_would_do(self):
        with self.assertRaisesRegex(SystemExit, "5 minutes are too few; [0-9]+ would do"):
            planned("--minutes", "5")

    def test_what_is_asked_for_is_kept(self):
        self.assertEqual(planned("--rounds", "3", "--warm-up", "0.1", "--window", "2")[0], [3, 0.1, 2, 1])


class Others(unittest.TestCase):
    def test_every_program_answers_for_targets_of_the_table(self):
        self.assertEqual(set(others.TARGETS), set(others.SECONDS))
        named = {target for targets in others.TARGETS.values() for target in targets}
        self.assertLessEqual(named, {row[0] for row in target_table.OTHERS})
        # Whatever is neither the latency's, the soak's nor built has a program here.
        rest = {row[0] for row in target_table.OTHERS if not row[0].startswith("T14") and row[-1] != target_table.NOT_BUILT}
        self.assertEqual(rest - named, {"T24"})


if __name__ == "__main__":
    unittest.main()
