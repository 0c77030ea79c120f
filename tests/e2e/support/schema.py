"""As much of JSON Schema 2020-12 as openapi.json uses. A keyword that is not known here is an error, so that nothing
is described and then not looked at."""

import re

_TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
}
_ANNOTATIONS = {"description", "title", "default", "format", "example", "examples", "deprecated"}


def _is(value, name):
    if name in ("integer", "number"):
        return isinstance(value, (int, float) if name == "number" else int) and not isinstance(value, bool)
    return isinstance(value, _TYPES[name])


def resolve(document, reference):
    node = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def faults(document, schema, value, at="$"):
    """What is wrong with `value`, one sentence each."""
    found = []
    for keyword, wanted in schema.items():
        if keyword in _ANNOTATIONS:
            continue
        if keyword == "$ref":
            found += faults(document, resolve(document, wanted), value, at)
        elif keyword == "type":
            names = wanted if isinstance(wanted, list) else [wanted]
            if not any(_is(value, name) for name in names):
                found.append(f"{at} is no {' or '.join(names)}")
        elif keyword == "enum":
            if value not in wanted:
                found.append(f"{at} is none of {wanted}: {value!r}")
        elif keyword == "const":
            if value != wanted:
                found.append(f"{at} is not {wanted!r}")
        elif keyword in ("oneOf", "anyOf", "allOf"):
            good = sum(not faults(document, one, value, at) for one in wanted)
            enough = {"oneOf": good == 1, "anyOf": good > 0, "allOf": good == len(wanted)}[keyword]
            if not enough:
                found.append(f"{at} matches {good} of {keyword}")
        elif keyword == "required":
            found += [f"{at} has no {name}" for name in wanted if isinstance(value, dict) and name not in value]
        elif keyword == "properties":
            if isinstance(value, dict):
                for name, one in wanted.items():
                    if name in value:
                        found += faults(document, one, value[name], f"{at}.{name}")
        elif keyword == "additionalProperties":
            if isinstance(value, dict):
                for name in set(value) - set(schema.get("properties", {})):
                    if wanted is False:
                        found.append(f"{at} has an undescribed {name}")
                    elif isinstance(wanted, dict):
                        found += faults(document, wanted, value[name], f"{at}.{name}")
        elif keyword == "items":
            if isinstance(value, list):
                for number, one in enumerate(value):
                    found += faults(document, wanted, one, f"{at}[{number}]")
        elif keyword in ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"):
            kind = {"Items": list, "Length": str, "Properties": dict}[keyword[3:]]
            if isinstance(value, kind):
                low = keyword.startswith("min")
                if (len(value) < wanted) if low else (len(value) > wanted):
                    found.append(f"{at} breaks {keyword} {wanted}")
        elif keyword in ("minimum", "maximum"):
            if _is(value, "number") and ((value < wanted) if keyword == "minimum" else (value > wanted)):
                found.append(f"{at} breaks {keyword} {wanted}")
        elif keyword == "pattern":
            if isinstance(value, str) and not re.search(wanted, value):
                found.append(f"{at} does not match {wanted}")
        else:
            raise AssertionError(f"the schema at {at} uses {keyword}, which is not looked at")
    return found
