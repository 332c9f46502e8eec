"""The same calls through boto3: `URL calls start|get COUNT IN_FLIGHT`, `URL first` or `URL idle COUNT`, as the other programs."""

import json
import sys
import threading
import time

BEGUN = time.perf_counter()

import boto3  # noqa: E402 (its import is part of the first call)
from botocore.config import Config  # noqa: E402

STORE, ENDED = "1234567890", "1111111111"
SOURCES = [{"readSetId": str(5_000_000_000 + number)} for number in range(10)]


def memory(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name))


def client(url, in_flight=1):
    # Loopback has no name that a host prefix could stand before.
    config = Config(max_pool_connections=in_flight, inject_host_prefix=False)
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", secret, region_name="us-east-1")
    return session.client("omics", endpoint_url=url, config=config)


def get(omics):
    assert len(omics.get_read_set_export_job(sequenceStoreId=STORE, id=ENDED)["readSets"]) == 100


def start(omics):
    role = "arn:aws:iam::123456789012:role/OmicsExport"
    started = omics.start_read_set_export_job(
        sequenceStoreId=STORE, destination="s3://my-bucket/exports/", roleArn=role, sources=SOURCES
    )
    assert len(started["id"]) == 10


def calls(omics, work, count, in_flight):
    threads = [threading.Thread(target=lambda: [work(omics) for _ in range(count // in_flight)]) for _ in range(in_flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def measure_calls(url, operation, count, in_flight):
    count, in_flight = int(count), int(in_flight)
    omics, work = client(url, in_flight), start if operation == "start" else get
    calls(omics, work, in_flight * 2, in_flight)
    cpu, wall = time.process_time(), time.perf_counter()
    calls(omics, work, count, in_flight)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu_us": cpu * 1e6 / count, "per_second": count / wall, "peak_kib": memory("VmHWM")}


def measure_first(url):
    omics = client(url)
    built, resident = time.perf_counter() - BEGUN, memory("VmRSS")
    get(omics)
    return {
        "construct_us": built * 1e6,
        "first_us": (time.perf_counter() - BEGUN) * 1e6,
        "first_cpu_us": time.process_time() * 1e6,
        "constructed_kib": resident,
        "after_first_kib": memory("VmRSS"),
    }


def measure_idle(url, count):
    first = client(url)
    get(first)
    before, count = memory("VmRSS"), int(count)
    kept = [client(url) for _ in range(count)]
    return {"idle_kib": (memory("VmRSS") - before) / len(kept)}


url, mode, *arguments = sys.argv[1:]
modes = {"calls": measure_calls, "first": measure_first, "idle": measure_idle}
print(json.dumps(modes[mode](url, *arguments) if mode in modes else {}))
