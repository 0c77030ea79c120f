#!/usr/bin/python3
"""20 000 phone numbers of ten countries, read by our normaliser and by python3-phonenumbers.

    tests/crypto/tokens/phone_oracle.py BUILD/tests/crypto/tokens/paravent_phone_reader [SEED]

The numbers are drawn with a fixed seed: four in five of a range that the library knows, of any type; the others of
random digits and length. Each is spelled in one of the ways that people write numbers, national or international.
Agreement is:

* a number that the library calls valid gets the same E.164 from us;
* one whose length no number of its country has is refused;
* in between (a range that nobody has been given) we give the same E.164 or refuse, since our table knows first
  digits and lengths only.

Everything else fails, unless phone_exceptions.tsv says why it is meant.
"""
import os
import random
import re
import subprocess
import sys

try:
    import phonenumbers as pn
except ImportError:
    sys.exit("python3-phonenumbers is not installed (section [test] of the packages)")

REGIONS = ("FR", "BE", "CH", "DE", "ES", "IT", "GB", "LU", "PT", "US")
PER_REGION = 2000
SEED = 20261203
E164 = pn.PhoneNumberFormat.E164
NATIONAL = pn.PhoneNumberFormat.NATIONAL
INTERNATIONAL = pn.PhoneNumberFormat.INTERNATIONAL
OVERSEAS = ["262161234", "269601234", "590201234", "594101234", "596301234", "508412345"]  # dialled within France
# Not U+202F, which the library refuses: the narrow space is a case of ours, in cases/phone.tsv.
SEPARATORS = (" ", "-", ".", "/", "  ", " - ", "\u00a0", "\u2011", "\u2013", "\u2212", "\u200b", "\u2060")
EXCEPTIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "phone_exceptions.tsv")


def examples(region):
    found = [pn.example_number_for_type(region, kind) for kind in sorted(pn.PhoneNumberType.values())]
    found = [pn.national_significant_number(number) for number in found if number is not None]
    return found + OVERSEAS if region == "FR" else found


def parsed(text, region):
    """None when the library refuses, or reads more than a number (an extension)."""
    try:
        number = pn.parse(text, region)
    except pn.NumberParseException:
        return None
    return None if number.extension else number


def known_number(rng, region, near):
    """A valid number whose first digits are those of an example."""
    code = pn.country_code_for_region(region)
    while True:
        digits = list(rng.choice(near))
        for i in range(rng.randrange(1, 5), len(digits)):
            digits[i] = rng.choice("0123456789")
        number = parsed("+%d%s" % (code, "".join(digits)), None)
        if number is not None and pn.is_valid_number(number):
            return number


def random_number(rng, region):
    code = pn.country_code_for_region(region)
    # A zero in front would be a prefix when it is dialled, but in Italy.
    first = rng.choice("123456789") if region != "IT" else rng.choice(("3", "8", "01", "02", "05"))
    digits = first + "".join(rng.choice("0123456789") for _ in range(rng.randrange(3, 12)))
    number = parsed("+%d%s" % (code, digits), None)
    return number if number is not None and number.country_code == code else None


def separated(rng, text):
    return re.sub("[ -]", lambda _: rng.choice(SEPARATORS), text)


def spelling(rng, region, number):
    """(region of the reader, text)."""
    national = pn.format_number(number, NATIONAL)
    international = pn.format_number(number, INTERNATIONAL)
    e164 = pn.format_number(number, E164)
    code = str(number.country_code)
    rest = international[1 + len(code) :].strip(" -")
    abroad = rng.choice(REGIONS)
    out = "011" if region == "US" else "00"
    ways = [
        (region, national),
        (region, "".join(c for c in national if c.isdigit())),
        (region, separated(rng, national)),
        (region, " " + national.replace(" ", "") + "\t"),
        (abroad, international),
        (abroad, separated(rng, international)),
        (abroad, e164),
        (abroad, "(+" + code + ") " + rest),
        (region, out + " " + code + " " + separated(rng, rest)),
        (region, out + e164[1:]),
        (region, "\u202a" + international + "\u202c"),
    ]
    # The idiom of countries whose national numbers begin with a dialled zero.
    if pn.ndd_prefix_for_region(region, True) == "0" and not rest.startswith("0"):
        ways.append((abroad, "+" + code + " (0)" + rest))
        ways.append((region, out + code + "(0)" + rest.replace(" ", "")))
    return rng.choice(ways)


def drawn(rng):
    for region in REGIONS:
        near = examples(region)
        count = 0
        while count < PER_REGION:
            number = known_number(rng, region, near) if count % 5 else random_number(rng, region)
            if number is None:
                continue
            yield region, *spelling(rng, region, number)
            count += 1


def exceptions():
    with open(EXCEPTIONS, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]
    return [tuple(line.split("\t")) for line in lines]


def verdict(text, region):
    """What we may answer: a set of E.164 and "-"."""
    number = parsed(text, region)
    if number is None or not pn.is_possible_number(number):
        return {"-"}
    e164 = pn.format_number(number, E164)
    return {e164} if pn.is_valid_number(number) else {e164, "-"}


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    cases = list(drawn(random.Random(seed)))
    sent = "".join("%s\t%s\n" % (region, text) for _, region, text in cases)
    done = subprocess.run([sys.argv[1]], input=sent.encode(), capture_output=True, check=True)
    answers = done.stdout.decode().splitlines()
    if len(answers) != len(cases):
        sys.exit("%d numbers, %d answers" % (len(cases), len(answers)))
    rules = exceptions()
    used = [0] * len(rules)
    accepted = disagreed = 0
    for (home, region, text), ours in zip(cases, answers):
        accepted += ours != "-"
        theirs = verdict(text, region)
        if ours in theirs:
            continue
        said = max(theirs, key=len)
        for i, (place, spelled, expected, answer, _) in enumerate(rules):
            found = re.fullmatch(expected, said)
            if place == home and found and re.fullmatch(spelled, text) and re.fullmatch(found.expand(answer), ours):
                used[i] += 1
                break
        else:
            disagreed += 1
            library = " or ".join(sorted(theirs))
            print("%s number read in %s: %r: library %s, we %s" % (home, region, text, library, ours))
    for count, rule in zip(used, rules):
        if count == 0 and seed == SEED:
            disagreed += 1
            print("an exception that nothing needs: %s" % "\t".join(rule))
    print("%d numbers, %d accepted, %d under an exception, %d disagreements (phonenumbers %s)"
          % (len(cases), accepted, sum(used), disagreed, pn.__version__))  # fmt: skip
    return 1 if disagreed or accepted < len(cases) // 2 else 0


if __name__ == "__main__":
    sys.exit(main())
