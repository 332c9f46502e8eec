"""Counts checks that pass, and collects those that fail."""

import traceback


class Check:
    def __init__(self, name, quiet=False):
        self.name, self.quiet, self.passed, self.failures = name, quiet, 0, []
        self.place = ""

    def that(self, name, holds):
        if holds:
            self.passed += 1
        else:
            self.failures.append(f"{self.place}{name}")
            if not self.quiet:
                print(f"FAILED {self.name}: {self.failures[-1]}"[:2000], flush=True)

    def equal(self, name, found, expected):
        self.that(name if found == expected else f"{name}: {found!r} and not {expected!r}", found == expected)

    def run(self, part, *arguments):
        """What breaks in the middle is one failure more."""
        self.place = f"{part.__name__}: "
        try:
            part(*arguments)
        except Exception:
            if not self.quiet:
                traceback.print_exc()
            self.that("broke off", False)
        self.place = ""

    def add(self, other):
        self.passed += other.passed
        self.failures += other.failures

    def summary(self):
        return f"{self.name:16} {self.passed:5} passed, {len(self.failures)} failed"
