"""Generates inputs and responses from botocore's model of the service: valid values, invalid values, and their paths."""

import sys
import unicodedata

TEXT = "[\\p{L}||\\p{M}||\\p{Z}||\\p{S}||\\p{N}||\\p{P}]+"
URI = "s3://([a-z0-9][a-z0-9-.]{1,61}[a-z0-9])/(.{1,1024})"
DESTINATION = "s3://([a-z0-9][a-z0-9-.]{1,61}[a-z0-9])/?((.{1,1024})/)?"
# Letters with marks, wide and paired ones, blanks, and every sign that means something in a URL or in JSON.
SIGNS = "aé e\u0301鍵🧬שלום\u00a0\u3000%2F+&=?#/\\\"'`<>[]{}()*!,;:@$^|~._-"
# A character of each kind that a text may have.
KINDS = {unicodedata.category(chr(point)): chr(point) for point in reversed(range(0x3000)) if chr(point).isprintable()}
KINDS |= {"Zs": "\u3000", "Zl": "\u2028", "Zp": "\u2029"}
ONE_OF_EACH = "".join(sign for kind, sign in KINDS.items() if kind[0] in "LMZSNP")
assert len(ONE_OF_EACH) == 25
BUCKET_63 = "b" + "ucket.with-" * 5 + "63.4567"
assert len(BUCKET_63) == 63


