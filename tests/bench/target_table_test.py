#!/usr/bin/env python3
"""The table of targets: a row for each, whatever was measured, and never a figure that was not."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import results_page  # noqa: E402  (the path comes first)
import soak  # noqa: E402  (the path comes first)
import stats  # noqa: E402
import target_table  # noqa: E402

OTHERS = {
    "uploads": {"kib_per_upload": 162.4},
    "idle-plain": {"kib_per_connection": 1.2}, "idle-tls": {"kib_per_connection": 19.5},
    "crowd": {"idle": 10_000, "p99_ratio": [1.02, 0.99, 1.06], "disturbed": []},
    "durable-tokens": {"against_one_fsync_each": [30.0, 26.0, 33.0], "against_one_in_flight": [20.0, 19.0, 21.0],
                       "per_second": {"many": 6000, "one": 300, "mixed": 20000, "fsync": 200}},
    "durable-tokens-1ms": {"against_one_fsync_each": [26.0, 24.0, 27.0], "against_one_in_flight": [31.0, 28.0, 33.0],
                           "per_second": {"many": 24000, "one": 900, "mixed": 50000, "fsync": 925}},
    "scaling": [{"workload": stats.FORM, "connections": connections, "cpu_us_per_request": ratio, "requests_per_second": [1.2, 1.1, 1.3],
                 "disturbed": [], "one": {"proxy_cpu_us": 13.0, "proxy_switches": 0.03}, "two": {"proxy_cpu_us": 13.1, "proxy_switches": 0.06}, "apart": {"proxy_cpu_us": 13.2, "proxy_switches": 0.07},
                 "cpu_of_apart": [0.992, 0.985, 1.004]}
                for connections, ratio in ((64, [1.03, 1.01, 1.06]), (256, [1.01, 0.99, 1.04]))],
    "transformations": [{"row": row, "intervals": {"of_primitive": speed, "whole_ns": whole}} for row, speed, whole in (
        ("pseudonym, 32 bytes", [0.85, 0.82, 0.88], [300, 295, 310]), ("derived token, 32 bytes", [0.81, 0.75, 0.83], [300, 295, 310]),
        ("encrypted value, 32 bytes", [0.5, 0.5, 0.5], [300, 300, 300]), ("preserved number, 16 digits", [0.9, 0.9, 0.9], [400, 390, 410]))],
    "stores": {"benchmarks": [
        {"name": "vault_known_in_memory/values:1/real_time", "error_occurred": True},
        {"name": "vault_known_in_memory/values:4/real_time", "cpu_time": 1000.0},
        {"name": "store_find_known/1000000/real_time", "cpu_time": 1.0, "items_per_second": 200_000.0},
        {"name": "keys_open/1000", "real_time": 3.0}, {"name": "keys_open/100000", "real_time": 310.0}]},
    "reveal": [{"what": "appends, 64 in flight", "fsync_us": 0, "of_what_the_disk_allows": 0.9},
               {"what": "appends, 64 in flight", "fsync_us": 1000, "of_what_the_disk_allows": 0.5},
               {"what": "single reveal, 1 connection", "fsync_us": 0, "tokens_per_second": 900}],
    "counted": [{"workload": stats.GET, "worker": 0.00001}, {"workload": stats.FORM, "worker": 1.0}],
    "inflate": {"inflate_us": 6.0},
    "stored-tokens": {"goal": 1.2, "lines": [{
        "stored": 10_000_000,
        "first": {"cpu": 90.0, "cpu_base": 30.0, "cpu_ratio": [3.0, 3.0, 3.0], "p99_ratio": [9.0, 9.0, 9.0], "disturbed": ["too short"]},
        "steady": {"cpu": 12.6, "cpu_base": 12.0, "cpu_ratio": [1.05, 1.03, 1.07], "p99_ratio": [1.1, 1.0, 1.2], "disturbed": []},
        "daily": {"cpu": 13.0, "cpu_base": 12.0, "cpu_ratio": [1.08, 1.02, 1.15], "p99_ratio": [1.1, 1.0, 1.2], "disturbed": []},
        "noted": {"cpu": 40.0, "cpu_base": 25.0, "cpu_ratio": [1.6, 1.5, 1.7], "p99_ratio": [2.0, 1.9, 2.1], "disturbed": []}}]},
}
LATENCY = [{"peer": "paravent", "quantile": "p50_us", "added_us": 30.0, "low": 28.0, "high": 33.0, "void": False},
           {"peer": "nginx", "quantile": "p50_us", "added_us": 31.0, "low": 28.0, "high": 33.0, "void": False}]


def table(**given):
    return {row[0]: row[1:] for row in target_table.rows(given.get("ratios", []), given.get("calls", {}), given.get("latency", ()),
                                                         given.get("others"), given.get("soak"))}


class Rows(unittest.TestCase):
    def test_every_target_has_a_row_even_where_nothing_was_measured(self):
        found = table()
        for number in range(1, 25):
            rows = [row for name, row in found.items() if name.split(" ")[0] == f"T{number}"]
            self.assertTrue(rows, f"T{number}")
            for row in rows:
                self.assertEqual(len(row), 8)
        measured = {name: row[5] for name, row in found.items()}
        self.assertEqual((measured.pop("T20"), measured.pop("T23")), ("not built", "not built"))
        self.assertEqual(set(measured.values()), {"not measured in this run"})
        self.assertIn("bench/idle_crowd.py", found["T13"][6])

    def test_they_come_in_order(self):
        names = [name for name in table() if name.startswith("T")]
        numbers = [int(name.split(" ")[0][1:]) for name in names]
        self.assertEqual(numbers, sorted(numbers))

    def test_what_the_others_measured(self):
        found = {name: row[6] for name, row in table(others=OTHERS, latency=LATENCY).items()}
        self.assertEqual({name: found[name] for name in ("T9", "T12", "T12 TLS", "T13", "T14 p50", "T16 HMAC", "T16 SIV", "T16 AEAD",
                                                        "T17", "T18", "T18 store", "T18 stored", "T18 first of the day", "T18 noted", "T19", "T19 disk 1 ms",
                                                        "T19 one in flight", "T21", "T21 disk 1 ms", "T22",
                                                        "T22 form",
                                                        "scaling", "scaling 256", "unsealing")},
                         {"T18 stored": "goal met", "T22": "goal met", "T22 form": "goal met", "T9": "goal met", "T12": "goal met", "T12 TLS": "goal met", "T13": "goal met", "T14 p50": "goal met",
                          "T16 HMAC": "goal met", "T16 SIV": "limit kept", "T16 AEAD": "missed", "T17": "goal met",
                          "T18": "goal met", "T18 store": "limit kept", "T18 first of the day": "goal met", "T18 noted": "missed", "T19": "goal met",
                          "T19 disk 1 ms": "limit kept", "T19 one in flight": "goal met", "T21": "goal met", "T21 disk 1 ms": "missed", "scaling": "missed", "scaling 256": "goal met", "unsealing": "goal met"})

    def test_a_state_that_a_run_did_not_measure_has_no_figure(self):
        line = {state: row for state, row in OTHERS["stored-tokens"]["lines"][0].items() if state != "noted"}
        found = table(others=OTHERS | {"stored-tokens": {"goal": 1.2, "lines": [line]}})
        self.assertEqual((found["T18 first of the day"][6], found["T18 noted"][5]), ("goal met", "not measured in this run"))

    def test_a_disturbed_or_smaller_measurement_is_none(self):
        noisy = OTHERS | {"crowd": OTHERS["crowd"] | {"disturbed": ["steal"]}}
        self.assertEqual(table(others=noisy)["T13"][6], "void")
        small = OTHERS | {"crowd": OTHERS["crowd"] | {"idle": 1000}}
        self.assertEqual(table(others=small)["T13"][5], "not measured in this run")

    def test_a_busy_machine_spoils_times_and_no_sizes(self):
        rows = {row[0]: row[7] for row in target_table.rows([], {}, (), OTHERS, None, True)}
        self.assertEqual({name: rows[name] for name in ("T9", "T12", "T16 HMAC", "T18 store", "T19", "T21", "scaling", "scaling 256")},
                         {"T9": "goal met", "T12": "goal met", "T16 HMAC": "void", "T18 store": "void", "T19": "void", "T21": "void",
                          "scaling": "void", "scaling 256": "void"})

    def test_gzip_in_times_of_inflating(self):
        rounds = [{"workload": stats.GZIP, "round": str(number), "peer": peer, "proxy_cpu_us": cost + 10 * number}
                  for peer, cost in ((stats.PLAIN, 60.0), (stats.US, 66.6)) for number in range(3)]
        # Interrupted in the midst of one: what is alone is left out, and shifts nothing.
        rounds.insert(0, {"workload": stats.GZIP, "round": "3", "peer": stats.US, "proxy_cpu_us": 500.0})
        found = {row[0]: row[1:] for row in target_table.rows([], {}, (), OTHERS, rounds=rounds)}
        self.assertEqual(found["T15"][5:7], ("1.100", "goal met"))
        self.assertEqual(table(others=OTHERS)["T15"][5], "not measured in this run")

    def test_what_a_run_could_not_measure_says_why(self):
        self.assertEqual(table(others={"why": {"T18 stored": "no stores"}})["T18 stored"][5], "no stores")

    def test_the_page_says_both_disks_and_when_tokens_were_used(self):
        text = "\n".join(results_page.other_sections({name: OTHERS[name] for name in ("durable-tokens", "durable-tokens-1ms", "scaling", "stored-tokens")}))
        self.assertIn("| as it is | 6000 |", text)
        self.assertIn("| 1000 us | 24000 |", text)
        self.assertIn("| 10000000 | first use of the day, noted | 40.00 | 25.00 | 1.600 (1.500 to 1.700) |", text)
        self.assertIn("| 13.00 | 13.10 | 13.20 | 1.030 (1.010 to 1.060) | 0.992 (0.985 to 1.004) |", text)
        self.assertNotIn("Stored tokens", "\n".join(results_page.other_sections({})))

    def test_files_of_a_run(self):
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder)
            self.assertEqual(target_table.read_others(place), {})
            (place / "others").mkdir()
            (place / "others" / "uploads.json").write_text(json.dumps(OTHERS["uploads"]), encoding="utf-8")
            self.assertEqual(target_table.read_others(place), {"uploads": OTHERS["uploads"]})


class Soak(unittest.TestCase):
    def samples(self, per_minute, noise=0):
        return [{"at": 30.0 * n, "memory": 70_000 + per_minute * n / 2 + (noise if n % 2 else -noise), "descriptors": 80}
                for n in range(60)]

    def result(self, samples, **more):
        return {"minutes": 30, "connections": 64, "requests": 1_000_000, "failed": 0, "unprotected": 0, "uploads": 10_000, "reloads": 90,
                "restarts": 60, "memory_kib": [70_000, 70_100], "open": [80, 120], "open_at_rest": [30, 30], "p99_us": [900.0, 910.0], "p99_drift": 1.01,
                "memory": soak.growth(samples, "memory", 360)} | more

    def test_the_slope_is_told_per_ten_minutes(self):
        value, low, high = soak.growth(self.samples(70), "memory", 360)
        self.assertAlmostEqual(value, 0.01, delta=0.0005)
        self.assertTrue(low <= value <= high)

    def test_nothing_grows(self):
        result = self.result(self.samples(0, noise=300))
        said = soak.verdicts(result)
        self.assertEqual((said["memory"], said["descriptors"], said["p99"], said["failed requests"]),
                         ("no growth", "no growth", "no drift", "none"))
        self.assertIn("failed requests: 0: none", soak.text_of(result, said))

    def test_what_grows_fails_or_one(self):
        self.assertEqual(soak.verdicts(self.result(self.samples(200)))["memory"], "MISSED")
        self.assertEqual(soak.verdicts(self.result(self.samples(20)))["memory"], "limit kept")
        for work in ("requests", "uploads", "reloads", "restarts"):
            self.assertEqual(soak.verdicts(self.result(self.samples(0), **{work: 0}))["work"], f"MISSED: no {work}")
        self.assertEqual(soak.verdicts(self.result(self.samples(0), open_at_rest=[30, 31]))["descriptors"], "MISSED")
        self.assertEqual(soak.verdicts(self.result(self.samples(0), open_at_rest=[30, 29]))["descriptors"], "no growth")
        # By the worse end, and never by the better one.
        wide = {"memory": (0.005, -0.01, 0.03)}
        self.assertTrue(soak.verdicts(self.result(self.samples(0), **wide))["memory"].startswith("no verdict"))
        self.assertEqual(soak.verdicts(self.result(self.samples(0), memory=(0.02, -0.001, 0.04)))["memory"], "MISSED")
        few = self.result(self.samples(0), memory=soak.growth(self.samples(0)[:2], "memory", 0))
        self.assertTrue(soak.verdicts(few)["memory"].startswith("no verdict"))
        self.assertEqual(soak.verdicts(self.result(self.samples(0), failed=1))["failed requests"], "MISSED")
        self.assertEqual(soak.verdicts(self.result(self.samples(0), unprotected=1))["unprotected bodies"], "MISSED")
        self.assertEqual(soak.verdicts(self.result(self.samples(0), p99_drift=1.3))["p99"], "MISSED")

    def test_a_short_run_judges_no_growth(self):
        said = soak.verdicts(self.result(self.samples(200), minutes=1))
        self.assertEqual({said["memory"], said["p99"]}, {"too short a run for a verdict"})
        self.assertEqual(soak.tally(said), (4, 0))  # memory and p99 are neither

    def test_what_was_not_shown_to_hold_has_not_passed(self):
        self.assertEqual(soak.tally(soak.verdicts(self.result(self.samples(0)))), (6, 0))
        wide = soak.verdicts(self.result(self.samples(0), memory=(0.005, -0.01, 0.03)))
        self.assertEqual(soak.tally(wide), (5, 1))
        self.assertEqual(soak.tally(soak.verdicts(self.result(self.samples(200), failed=1))), (4, 2))

    def test_the_table_takes_the_last_one_on_record(self):
        result = self.result(self.samples(0))
        text = soak.text_of(result, soak.verdicts(result)).splitlines()
        measured, verdict = table(soak=text)["T24"][5:7]
        self.assertIn("another run (Mixed soak, 30 minutes", measured)
        self.assertIn("failed requests: 0", measured)
        self.assertEqual(verdict, "goal met")
        kept = self.result(self.samples(20))
        self.assertEqual(table(soak=soak.text_of(kept, soak.verdicts(kept)).splitlines())["T24"][6], "see tests/results/soak.txt")
        bad = self.result(self.samples(0), failed=3)
        self.assertEqual(table(soak=soak.text_of(bad, soak.verdicts(bad)).splitlines())["T24"][6], "missed")


if __name__ == "__main__":
    unittest.main()
