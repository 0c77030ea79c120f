#!/usr/bin/env python3
"""The statistics decide whether a claim holds, so they are tried with rounds of known outcome."""

import json
import pathlib
import random
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import added_latency  # noqa: E402  (the path comes first)
import others  # noqa: E402  (the path comes first)
import results_page  # noqa: E402  (the path comes first)
import stats  # noqa: E402
import target_table  # noqa: E402

COST = {"nginx": 18.5, "nginx-null": 18.5, "paravent": 17.0, "haproxy": 19.4, "nginx-lua": 34.0,
        "nginx-lua-light": 30.0, "nginx-lua-typical": 44.0, "nginx-njs": 50.0, "relay-floor": 15.2}


GET_COST = {peer: us for peer, us in COST.items() if "lua" not in peer and "njs" not in peer}


def rows_of(cost, rounds=11, noise=0.005, foreign=0.01, steal=0.0, workload=stats.FORM):
    draw = random.Random(7)
    rows = []
    for number in range(rounds):
        weather = 1 + draw.uniform(0, 0.3)  # the machine's own drift: the same for all in a round
        for peer, us in cost.items():
            spent = us * weather * (1 + draw.uniform(-noise, noise))
            rows.append({"workload": workload, "round": str(number), "peer": peer, "proxy_cpu_us": spent,
                         "requests_per_second": 1e6 / spent, "p50_us": spent * 60,
                         "p99_us": spent * 90, "requests": 1000, "errors": 0,
                         "proxy_cpu_busy": 0.99, "own_cpu_busy": 0.8,
                         "foreign": foreign, "steal": steal})
    return rows


def counts(good, bad=0, gets=0, email=2048, name=560, city=20, message=60000):
    distinct = {"name": name, "email": email, "phone": email, "city": city, "message": message}
    return {"good": good, "bad": bad, "gets": gets, "distinct": distinct}


def row(result, peer, metric):
    return next(r for r in result if (r["peer"], r["metric"]) == (peer, metric))


