#!/usr/bin/env python3
"""What bench/run.sh will do and for how long: chooses rounds and windows that fit into so many minutes.

  plan.py --slots N --counted N [--renewed N] [--latency-slots N] [--others S S] [--minutes M | --rounds N --warm-up S --window S]

Prints `ROUNDS WARM-UP WINDOW PACE` to standard output and the plan, in sentences, to standard error. PACE is the share of their usual seconds
that the programs of others.py take. Of minutes it makes many short rounds before it makes long ones: two that are compared meet the same
moment of the machine, and the interval is narrower for it (docs/decisions/0070).
"""

import argparse
import math
import sys

ROUNDS, MOST_ROUNDS = 11, 45
WARM_UP_SHARE = 0.2    # of a window
OVERHEAD = 0.12        # seconds that a window takes beside: a process, its connections, what is under way at the end
RENEWAL = 0.9          # the start and the first requests of a peer that is renewed for every window
COUNT_OVERHEAD = 1.2   # the same where strace comes and goes
START = 60             # peers, certificate, the first run of the gateway, and the page after every workload
LEAST_PACE = 0.5
SHORTEST, USUAL, LONGEST = 0.5, 0.6, 5.0


def chosen(options):
    """(rounds, warm-up, window, pace): what was asked for, or what fits."""
    if options.minutes is None:
        return options.rounds, options.warm_up, options.window, 1.0
    slots = options.slots + options.latency_slots
    # Others take a third where they can be shortened to that; their windows halve at most.
    shorter, fixed = options.others
    pace = 1.0 if not shorter else min(1.0, max(LEAST_PACE, (20 * options.minutes - fixed) / shorter))
    left = 60 * options.minutes - START - pace * shorter - fixed - options.counted * (options.count_seconds + COUNT_OVERHEAD)

    def round_of(window):
        return slots * (OVERHEAD + window * (1 + WARM_UP_SHARE)) + options.renewed * RENEWAL

    if left < ROUNDS * round_of(SHORTEST):
        needed = (ROUNDS * round_of(SHORTEST) + 60 * options.minutes - left) / 60
        sys.exit(f"bench: {options.minutes:g} minutes are too few; {math.ceil(needed)} would do, or fewer workloads.")
    rounds = max(ROUNDS, min(MOST_ROUNDS, int(left / round_of(USUAL))))
    window = min(LONGEST, ((left / rounds - options.renewed * RENEWAL) / slots - OVERHEAD) / (1 + WARM_UP_SHARE))
    return rounds, round(window * WARM_UP_SHARE, 2), round(window, 2), round(pace, 2)


def seconds_of(options, rounds, warm_up, window, pace):
    """{part: seconds}"""
    each = rounds * (warm_up + window + OVERHEAD)
    return {"rounds": options.slots * each + options.renewed * rounds * RENEWAL, "added latency": options.latency_slots * each,
            "system calls": options.counted * (options.count_seconds + COUNT_OVERHEAD), "others": pace * options.others[0] + options.others[1], "start and report": START}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", type=int, required=True, help="peers of all workloads, added up")
    parser.add_argument("--renewed", type=int, default=0, help="of these slots, peers that are started anew for every window")
    parser.add_argument("--latency-slots", type=int, default=0)
    parser.add_argument("--counted", type=int, default=0, help="windows under strace")
    parser.add_argument("--count-seconds", type=float, default=1.0)
    parser.add_argument("--others", type=float, nargs=2, default=(0.0, 0.0), help="seconds of others.py: what a pace shortens, what not")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--warm-up", type=float)
    parser.add_argument("--window", type=float)
    options = parser.parse_args(arguments)
    found = chosen(options)
    parts = seconds_of(options, *found)
    print(*found)
    rounds, warm_up, window, pace = found
    print(f"bench: {rounds} rounds, windows of {window:g} s after {warm_up:g} s; others at {pace:g} of their seconds. Expected: "
          f"{sum(parts.values()) / 60:.1f} minutes (" + ", ".join(f"{name} {part / 60:.1f}" for name, part in parts.items() if part) + ")",
          file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