def filled(text, length):
    return (text * (length // len(text) + 1))[:length]


class Pattern:
    """What a pattern of the model allows and forbids, written out by hand: a new pattern is a failure."""

    def __init__(self, make, plain, good=(), bad=()):
        self.make, self.plain, self.good, self.bad = make, plain, good, bad


PATTERNS = {
    "[0-9]+": Pattern(
        lambda n: filled("0123456789", n),
        "1234567890",
        bad=["123456789a", "12345678９0", "123456789 ", "-123456789", "1234567890\n"],
    ),
    "[a-zA-Z0-9]+": Pattern(lambda n: filled("aZ9", n), "aZ9"),
    TEXT: Pattern(
        lambda n: filled(SIGNS, n),
        "text",
        good=[" ", ONE_OF_EACH],
        # Nothing that is unassigned today: that is a question of the Unicode version of whom one asks.
        bad=["a\tb", "\n", "a\u200bb", "\u007f", "\ue000", "\uffff"],
    ),
    "arn:.*": Pattern(
        lambda n: "arn:" + filled("aws:iam::1:role/ü ", n - 4),
        "arn:aws:iam::123456789012:role/R",
        bad=[
            "aws:arn:iam::123456789012",
            " arn:aws:iam::123456789012",
            "arn:aws:iam::123456789012\n",
            "arn:aws:iam::1234\u202856789012",
        ],
    ),
    "arn:.+": Pattern(
        lambda n: "arn:" + filled("aws:omics:ü ", n - 4),
        "arn:aws:omics:us-east-1:123456789012:referenceStore/1/reference/1",
        bad=["arn:", "ARN:aws", "arn:a\nb"],
    ),
    "$|^arn:.+": Pattern(
        lambda n: "arn:" + filled("aws:omics:ü ", n - 4) if n > 4 else "",
        "arn:aws:omics:x",
        good=[""],
        bad=["arn:", "x", "arn:a\rb"],
    ),
    URI: Pattern(
        None,
        "s3://bucket/a/key",
        good=["s3://a-1/k", f"s3://{BUCKET_63}/{filled(SIGNS, 1024)}", "s3://bucket//"],
        bad=[
            "s3://bucket",
            "s3://bucket/",
            "s3://ab/k",
            f"s3://x{BUCKET_63}/k",
            "s3://Bucket/k",
            "s3://-bucket/k",
            "s3://bucket-/k",
            "s3://buc_ket/k",
            "https://bucket/k",
            "s3://bucket/a\nb",
            f"s3://bucket/{'k' * 1025}",
        ],
    ),
    DESTINATION: Pattern(
        None,
        "s3://bucket/prefix/",
        good=[
            "s3://bucket",
            "s3://bucket/",
            "s3://a-1",
            f"s3://{BUCKET_63}/{filled(SIGNS, 1024)}/",
            "s3://bucket//",
            "s3://bucket//x//",
        ],
        bad=[
            "",
            "s3://",
            "bucket",
            "s3://bucket/prefix",
            "s3://ab",
            "s3://Bucket/",
            "s3://bucket/a\rb/",
            f"s3://bucket/{'k' * 1025}/",
        ],
    ),
    None: Pattern(lambda n: filled(SIGNS, n), "text"),
}


def limits(shape):
    return shape.metadata.get("min", 0), shape.metadata.get("max")


def pattern(shape):
    text = shape.metadata.get("pattern")
    if text not in PATTERNS:
        raise KeyError(f"{shape.name} has a pattern that is not known: {text}")
    return PATTERNS[text]


def least(shape):
    """A good value with nothing in it that can be left out."""
    kind = shape.type_name
    if kind == "structure":
        return {name: least(shape.members[name]) for name in shape.required_members}
    if kind == "list":
        return [least(shape.member)] * max(1, shape.metadata.get("min", 0))
    if kind == "map":
        return {"key": least(shape.value)}
    if kind in ("integer", "long"):
        return shape.metadata.get("min", 1)
    if kind == "timestamp":
        return "2024-01-31T08:15:30Z"
    if kind == "boolean":
        return True
    return shape.enum[0] if shape.enum else pattern(shape).plain


def most(shape, where=""):
    """A good value with everything in it, and no text twice."""
    kind = shape.type_name
    if kind == "structure":
        return {name: most(member, f"{where}.{name}") for name, member in shape.members.items()}
    if kind == "list":
        return [most(shape.member, f"{where}.{number}") for number in range(2)]
    if kind == "map":
        return {f"key {number}": f"{where} {number}" for number in range(2)}
    salt = sum(where.encode())
    if kind in ("integer", "long"):
        return min(salt, shape.metadata.get("max", salt))
    if kind == "timestamp":
        return f"2024-01-31T08:15:{salt % 60:02}.{salt:06}Z"
    if kind == "boolean":
        return True
    if shape.enum:
        return shape.enum[salt % len(shape.enum)]
    known = pattern(shape)
    if known is PATTERNS["[0-9]+"]:
        return f"{salt:010}"
    if known.plain.startswith("s3://"):
        return known.plain.removesuffix("/") + where + "/"
    # Nothing but letters and digits fits every other pattern.
    only_letters = "".join(sign for sign in where if sign.isalnum())
    return known.plain + only_letters if known.plain.startswith("arn:") else only_letters


def sites(shape, path=()):
    """Every place of a value, at any depth."""
    if path:
        yield path, shape
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from sites(member, (*path, name))
    elif shape.type_name == "list":
        yield from sites(shape.member, (*path, 0))
    elif shape.type_name == "map":
        yield (*path, "<key>"), shape.key
        yield (*path, "<value>"), shape.value


def placed(shape, path, value):
    """The least input that has this value at this place."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if step == "<key>":
        return {value: least(shape.value)}
    if step == "<value>":
        return {"key": value}
    whole = least(shape)
    if shape.type_name == "list":
        whole[0] = placed(shape.member, rest, value)
    else:
        whole[step] = placed(shape.members[step], rest, value)
    return whole


def counted(shape, count):
    """A list of so many items, no two of them alike."""
    items = [least(shape.member) for _ in range(count)]
    for number, item in enumerate(items):
        for path, inner in sites(shape.member):
            if inner.metadata.get("pattern") == "[0-9]+" and len(path) == 1:
                item[path[0]] = f"{5_000_000_000 + number}"
    return items


def good_values(shape):
    """Values at the edges of what is allowed."""
    low, high = limits(shape)
    kind = shape.type_name
    if kind == "string" and shape.enum:
        return [(value, value) for value in shape.enum]
    if kind == "string":
        known = pattern(shape)
        ends = [
            (f"of {n}", known.make(n))
            for n in {max(low, 5 if known.plain.startswith("arn:") else 0), high}
            if known.make and n is not None
        ]
        return ends + [(f"like {text[:20]!r}", text) for text in [known.plain, *known.good]]
    if kind in ("integer", "long"):
        return [(f"{n}", n) for n in (low, high) if n is not None]
    if kind == "timestamp":
        times = [
            "1970-01-01T00:00:00Z",
            "2024-02-29T23:59:59.123456Z",
            "9999-12-31T23:59:59Z",
            "2024-01-31T08:15:30.5Z",
        ]
        return [(text, text) for text in times]
    if kind == "list":
        return [(f"{n} items", counted(shape, n)) for n in (low, high) if n]
    if kind == "map":
        return [("none", {}), ("some", {"a": "", "ü 🧬": "/", "aws": "x" * 256})]
    if kind == "structure":
        return [("least", least(shape)), ("most", most(shape))]
    raise KeyError(f"{shape.name} is of a kind that is not known: {kind}")


def bad_values(shape):
    """Values just beyond what is allowed."""
    low, high = limits(shape)
    kind = shape.type_name
    if kind == "string" and shape.enum:
        return [("unknown", "NOT_KNOWN"), ("empty", ""), ("in lower case", shape.enum[0].lower())]
    if kind == "string":
        known, bad = pattern(shape), []
        if known.make and low:
            bad.append((f"of {low - 1}", known.make(low - 1) if low > 4 else "" if low == 1 else "1" * (low - 1)))
        if known.make and high:
            bad.append((f"of {high + 1}", known.make(high + 1)))
        return bad + [(f"like {text[:20]!r}", text) for text in known.bad]
    if kind in ("integer", "long"):
        return [(f"{n}", n) for n in (low - 1, high + 1)]
    if kind == "list":
        bad = [("no items", [])] if low else []
        return bad + ([(f"{high + 1} items", counted(shape, high + 1))] if high else [])
    return []


def inputs(model, operation):
    """Named good inputs of an operation, from nothing but what is required to everything."""
    shape = model.operation_model(operation).input_shape
    yield "least", least(shape)
    yield "most", most(shape)
    for path, inner in sites(shape):
        for name, value in good_values(inner):
            yield f"{dotted(path)} {name}", placed(shape, path, value)


def dotted(path):
    """As the crate tells places: `sources[0].readSetId`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


if __name__ == "__main__":
    sys.exit("this is no program: see run")
