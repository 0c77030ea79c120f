#!/usr/bin/python3
"""Writes phone_cases.tsv: numbers as people write them, and what python3-phonenumbers makes of them.

Run by hand when the dialling plans change; the result is committed, so that the tests need no Python:
    tests/crypto/tokens/phone_cases.py > tests/crypto/tokens/phone_cases.tsv

Columns: region, input, expected E.164 or "-" for a refusal. Seeded; the same library gives the same file.
Only ordinary personal numbers (fixed, mobile, VoIP) are drawn. Where we differ from the library on purpose
(the French overseas plan), the case is in cases/phone.tsv instead.
"""
import random
import sys

import phonenumbers as pn

REGIONS = ("FR RE YT GP GF MQ NC PF WF AD AT BE BG CA CH CI CM CZ DE DK DZ ES FI GB GR HR HU IE IT LU MA MC "
           "NL NO PL PT RO SE SI SK SN TN US").split()
TYPES = {pn.PhoneNumberType.FIXED_LINE, pn.PhoneNumberType.MOBILE, pn.PhoneNumberType.FIXED_LINE_OR_MOBILE,
         pn.PhoneNumberType.VOIP}
FRENCH_OVERSEAS = {"RE", "YT", "GP", "GF", "MQ"}
NANP = {"US", "CA"}


def draw(rng, region, count):
    """Random valid numbers near the examples of each type."""
    found = []
    examples = [pn.example_number_for_type(region, t) for t in sorted(TYPES)]
    examples = [e for e in examples if e is not None]
    tries = 0
    while len(found) < count and tries < 20000:
        tries += 1
        digits = list(pn.national_significant_number(rng.choice(examples)))
        for i in range(rng.randrange(1, 4), len(digits)):
            digits[i] = rng.choice("0123456789")
        try:
            number = pn.parse("+%d%s" % (pn.country_code_for_region(region), "".join(digits)))
        except pn.NumberParseException:
            continue
        if not pn.is_valid_number_for_region(number, region) or pn.number_type(number) not in TYPES:
            continue
        if region in FRENCH_OVERSEAS and pn.national_significant_number(number)[0] == "9":
            continue
        found.append(number)
    return found


def spellings(rng, region, number):
    national = pn.format_number(number, pn.PhoneNumberFormat.NATIONAL)
    international = pn.format_number(number, pn.PhoneNumberFormat.INTERNATIONAL)
    e164 = pn.format_number(number, pn.PhoneNumberFormat.E164)
    code = str(number.country_code)
    yield region, national
    yield region, "".join(c for c in national if c.isdigit())
    yield region, "  " + national.replace(" ", ".") + " "
    yield region, national.replace(" ", "\u00a0")
    yield "FR", international
    yield "DE", e164
    yield region, ("011 " if region in NANP else "00 ") + international[1:]
    yield "BE", "00" + e164[1:]
    yield "ES", "(" + "+" + code + ")" + international[1 + len(code):].replace(" ", "-")
    trunk = pn.ndd_prefix_for_region(region, True)
    if trunk == "0":
        yield "GB", "+" + code + " (0)" + international[1 + len(code):].strip()
        yield "PT", "+" + code + "0" + e164[1 + len(code):]


def refused(text):
    try:
        return not pn.is_possible_number(pn.parse(text))
    except pn.NumberParseException:
        return True


def main():
    rng = random.Random(20261121)
    print("# Written by phone_cases.py with phonenumbers %s. region, input, expected" % pn.__version__)
    for region in REGIONS:
        for number in draw(rng, region, 10):
            e164 = pn.format_number(number, pn.PhoneNumberFormat.E164)
            for used, text in spellings(rng, region, number):
                try:
                    oracle = pn.format_number(pn.parse(text, used), pn.PhoneNumberFormat.E164)
                except pn.NumberParseException:
                    continue
                if oracle == e164:  # the library itself reads this spelling
                    print("%s\t%s\t%s" % (used, text, e164))
            # Impossible lengths are refused.
            for text in (e164 + "12345678", e164[:len(str(number.country_code)) + 3]):
                if refused(text):
                    print("%s\t%s\t-" % (region, text))


if __name__ == "__main__":
    sys.exit(main())
