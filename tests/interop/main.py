"""Runs everything: `run` calls it with the programs that it has built."""

import argparse
import faulthandler
import queue
import sys
import threading
import time
from pathlib import Path

import clients
import sabotage
import scenarios
from capture import Capture
from check import Check
from model import Model
from programs import Program, Service
from side_by_side import SideBySide

# Seconds. A busy machine needs six minutes.
LONGEST = 1500


def rests_thirty_seconds(client, driver, check):
    """A wait of the command line that has to look twice."""
    with Service(driver, polls=2) as service:
        connection, store = client.connect(service), service.store()
        start = scenarios.start_input("Export", store, [service.seed(store)])
        job = connection.call("StartReadSetExportJob", **start)["id"]
        check.equal("ends well", connection.wait("GetReadSetExportJob", sequenceStoreId=store, id=job)[0], "success")
        check.equal("job", service.jobs()[0]["status"], "COMPLETED")


def in_workers(client, driver_path, check, count):
    """Scenarios of a client that starts again for each call, some at once: the longest first."""
    waiting = queue.Queue()
    for scenario in [rests_thirty_seconds, scenarios.errors_of_every_operation, scenarios.lists, *scenarios.ALL]:
        if scenario not in waiting.queue:
            waiting.put(scenario)
    done = []

    def work():
        driver = Program(driver_path, env=clients.clean_environment())
        while True:
            try:
                scenario = waiting.get_nowait()
            except queue.Empty:
                return driver.close()
            part = Check(client.name)
            part.run(scenario, client, driver, part)
            done.append(part)

    workers = [threading.Thread(target=work) for _ in range(count)]
    for worker in workers:
        worker.start()

    def join():
        for worker in workers:
            worker.join()
        for part in done:
            check.add(part)
        check.equal("scenarios", len(done), len(scenarios.ALL) + 1)

    return join


def main():
    arguments = argparse.ArgumentParser()
    for name in ("--driver", "--aws-sdk", "--node", "--scratch"):
        arguments.add_argument(name, type=Path, required=True)
    given = arguments.parse_args()
    # What hangs is a failure, too.
    faulthandler.dump_traceback_later(LONGEST, exit=True)
    started = time.monotonic()
    driver = Program(given.driver, env=clients.clean_environment())
    capture = Capture(given.scratch)
    checks = []

    def check_of(name):
        checks.append(Check(name))
        return checks[-1]

    all_clients = clients.all_of(given.driver, given.aws_sdk, given.node)
    joins = []
    for client in all_clients:
        check = check_of(client.name)
        if isinstance(client, clients.Cli):
            joins.append(in_workers(client, given.driver, check, 3))
            continue
        for scenario in scenarios.ALL:
            check.run(scenario, client, driver, check)

    side = SideBySide(given.driver, capture, check_of("side by side"))
    side.check.run(side.run)
    model = Model(side.model, driver, capture, check_of("model"))
    model.run()

    found = check_of("sabotage found")
    raw = side.session.get_component("data_loader").load_service_model("omics", "service-2")
    found.run(sabotage.changed_models, raw, driver, capture, found)
    found.run(sabotage.unknown_members, driver, model.client, found)
    found.run(sabotage.changed_requests, side, found)
    found.run(sabotage.changed_responses, all_clients[0], driver, found)

    for join in joins:
        join()
    for program in [driver, side.crate, *all_clients]:
        program.close()
    print()
    for check in checks:
        print(check.summary())
    print(f"{side.inputs} inputs side by side, {time.monotonic() - started:.0f} s")
    passed, failed = sum(check.passed for check in checks), sum(len(check.failures) for check in checks)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or any(not check.passed for check in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
