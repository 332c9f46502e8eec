#!/usr/bin/env python3
"""The same calls with this crate, the official SDK, plain reqwest and boto3, in alternating runs.

    benches/versus/compare.py                    what a call costs, memory, start-up: some ten minutes
    benches/versus/compare.py --builds           the builds as well: cold, each on its own, an hour on two cores
    benches/versus/compare.py --rounds 3 calls   one part alone (calls, instructions, memory, https, sizes, builds)

The programs take turns (A B C, A B C, ...), so that a machine whose speed drifts slows all of them; what is printed is
the median of the rounds, and the median of each round's own ratio. Client and server share one processor. CPU is that
of the client's process, user and system. Instructions are callgrind's (`apt-get install valgrind`), the difference of
two lengths of run; as valgrind knows no SHA extensions, signatures weigh more there than on hardware that has them.
Over https every client trusts what the system trusts and the root certificate of the server: the system's bundle with
that certificate is what SSL_CERT_FILE names, and SSL_CERT_DIR names the system's folder, so that they read what they
read without these variables. Prints Markdown, and progress on the side.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BOTO3 = "boto3==1.44.5"
ROUNDS = 7
CALLS = [
    ("Start, 10 sources, 1 in flight", "start", 10_000, 1),
    ("Start, 10 sources, 64 in flight", "start", 20_000, 64),
    ("Get, 100 read sets, 1 in flight", "get", 10_000, 1),
    ("Get, 100 read sets, 64 in flight", "get", 20_000, 64),
]
# Enough for figures of microseconds.
HTTPS_ROUNDS = 31
# Where systems have their root certificates.
BUNDLES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"]
CERTIFICATES = "/etc/ssl/certs"
# Programs that are built with other features: a name, the package, its flags.
OTHER_FEATURES = [
    ("ours-webpki-roots", "ours", ["--features", "webpki-roots"]),
    ("ours-heap", "ours", ["--features", "heap"]),
    ("sdk-heap", "sdk", ["--features", "heap"]),
]
# A row of the build table: what it is called, the package, its flags.
VARIANTS = [
    ("healthomics", "ours", []),
    ("healthomics, `aws-config`", "ours", ["--features", "chain"]),
    ("aws-sdk-omics", "sdk", ["--no-default-features"]),
    ("aws-sdk-omics, `aws-config`", "sdk", []),
    ("bare sketch", "sketch", []),
    ("reqwest without TLS", "floor", []),
]


def say(text):
    print(text, file=sys.stderr, flush=True)


def table(head, rows):
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    sys.stdout.flush()


def cargo(*arguments, target):
    command = ["cargo", *arguments, "--locked", "--quiet", "--target-dir", str(target)]
    subprocess.run(command, cwd=HERE, check=True)


class Programs:
    """Each built on its own: features that one needs would reach the others."""

    def __init__(self, target, with_boto3):
        self.commands = {}
        bin_dir = target / "programs"
        bin_dir.mkdir(parents=True, exist_ok=True)
        for package in ("server", "ours", "sdk", "sketch", "floor"):
            say(f"building {package}")
            cargo("build", "--release", "-p", package, target=target)
            shutil.copy2(target / "release" / package, bin_dir / package)
            self.commands[package] = [str(bin_dir / package)]
        self.root = target / "root.pem"
        self.server = [*self.commands.pop("server"), str(self.root)]
        self.others = {}
        for name, package, flags in OTHER_FEATURES:
            say(f"building {name}")
            cargo("build", "--release", "-p", package, *flags, target=target)
            shutil.copy2(target / "release" / package, bin_dir / name)
            self.others[name] = [str(bin_dir / name)]
        if with_boto3:
            venv = target / "boto3"
            python = venv / "bin" / "python"
            if not python.exists():
                subprocess.run([sys.executable, "-m", "venv", venv], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", BOTO3], check=True)
            self.commands["boto3"] = [str(python), str(HERE / "boto3_calls.py")]

    def run(self, name, url, *arguments, wrapper=(), variables=None):
        program = self.commands.get(name) or self.others[name]
        command = [*wrapper, *program, url, *map(str, arguments)]
        # No proxy, profile or setting of this machine takes part.
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **(variables or {})}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
        return json.loads(done.stdout), done.stderr


class Server:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.https_url = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def in_turns(programs, url, rounds, arguments, names=None, variables=None):
    """The results of each program in each round. `variables` are those of its environment, by its name."""
    results = {name: [] for name in names or programs.commands}
    for _ in range(rounds):
        for name in results:
            given = arguments(name) if callable(arguments) else arguments
            set_to = variables(name) if variables else None
            results[name].append(programs.run(name, url, *given, variables=set_to)[0])
    return results


def median(results, figure):
    return statistics.median(run[figure] for run in results)


def ratio(results, figure, to):
    """In bold; empty for a program that was not measured."""
    others = results.get(to, [])
    if not others or not all(figure in run for run in others):
        return ""
    pairs = zip(results["ours"], others, strict=True)
    return f"**{statistics.median(ours[figure] / other[figure] for ours, other in pairs):.2f}**"


def row(what, results, figure, unit="", digits=1):
    cells = []
    for name in ("ours", "sdk", "sketch", "floor", "boto3"):
        runs = results.get(name, [])
        there = runs and all(figure in run for run in runs)
        cells.append(f"{median(runs, figure):,.{digits}f}{unit}" if there else "")
    return [what, *cells, *(ratio(results, figure, to) for to in ("sdk", "sketch", "floor"))]


HEAD = [
    "", "healthomics", "aws-sdk-omics", "bare sketch", "reqwest, unsigned", "boto3",
    "to the SDK", "to the sketch", "to reqwest",
]


def machine(with_boto3):
    """What the figures were measured on, and with which versions."""
    processors = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in processors if line.startswith("model name")), "unknown")
    rust = subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    packages = (HERE / "Cargo.lock").read_text().split("[[package]]")
    names = ("aws-sdk-omics", "reqwest", "aws-sigv4", "tokio")
    locked = [dict(re.findall(r'^(name|version) = "(.*)"$', package, re.MULTILINE)) for package in packages]
    versions = ", ".join(f"{package['name']} {package['version']}" for package in locked if package.get("name") in names)
    system = f"{platform.system()} {platform.release()}, {os.cpu_count()} processors, {model}, Rust {rust}"
    boto3 = f"; {BOTO3}" if with_boto3 else ""
    print(f"{time.strftime('%Y-%m-%d')}: {system}; {versions}{boto3}.")


def calls(programs, url, rounds):
    rows = []
    for what, operation, count, in_flight in CALLS:
        say(f"calls: {what}")

        def arguments(name, operation=operation, count=count, in_flight=in_flight):
            return ["calls", operation, count // 20 if name == "boto3" else count, in_flight]

        results = in_turns(programs, url, rounds, arguments)
        rows.append(row(f"{what}: CPU µs", results, "cpu_us"))
        rows.append(row("… requests a second", results, "per_second", digits=0))
        rows.append(row("… peak memory, MiB", mib(results, "peak_kib"), "peak_kib"))
    table(HEAD, rows)


def mib(results, figure):
    return {name: [{figure: run[figure] / 1024} for run in runs if figure in run] for name, runs in results.items()}


def instructions(programs, url):
    if not shutil.which("valgrind"):
        say("no valgrind: no instructions")
        return
    rows = []
    short, long = 200, 1_200
    for what, operation, _, in_flight in CALLS:
        results = {}
        for name in (name for name in programs.commands if name != "boto3"):
            say(f"instructions: {what}, {name}")
            counts = []
            for count in (short, long):
                wrapper = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
                _, log = programs.run(name, url, "calls", operation, count, in_flight, wrapper=wrapper)
                counts.append(next(int(line.split(":")[1]) for line in log.splitlines() if "Collected" in line))
            results[name] = [{"thousands": (counts[1] - counts[0]) / (long - short) / 1_000}]
        rows.append(row(f"{what}: thousand instructions", results, "thousands", digits=0))
    table(HEAD, rows)


def memory(programs, url, rounds):
    say("start-up and memory")
    first = in_turns(programs, url, max(rounds, 5), ["first"])
    rows = [
        row("construct, µs", first, "construct_us", digits=0),
        row("construct and first call, µs", first, "first_us", digits=0),
        row("… CPU µs", first, "first_cpu_us", digits=0),
        row("memory after construction, MiB", mib(first, "constructed_kib"), "constructed_kib"),
        row("memory after the first call, MiB", mib(first, "after_first_kib"), "after_first_kib"),
    ]
    https = in_turns(programs, "https://healthomics.example", max(rounds, 5), ["construct"], ["ours", "sdk"])
    rows += [
        row("construct for https, µs", https, "construct_us", digits=0),
        row("… memory, MiB", mib(https, "constructed_kib"), "constructed_kib"),
    ]
    idle = in_turns(programs, url, rounds, ["idle", 50])
    rows.append(row("each further idle client, KiB", idle, "idle_kib"))
    waiting = in_turns(programs, url, rounds, ["waiting", 1_000], ["ours-heap", "sdk-heap"])
    waiting = {"ours": waiting["ours-heap"], "sdk": waiting["sdk-heap"]}
    queued = in_turns(
        programs, url, rounds, ["waiting", 1_000], ["ours-heap"], lambda _: {"RATE_LIMITER": "default"}
    )
    queued = {"ours": queued["ours-heap"]}
    rows += [
        row("each of 1,000 waits for a job, bytes of heap", waiting, "waiting_bytes", digits=0),
        row("… allocations", waiting, "waiting_allocations"),
        row("… bytes while it waits for the rate limiter", queued, "waiting_bytes", digits=0),
    ]
    silent = in_turns(programs, url, rounds, ["silent", 90], ["ours", "sdk", "floor"])
    rows.append(row("each of 90 calls in flight, with its connection, KiB", silent, "silent_kib"))
    table(HEAD, rows)


def https(programs, url, rounds):
    say("https")
    bundle = next((Path(path) for path in BUNDLES if Path(path).exists()), None)
    if not bundle:
        sys.exit("the root certificates of this system are in none of the known files")
    with tempfile.NamedTemporaryFile(suffix=".pem") as trusted:
        trusted.write(bundle.read_bytes() + programs.root.read_bytes())
        trusted.flush()

        def variables(name):
            if name == "ours-webpki-roots":
                return {"ROOT_CERTIFICATE": str(programs.root)}
            return {"SSL_CERT_FILE": trusted.name, "SSL_CERT_DIR": CERTIFICATES}

        names = ["ours", "ours-webpki-roots", "sdk", "sketch"]
        results = in_turns(programs, url, rounds, ["first"], names, variables)
    compiled_in = {**results, "ours": results["ours-webpki-roots"]}
    rows = []
    for what, found in (("roots of the system", results), ("`webpki-roots` here", compiled_in)):
        rows += [
            row(f"construct and first call over https, {what}, µs", found, "first_us", digits=0),
            row("… CPU µs", found, "first_cpu_us", digits=0),
            row("… memory, MiB", mib(found, "after_first_kib"), "after_first_kib"),
        ]
    table(HEAD, rows)


def sizes(target):
    """Small callers: programs that start an export, and do nothing else."""
    found = {}
    for package in ("ours", "sketch"):
        say(f"building the small caller of {package}")
        cargo("build", "--release", "-p", package, "--example", "start", target=target)
        found[package] = [{"mb": stripped(target / "release" / "examples" / "start")}]
    table(HEAD, [row("stripped release binary of a small caller, MB", found, "mb", digits=2)])


def timed(command):
    """Wall and CPU seconds, those of everything it starts included."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=HERE, stderr=subprocess.PIPE, text=True)
    log = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{log}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime


