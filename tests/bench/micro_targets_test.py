#!/usr/bin/env python3
"""The table of targets says "met" only where both the time and the speed are reached."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import micro_targets  # noqa: E402  (the path comes first)


def found(whole, text, primitive, library):
    times = {}
    for _, name, _ in micro_targets.TARGETS:
        times.update({f"targets/{name}": whole, f"targets/{name}/text": text,
                      f"targets/{name}/primitive": primitive, f"targets/{name}/library": library})
    return times


class Rows(unittest.TestCase):
    def test_met_needs_the_time_and_the_speed(self):
        self.assertTrue(all(row["met"] for row in micro_targets.rows_of(found(50, 10, 32, 20))))
        slow = micro_targets.rows_of(found(50, 10, 31.9, 20))
        self.assertFalse(any(row["met"] for row in slow), "79.75 % of the primitive's speed")
        late = micro_targets.rows_of(found(350.1, 10, 340, 300))
        self.assertEqual([row["met"] for row in late], [False, True, True, False, True, False])

    def test_the_text_is_not_counted_and_may_be_missing(self):
        times = found(40, 10, 30, 15)
        del times["targets/ipcrypt/text"], times["targets/ipcrypt/primitive"]
        rows = {row["row"]: row for row in micro_targets.rows_of(times)}
        self.assertEqual(rows["derived token, 32 bytes"]["of_primitive"], 1.0)
        self.assertEqual(rows["derived token, 32 bytes"]["of_library"], 0.5)
        address = rows["address, ipcrypt deterministic"]
        self.assertEqual((address["bare_ns"], address["primitive_ns"]), (40, 15))
        self.assertFalse(address["met"])

    def test_a_missing_benchmark_is_no_figure(self):
        times = found(40, 10, 30, 15)
        del times["targets/sealed/library"]
        with self.assertRaises(KeyError):
            micro_targets.rows_of(times)

    def test_each_repetition_is_compared_with_its_own_primitive(self):
        document = {"benchmarks": [{"run_type": "iteration", "run_name": name, "repetition_index": index, "cpu_time": time}
                                   for index in (1, 0) for name, time in found(50 + 100 * index, 10, 32 + 80 * index, 20).items()]}
        single = micro_targets.repetitions(document)
        self.assertEqual(single["targets/derived"], [50, 150])
        speeds = micro_targets.intervals(single)["derived token, 32 bytes"]
        self.assertEqual([round(value, 3) for value in speeds["of_primitive"]], [0.8, 0.8, 0.8])
        self.assertEqual(speeds["whole_ns"][1:], (50, 150))

    def test_medians_only_and_in_nanoseconds(self):
        entries = [{"run_name": "a", "aggregate_name": name, "cpu_time": time, "time_unit": "ns"}
                   for name, time in (("mean", 9.0), ("median", 7.0), ("stddev", 1.0))]
        self.assertEqual(micro_targets.medians({"benchmarks": entries}), {"a": 7.0})
        entries[1]["time_unit"] = "us"
        with self.assertRaises(ValueError):
            micro_targets.medians({"benchmarks": entries})


if __name__ == "__main__":
    unittest.main()