class More(unittest.TestCase):
    """Rounds that are added in another hour (run.sh --more)."""

    def test_workloads_in_which_nginx_differs_from_itself_want_more(self):
        calm = rows_of(COST)
        wild = rows_of(GET_COST, noise=0.2, workload=stats.GET)
        self.assertEqual(stats.open_workloads(stats.compare(calm)), [])
        self.assertEqual(stats.open_workloads(stats.compare(wild + calm)), [stats.GET])

    def test_a_goal_within_the_interval_wants_more_on_whichever_side_the_median_is(self):
        def found(low, high, metric="cpu_us_per_request", peer="nginx", workload=stats.FORM, void=False, rounds=()):
            return stats.open_workloads([{"workload": workload, "peer": peer, "metric": metric, "low": low, "high": high, "void": void}], rounds)

        self.assertEqual(found(0.97, 1.01), [stats.FORM])
        self.assertEqual(found(0.99, 1.20), [stats.FORM])
        self.assertEqual(found(0.97, 1.00), [])
        self.assertEqual(found(1.00, 1.05), [])
        # What has no goal is never open because of it.
        self.assertEqual(found(0.97, 1.01, metric="latency_p50"), [])
        self.assertEqual(found(0.97, 1.01, metric="latency_p50", void=True), [])
        self.assertEqual(found(0.97, 1.01, peer="haproxy"), [])
        # A figure with a goal that is none because of its own null control: processor time is not all there is.
        self.assertEqual(found(1.30, 1.40, metric="requests_per_second", workload=stats.GET, void=True), [stats.GET])
        self.assertEqual(found(1.30, 1.40, metric="requests_per_second", workload=stats.GET), [])
        # But where the load was the limit no number of rounds makes it one.
        busy = [one | {"own_cpu_busy": 0.95} for one in rows_of(GET_COST, workload=stats.GET)]
        self.assertEqual(found(1.30, 1.40, metric="requests_per_second", workload=stats.GET, void=True, rounds=busy), [])
        self.assertEqual(found(0.97, 1.01, rounds=busy), [stats.FORM])

    def test_more_rounds_join_the_first_ones(self):
        first, later = rows_of(COST), rows_of(COST)
        for row_ in later:
            row_["round"] = str(int(row_["round"]) + 11)
            row_["sitting"] = "1"
        self.assertEqual(row(stats.compare(first + later), "nginx", "cpu_us_per_request")["rounds"], 22)
        self.assertEqual(results_page.more_rounds(first, 11), [])
        self.assertIn(f"{stats.FORM} 22", results_page.more_rounds(first + later, 11)[1])

    def test_each_sitting_has_its_own_witness(self):
        rows = rows_of({"paravent": 17.0}, rounds=2)
        later = rows_of({"paravent": 17.0}, rounds=2)
        for row_ in later:
            row_["sitting"] = "1"
        none = {"tokens": counts(0, email=0, name=0, city=0, message=0)}
        for bad, faults in ((0, 0), (3, 1)):
            with tempfile.TemporaryDirectory() as folder:
                root = pathlib.Path(folder)
                for name, found in (("before", none), ("after", {"tokens": counts(2000, message=2000)}),
                                    ("before-1", none), ("after-1", {"tokens": counts(2000, bad=bad, message=2000)})):
                    (root / f"counts-{name}.json").write_text(json.dumps(found), encoding="utf-8")
                self.assertEqual(len(stats.faults_of_all(root, rows + later)), faults)

    def test_what_was_disturbed_or_left_nothing_is_done_again(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name in others.SECONDS:
                (root / f"{name}.json").write_text(json.dumps({"disturbed": []}), encoding="utf-8")
            (root / "scaling.json").write_text(json.dumps([{"disturbed": []}, {"disturbed": ["steal"]}]), encoding="utf-8")
            (root / "stored-tokens.json").write_text(json.dumps({"lines": [{"daily": {"disturbed": ["x"]}}]}), encoding="utf-8")
            (root / "crowd.json").unlink()
            self.assertEqual(others.to_do_again(root), ["crowd", "scaling", "stored-tokens"])


class Ratios(unittest.TestCase):
    def test_drift_of_the_machine_cancels(self):
        found = row(stats.compare(rows_of(COST)), "nginx", "cpu_us_per_request")
        self.assertAlmostEqual(found["ratio"], 17.0 / 18.5, delta=0.01)
        self.assertLessEqual(found["low"], found["ratio"])
        self.assertLessEqual(found["ratio"], found["high"])
        self.assertLess(found["high"] - found["low"], 0.02)
        self.assertFalse(found["void"])
        self.assertEqual(found["rounds"], 11)

    def test_every_peer_and_metric_is_there(self):
        result = stats.compare(rows_of(COST))
        self.assertEqual(len(result), len(stats.PEERS) * len(stats.METRICS))
        wanted = {"workload", "peer", "metric", "ratio", "low", "high", "null_control", "void"}
        for found in result:
            self.assertLessEqual(wanted, set(found))

    def test_repeatable(self):
        self.assertEqual(stats.compare(rows_of(COST)), stats.compare(rows_of(COST)))

    def test_a_round_without_every_peer_is_left_out(self):
        rows = [r for r in rows_of(COST) if not (r["round"] == "3" and r["peer"] == "nginx")]
        self.assertEqual(row(stats.compare(rows), "nginx", "latency_p50")["rounds"], 10)

    def test_without_the_gateway_there_is_no_ratio(self):
        cost = {peer: us for peer, us in COST.items() if peer != "paravent"}
        self.assertEqual(stats.compare(rows_of(cost)), [])


class Quantiles(unittest.TestCase):
    def test_of_several_histograms_together(self):
        many, few = [[10.0, 90], [20.0, 9], [500.0, 1]], [[10.0, 1], [30.0, 99]]
        self.assertEqual(stats.quantile_of([many], 0.5), 10.0)
        self.assertEqual(stats.quantile_of([many], 0.99), 20.0)
        self.assertEqual(stats.quantile_of([many, few], 0.5), 20.0)
        self.assertEqual(stats.quantile_of([many, few], 1.0), 500.0)
        with self.assertRaises(ValueError):
            stats.quantile_of([], 0.5)

    def rounds(self, stalls, fast=100.0, slow=1000.0):
        return [[[fast, 1000 - stalled], [slow, stalled]] for stalled in stalls]

    def test_the_same_on_both_sides_is_one(self):
        rounds = self.rounds([8, 12] * 15)
        self.assertEqual(stats.interval_of_quantile_ratio(rounds, rounds, 0.99), (1.0, 1.0, 1.0))

    def test_what_is_slower_throughout_is_found(self):
        value, low, high = stats.interval_of_quantile_ratio(self.rounds([20] * 20, slow=1200.0), self.rounds([20] * 20), 0.99)
        self.assertEqual((value, low, high), (1.2, 1.2, 1.2))

    def test_an_interval_is_as_wide_as_the_rounds_differ(self):
        """Each side has stalls in every other round, so that some draws have enough of them for the quantile and some do not."""
        value, low, high = stats.interval_of_quantile_ratio(self.rounds([0, 24] * 8), self.rounds([24, 0] * 8), 0.99)
        self.assertEqual(value, 1.0)
        self.assertLess(low, 0.2)
        self.assertGreater(high, 5.0)

    def test_rounds_belong_together(self):
        with self.assertRaises(ValueError):
            stats.interval_of_quantile_ratio(self.rounds([1]), self.rounds([1, 1]), 0.99)


class Batches(unittest.TestCase):
    rows = (rows_of({"nginx": 26.0, "nginx-null": 26.0, "paravent": 60.0, "nginx-lua": 330.0}, workload=stats.BATCH)
            + rows_of({"nginx": 17.0, "nginx-null": 17.0, "paravent": 62.0, "paravent-plain": 60.0}, workload=stats.GZIP))

    def test_microseconds_above_nginx_and_the_cost_of_gzip(self):
        result = stats.compare(self.rows)
        above = row(result, "nginx", stats.ABOVE)
        self.assertTrue(34.0 < above["low"] <= above["ratio"] <= above["high"] < 45.0)
        packed = row(result, stats.PLAIN, "cpu_us_per_request")
        self.assertAlmostEqual(packed["ratio"], 62 / 60, delta=0.02)
        steady = [one | {"proxy_cpu_us": {"paravent": 65.0, "paravent-plain": 60.0}[one["peer"]]}
                  if one["peer"].startswith("paravent") else one for one in self.rows]
        self.assertEqual(stats.verdict(row(stats.compare(steady), stats.PLAIN, "cpu_us_per_request")),
                         "goal 1.10 met")
        slow = [one | {"proxy_cpu_us": 70.0} if (one["workload"], one["peer"]) == (stats.GZIP, "paravent") else one
                for one in steady]
        self.assertEqual(stats.verdict(row(stats.compare(slow), stats.PLAIN, "cpu_us_per_request")),
                         "limit 1.25 kept")

    def test_both_readings_of_the_comparison_with_lua(self):
        exact = [one | {"proxy_cpu_us": {"nginx": 30.0, "nginx-null": 30.0, "paravent": 60.0, "nginx-lua": 230.0}[one["peer"]]}
                 for one in self.rows if one["workload"] == stats.BATCH]
        result = stats.compare(exact)
        whole, above = (row(result, "nginx-lua", metric) for metric in ("cpu_us_per_request", stats.ABOVE_NGINX))
        self.assertAlmostEqual(whole["ratio"], 60 / 230, delta=0.0001)
        self.assertAlmostEqual(above["ratio"], 30 / 200, delta=0.0001)
        self.assertEqual((stats.verdict(whole), stats.verdict(above)), ("limit 0.33 kept", "goal 0.20 met"))
        rows = {row[0]: (row[1], row[7]) for row in target_table.rows(result, {})}
        self.assertEqual((rows["T6"], rows["T6 above nginx"]), ((stats.BATCH, "limit kept"), (stats.BATCH, "goal met")))

    def test_a_peer_no_dearer_than_nginx_has_nothing_above_it(self):
        cheap = [one | {"proxy_cpu_us": 26.0} if one["peer"] in ("nginx", "nginx-lua") else one for one in self.rows]
        self.assertEqual([one for one in stats.compare(cheap) if one["metric"] == stats.ABOVE_NGINX], [])

    def test_void_where_the_machine_was_disturbed(self):
        noisy = [one | {"foreign": 0.2} for one in self.rows]
        self.assertEqual(stats.verdict(row(stats.compare(noisy), "nginx", stats.ABOVE)), "void")


class Page(unittest.TestCase):
    def test_a_row_per_target_with_its_verdict(self):
        rows = rows_of(COST) + rows_of(GET_COST | {"paravent": 25.0}, workload=stats.GET)
        calls = {stats.FORM: {"paravent": 4.11}, stats.GET: {"paravent": 6.5}}
        found = {(name, row[0]): row[-1] for name, row in target_table.round_rows(stats.compare(rows), calls).items()}
        self.assertEqual(found, {
            ("T1", stats.GET): "missed", ("T2", stats.GET): "missed", ("T3", stats.GET): "limit kept",
            ("T1 CPU", stats.GET): "missed", ("T2 CPU", stats.GET): "missed",
            ("T4", stats.FORM): "stretch met", ("T5", stats.FORM): "limit kept", ("T5 typical", stats.FORM): "goal met",
            ("T5 njs", stats.FORM): "missed", ("T3 form", stats.FORM): "stretch met"})

    def test_requests_per_second_count_while_the_proxy_is_the_limit(self):
        rows = rows_of(GET_COST, workload=stats.GET)
        ratios = stats.compare(rows)

        def measured(busy, load):
            own = [row | {"proxy_cpu_busy": busy, "own_cpu_busy": load} for row in rows]
            return target_table.round_rows(ratios, {}, own)["T1"][5]

        self.assertNotIn("processor 1", measured(0.99, 0.8))
        self.assertIn("processor 1", measured(0.99, 0.95))
        self.assertIn("processor 1", measured(0.9, 0.8))

    def test_void_rows_say_so(self):
        ratios = stats.compare(rows_of(COST, steal=0.04))
        self.assertEqual({row[-1] for row in target_table.round_rows(ratios, {}).values()}, {"void"})
        facts = {"processor": "P", "kernel": "K", "commit": "c" * 40, "uncommitted": False,
                 "compiler": "C", "packages": {"nginx-light": "1"},
                 "settings": {"rounds": "11", "window": "1", "connections": "64"}}
        text = results_page.page(rows_of(COST), ratios, {}, facts)
        self.assertIn("Void because of:", text)
        self.assertIn("steal", text)
        self.assertNotIn("Of another commit", text)

    def test_the_page_says_where_its_figures_come_from(self):
        facts = {"processor": "P", "kernel": "K", "commit": "c" * 40, "uncommitted": False, "compiler": "C", "packages": {},
                 "command": "bench/run.sh --minutes 45", "started": "2026-11-29 23:09", "settings": {"rounds": "11", "window": "1", "connections": "64"}}
        when = {"crowd": {"at": "2026-11-29 23:40", "commit": "c" * 12}, "scaling": {"at": "2026-11-30 08:00", "commit": "d" * 12}}
        text = results_page.page(rows_of(COST), stats.compare(rows_of(COST)), {}, facts, others={"when": when})
        self.assertIn("`bench/run.sh --minutes 45`, from 2026-11-29 23:09 UTC", text)
        self.assertIn(f"Of another commit: scaling ({'d' * 12}, 2026-11-30 08:00).", text)


class Void(unittest.TestCase):
    def test_null_control_outside_its_band(self):
        result = stats.compare(rows_of(COST | {"nginx-null": 18.5 * 1.06}))
        self.assertTrue(all(found["void"] for found in result))
        self.assertIn("nginx against itself", result[0]["void_reasons"][0])

    def test_noise_widens_the_null_interval(self):
        self.assertTrue(stats.compare(rows_of(COST, noise=0.3))[0]["void"])

    def test_steal_and_foreign_work(self):
        self.assertTrue(stats.compare(rows_of(COST, steal=0.04))[0]["void"])
        self.assertTrue(stats.compare(rows_of(COST, foreign=0.2))[0]["void"])
        self.assertEqual(stats.verdict(stats.compare(rows_of(COST, steal=0.04))[0]), "void")

    def test_verdicts(self):
        def verdict(us):
            result = stats.compare(rows_of(COST | {"paravent": us}))
            return stats.verdict(row(result, "nginx", "cpu_us_per_request"))

        self.assertEqual(verdict(17.0), "goal 1.00 met")
        self.assertEqual(verdict(20.0), "limit 1.15 kept")
        self.assertEqual(verdict(22.0), "limit 1.15 MISSED")

    def test_more_requests_are_better(self):
        def verdict(us):
            result = stats.compare(rows_of(GET_COST | {"paravent": us}, workload=stats.GET))
            return stats.verdict(row(result, "nginx", "requests_per_second"))

        self.assertEqual(verdict(16.0), "goal 1.10 met")
        self.assertEqual(verdict(18.5), "limit 0.95 kept")
        self.assertEqual(verdict(20.5), "limit 0.95 MISSED")

    def test_workloads_are_never_mixed(self):
        slow = {peer: 10 * us for peer, us in GET_COST.items()}
        result = stats.compare(rows_of(COST) + rows_of(slow | {"paravent": 370}, workload=stats.GET))
        ratios = {r["workload"]: r["ratio"] for r in result
                  if (r["peer"], r["metric"]) == ("nginx", "cpu_us_per_request")}
        self.assertAlmostEqual(ratios[stats.FORM], 17.0 / 18.5, delta=0.02)
        self.assertAlmostEqual(ratios[stats.GET], 2.0, delta=0.02)


# Eleven rounds of 1 000 requests: four peers that change nothing, one each with the two kinds of tokens, three
# scripts whose values are only looked at.
AFTER = {"clear": counts(44000), "tokens": counts(11000), "peer-tokens": counts(11000),
         "changed": counts(33000, email=3 * 2048, name=3 * 560, city=60)}


class Witness(unittest.TestCase):
    before = {name: counts(0, email=0, name=0, city=0, message=0)
              for name in ("clear", "tokens", "peer-tokens", "changed")}

    def faults(self, **changes):
        after = AFTER
        return stats.witness_faults(self.before, after | changes, rows_of(COST))

    def test_a_clean_run_has_none(self):
        self.assertEqual(self.faults(), [])

    def test_one_unprotected_body_is_enough(self):
        self.assertEqual(len(self.faults(tokens=counts(10999, bad=1))), 1)

    def test_the_peer_that_does_the_same_job_is_judged_alike(self):
        self.assertEqual(len(self.faults(**{"peer-tokens": counts(10999, bad=1)})), 1)
        self.assertTrue(self.faults(**{"peer-tokens": counts(11000, email=1)}))

    def test_the_gateway_without_gzip_has_the_keys_of_the_gateway(self):
        """Twice as many different tokens as there are addresses are too many, however many names the same sender has."""
        rows = rows_of(COST) + rows_of({stats.PLAIN: 60.0}, workload=stats.GZIP)
        after = {name: counts(11000) | {"batches": 11000, "bad_batches": 0} for name in self.before}
        after["tokens"] = counts(11000, email=3 * stats.FORMS) | {"batches": 11000, "bad_batches": 0}
        before = {name: counts(0) | {"batches": 0, "bad_batches": 0} for name in self.before}
        after["clear"] = counts(44000) | {"batches": 0, "bad_batches": 0}
        faults = stats.witness_faults(before, after, rows)
        self.assertTrue(any("'tokens'" in fault and "e-mail addresses became" in fault for fault in faults), faults)

    def test_gets_that_never_reached_the_backend(self):
        rows = rows_of(GET_COST, workload=stats.GET)
        after = self.before | {"clear": counts(0, gets=44000), "tokens": counts(0, gets=11000)}
        self.assertEqual(stats.witness_faults(self.before, after, rows), [])
        after["tokens"] = counts(0, gets=10999)
        self.assertIn("only 10999 GETs", stats.witness_faults(self.before, after, rows)[0])

    def batch_rows(self, workload):
        return rows_of(GET_COST | {"nginx-lua": 200.0}, workload=workload)

    def test_batches_are_judged_where_they_are_not_clear(self):
        good = {name: counts(0) | {"batches": n, "bad_batches": 0}
                for name, n in (("clear", 44000), ("tokens", 11000), ("peer-tokens", 11000), ("changed", 0))}
        before = {name: counts(0) | {"batches": 0, "bad_batches": 0} for name in good}
        rows = self.batch_rows(stats.BATCH)
        self.assertEqual(stats.witness_faults(before, good, rows), [])
        bad = good | {"tokens": counts(0) | {"batches": 10999, "bad_batches": 1}}
        self.assertEqual(len(stats.witness_faults(before, bad, rows)), 2)

    def test_a_handshake_that_was_not_resumed_is_no_resumption(self):
        rows = [row | {"resumed": row["requests"]} for row in rows_of(GET_COST, workload=stats.RESUMPTION)]
        after = self.before | {"clear": counts(0, gets=44000), "tokens": counts(0, gets=11000)}
        self.assertEqual(stats.witness_faults(self.before, after, rows), [])
        rows[0]["resumed"] = 0
        self.assertIn("were resumed", stats.witness_faults(self.before, after, rows)[0])

    def test_uploads_that_never_reached_the_backend(self):
        rows = rows_of(GET_COST, workload=stats.UPLOAD)
        before = {name: counts(0) | {"uploads": 0} for name in self.before}
        after = before | {"clear": counts(0) | {"uploads": 44000}, "tokens": counts(0) | {"uploads": 11000}}
        self.assertEqual(stats.witness_faults(before, after, rows), [])
        after["tokens"] = counts(0) | {"uploads": 10999}
        self.assertIn("only 10999 uploads", stats.witness_faults(before, after, rows)[0])

    def test_answers_that_never_reached_the_backend(self):
        self.assertIn("only 5000 bodies", self.faults(tokens=counts(5000))[0])

    def test_the_same_token_for_everybody(self):
        self.assertTrue(self.faults(tokens=counts(11000, email=1)))

    def test_a_derived_token_that_does_not_repeat(self):
        self.assertTrue(self.faults(tokens=counts(11000, name=10000)))

    def test_scripts_that_share_a_service_have_keys_each(self):
        self.assertTrue(self.faults(changed=counts(33000, email=4 * 2048 * 2)))
        self.assertTrue(self.faults(changed=counts(33000, name=2000 * 3)))

    def test_a_ciphertext_that_repeats(self):
        self.assertTrue(self.faults(tokens=counts(11000, message=216)))

    def test_failed_requests(self):
        rows = rows_of(COST)
        rows[0]["errors"] = 2
        after = AFTER
        self.assertEqual(len(stats.witness_faults(self.before, after, rows)), 1)


def latency_rows(ours, nginx=(40, 150, 900), rounds=9, direct=(50, 200, 1000)):
    rows = []
    for number in range(rounds):
        weather = 1 + number / 10  # a slower machine is slower for everybody
        for peer, quantiles in ((added_latency.DIRECT, (0, 0, 0)), ("nginx", nginx), ("haproxy", nginx),
                                ("paravent", ours)):
            p50, p99, p999 = (base * weather + own for base, own in zip(direct, quantiles))
            rows.append({"workload": stats.FORM, "round": str(number), "peer": peer, "p50_us": p50, "p99_us": p99,
                         "p999_us": p999, "requests": 1000, "answered": 1000, "errors": 0, "rate": 1000.0})
    return rows


class AddedLatency(unittest.TestCase):
    def ours(self, rows):
        return {line["quantile"]: line for line in added_latency.report(rows) if line["peer"] == "paravent"}

    def test_what_the_application_takes_is_taken_off(self):
        found = self.ours(latency_rows((30, 120, 800)))
        self.assertEqual([round(found[q]["added_us"]) for q in added_latency.QUANTILES], [30, 120, 800])
        self.assertAlmostEqual(found["p50_us"]["of_nginx"], 0.75, places=2)
        self.assertEqual({line["verdict"] for line in found.values()}, {"goal met"})

    def test_limits_and_nginx_both_count(self):
        found = self.ours(latency_rows((50, 400, 800)))
        self.assertEqual(found["p50_us"]["verdict"], "limit kept, more than 1.15 of nginx's")
        self.assertIn("missed", found["p99_us"]["verdict"])

    def test_where_nginx_adds_nothing_there_is_no_ratio(self):
        self.assertNotIn("of_nginx", self.ours(latency_rows((30, 120, 800), nginx=(0, 0, 0)))["p50_us"])

    def test_an_unanswered_request_is_a_fault(self):
        rows = latency_rows((30, 120, 800))
        self.assertEqual(added_latency.faults_of(rows), [])
        rows[3]["answered"] = 999
        self.assertEqual(len(added_latency.faults_of(rows)), 1)

    def test_half_of_the_slowest(self):
        self.assertEqual(added_latency.rate_of(rows_of(COST, noise=0)),
                         int(added_latency.rate_of([r for r in rows_of(COST, noise=0) if r["peer"] == "nginx-lua"])))

    def test_the_page_shows_it(self):
        lines = added_latency.report(latency_rows((30, 120, 800)))
        text = "\n".join(results_page.latency_section(lines))
        self.assertIn("| paravent | p50 | 30.0 |", text)
        self.assertEqual(results_page.latency_section([]), [])


class Strace(unittest.TestCase):
    def test_total_line(self):
        text = ("% time     seconds  usecs/call     calls    errors syscall\n"
                " 60.00    0.100000           5     20000           sendto\n"
                " 40.00    0.050000           5     20000        12 recvfrom\n"
                "100.00    0.150000           3     40000        12 total\n")
        self.assertEqual(stats.syscalls_per_request(text, 10000), 4.0)
        self.assertIsNone(stats.syscalls_per_request(text, 0))
        self.assertIsNone(stats.syscalls_per_request("", 10))


if __name__ == "__main__":
    unittest.main()
