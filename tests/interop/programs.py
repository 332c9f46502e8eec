"""Programs that execute commands given as JSON lines, and the local service that one of them runs."""

import json
import subprocess


class Failed(Exception):
    """A command that could not be executed."""


class Program:
    def __init__(self, *command, env=None):
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )

    def ask(self, do, **order):
        try:
            self.process.stdin.write(json.dumps({"do": do, **order}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{self.process.args[0]} ended with {self.process.wait()} at {do}")
        result = json.loads(line)
        if "failed" in result:
            raise Failed(f"{do} {order}: {result['failed']}")
        return result

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


class Service:
    """A local service of its own, so that nothing is left of what came before."""

    def __init__(self, driver, **settings):
        self.driver = driver
        self.facts = driver.ask("start", **settings)
        self.port = int(self.facts["endpoint"].rsplit(":", 1)[1])
        self.region = self.facts["region"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.ask("stop", service=self.facts["service"])

    def command(self, do, **order):
        return self.driver.ask(do, service=self.facts["service"], **order)

    def store(self):
        return self.command("create_store")["store"]

    def seed(self, store, status="ACTIVE", file_type="BAM", **texts):
        return self.command("seed", store=store, status=status, file_type=file_type, **texts)["read_set"]

    def fault(self, operation, do="fault", **fault):
        self.command(do, operation=operation, fault=fault)

    def requests(self):
        return self.command("requests")

    def jobs(self):
        return self.command("jobs")