def crates(package, flags):
    command = ["cargo", "tree", "--locked", "-p", package, *flags, "-e", "normal,build", "--prefix", "none"]
    listed = subprocess.run(command, cwd=HERE, check=True, capture_output=True, text=True).stdout
    names = {" ".join(line.split()[:2]) for line in listed.splitlines() if line}
    return len([name for name in names if name.split()[0] not in (package, "harness", "cpu-time", "cpu_time")])


def stripped(binary):
    out = binary.with_suffix(".stripped")
    shutil.copy2(binary, out)
    subprocess.run(["strip", out], check=True)
    return out.stat().st_size / 1e6


def cold(package, flags, profile, folder):
    target = Path(folder) / "target"
    command = ["cargo", "build", "--locked", "--quiet", "--offline", "-p", package, *flags]
    command += ["--profile", profile, "--target-dir", str(target)]
    wall, cpu = timed(command)
    out = target / ("debug" if profile == "dev" else profile)
    size = sum(file.lstat().st_size for file in target.rglob("*") if file.is_file() and not file.is_symlink()) / 1e6
    again = None
    if profile == "dev":
        source = HERE / package / "src" / "main.rs"
        before = source.read_text()
        try:
            source.write_text(before + "\n#[allow(dead_code)]\nfn one_more() {}\n")
            again = timed(command)
        finally:
            source.write_text(before)
    found = {"wall": wall, "cpu": cpu, "target": size, "again": again, "binary": stripped(out / package)}
    shutil.rmtree(target)
    return found


def builds(rounds):
    subprocess.run(["cargo", "fetch", "--locked", "--quiet"], cwd=HERE, check=True)
    found = {}
    for turn in range(rounds):
        for name, package, flags in VARIANTS:
            for profile in ("dev", "release", "size"):
                if profile == "size" and turn > 0:
                    continue
                say(f"build {turn + 1} of {rounds}: {name}, {profile}")
                with tempfile.TemporaryDirectory(prefix="versus-") as folder:
                    found.setdefault((name, profile), []).append(cold(package, flags, profile, folder))
    middle = lambda name, profile, figure: statistics.median(run[figure] for run in found[(name, profile)])
    rows = []
    for name, package, flags in VARIANTS:
        again = [statistics.median(run["again"][part] for run in found[(name, "dev")]) for part in (0, 1)]
        rows.append([
            name,
            str(crates(package, flags)),
            f"{middle(name, 'dev', 'wall'):.0f} / {middle(name, 'dev', 'cpu'):.0f}",
            f"{again[0]:.1f} / {again[1]:.1f}",
            f"{middle(name, 'release', 'wall'):.0f} / {middle(name, 'release', 'cpu'):.0f}",
            f"{middle(name, 'dev', 'target'):.0f}",
            f"{middle(name, 'release', 'binary'):.1f}",
            f"{middle(name, 'size', 'binary'):.1f}",
        ])
    table(
        ["", "crates", "cold dev build, s wall / CPU", "after a change of the caller", "cold release build",
         "dev target, MB", "stripped binary, MB", "for size"],
        rows,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = "calls, instructions, memory, https, sizes, builds"
    parser.add_argument("parts", nargs="*", help=f"{known}; all but the last by default")
    parser.add_argument("--builds", action="store_true", help="the builds too")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each figure: {ROUNDS}; builds: once")
    parser.add_argument("--build-rounds", type=int, default=1)
    no_boto3 = "without boto3, which is installed into the target folder"
    parser.add_argument("--no-boto3", action="store_true", help=no_boto3)
    given = parser.parse_args()
    parts = given.parts or ["calls", "instructions", "memory", "https", "sizes"] + (["builds"] if given.builds else [])
    unknown = set(parts) - {"calls", "instructions", "memory", "https", "sizes", "builds"}
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target")).resolve()
    load = os.getloadavg()[0]
    if load > 1:
        say(f"the load of this machine is {load:.1f} already: trust ratios and instructions, not seconds")
    machine(not given.no_boto3)
    if set(parts) - {"sizes", "builds"}:
        programs = Programs(target, not given.no_boto3)
        server = Server(programs.server)
        with server:
            url = server.url
            # Programs that are started inherit it; the builds after this do not.
            processors = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {max(processors)})
            os.sched_setaffinity(server.process.pid, {max(processors)})
            if "calls" in parts:
                calls(programs, url, given.rounds)
            if "instructions" in parts:
                instructions(programs, url)
            if "memory" in parts:
                memory(programs, url, given.rounds)
            if "https" in parts:
                https(programs, server.https_url, max(given.rounds, HTTPS_ROUNDS))
            os.sched_setaffinity(0, processors)
    if "sizes" in parts:
        sizes(target)
    if "builds" in parts:
        builds(given.build_rounds)


if __name__ == "__main__":
    main()
