"""The clients with one interface: `connect` to a local service, then `call`, `pages` and `wait`.

Each reaches a host with the prefix `control-storage-` in its own way, as no such name has an address:

- boto3: names of this machine are resolved here, in `socket.getaddrinfo`.
- AWS CLI: the local service is its HTTP proxy.
- JS SDK: names are resolved by the `lookup` of its agent.
- aws-sdk-omics: the local service is its HTTP proxy. It has no switch to turn the prefix off: an interceptor does.
- the crate: the local service is its HTTP proxy; the prefix is off unless asked for.
"""

import json
import os
import re
import socket
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError, WaiterError

from programs import Failed, Program

HERE = Path(__file__).parent
PREFIX = "control-storage-"
WAITERS = {
    "GetReadSetExportJob": "read_set_export_job_completed",
    "GetReadSetImportJob": "read_set_import_job_completed",
    "GetReadSetActivationJob": "read_set_activation_job_completed",
}


class ErrorResponse(Exception):
    """An error response of the service."""

    def __init__(self, code, status, message):
        super().__init__(f"{code} ({status}): {message}")
        self.code, self.status, self.message = code, status, message


class NotSent(Exception):
    """A call that the client itself refused."""


def clean_environment(**more):
    """Without what would configure a client."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("AWS_")}
    kept = {name: value for name, value in kept.items() if not name.upper().endswith("_PROXY")}
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return kept | nothing | {"AWS_EC2_METADATA_DISABLED": "true"} | more


def prefixed_names_are_here():
    resolve = socket.getaddrinfo

    def here(host, *rest, **more):
        name = host.decode() if isinstance(host, bytes) else host
        return resolve("127.0.0.1" if name == PREFIX + "localhost" else host, *rest, **more)

    socket.getaddrinfo = here


def plain(value):
    """With times as text."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


class Client:
    # Whether it checks the model's patterns and maxima before it sends.
    checks_first = False
    # How many looks a job takes in scenarios that wait.
    polls = 3
    # Whether a wait calls COMPLETED_WITH_FAILURES and FAILED an error.
    fails_with_the_job = True

    def connect(self, service, prefix=False, attempts=1, **credentials):
        raise NotImplementedError

    def close(self):
        pass


def credentials_of(service, given):
    known = {name: service.facts[name] for name in ("access_key_id", "secret_access_key")}
    return {"session_token": None} | known | given


class Boto3(Client):
    name = "boto3"

    def __init__(self):
        prefixed_names_are_here()
        self.session = boto3.session.Session()

    def connect(self, service, prefix=False, attempts=1, **credentials):
        given = credentials_of(service, credentials)
        client = self.session.client(
            "omics",
            region_name=service.region,
            endpoint_url=f"http://localhost:{service.port}",
            aws_access_key_id=given["access_key_id"],
            aws_secret_access_key=given["secret_access_key"],
            aws_session_token=given["session_token"],
            config=Config(
                inject_host_prefix=prefix, retries={"mode": "standard", "total_max_attempts": attempts}, proxies={}
            ),
        )
        return Boto3Connection(client)


class Boto3Connection:
    def __init__(self, client):
        self.client = client

    def call(self, operation, **arguments):
        return self.guarded(lambda: getattr(self.client, xform_name(operation))(**arguments))

    def pages(self, operation, **arguments):
        size = arguments.pop("maxResults")
        pages = self.client.get_paginator(xform_name(operation)).paginate(
            **arguments, PaginationConfig={"PageSize": size}
        )
        items = {"ListReadSets": "readSets"}.get(operation)
        items = items or operation.removeprefix("ListReadSet")[0].lower() + operation.removeprefix("ListReadSet")[1:]
        return [[item["id"] for item in page[items]] for page in pages]

    def wait(self, operation, **arguments):
        try:
            self.client.get_waiter(WAITERS[operation]).wait(**arguments, WaiterConfig={"Delay": 0.02})
        except WaiterError as error:
            return "failure", error.last_response["status"]
        return "success", None

    @staticmethod
    def guarded(call):
        try:
            result = plain(call())
        except ClientError as error:
            response = error.response
            raise ErrorResponse(
                response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]
            ) from error
        except ParamValidationError as error:
            raise NotSent(str(error)) from error
        result.pop("ResponseMetadata")
        return result


class Cli(Client):
    name = "AWS CLI"
    # Its waiters rest 30 seconds between two looks.
    polls = 1

    def connect(self, service, prefix=False, attempts=1, **credentials):
        return CliConnection(service, prefix, attempts, credentials_of(service, credentials))


class CliConnection:
    def __init__(self, service, prefix, attempts, given):
        proxy = {"HTTP_PROXY": f"http://127.0.0.1:{service.port}"} if prefix else {"NO_PROXY": "*"}
        token = {"AWS_SESSION_TOKEN": given["session_token"]} if given["session_token"] else {}
        self.env = clean_environment(
            AWS_ACCESS_KEY_ID=given["access_key_id"],
            AWS_SECRET_ACCESS_KEY=given["secret_access_key"],
            AWS_DEFAULT_REGION=service.region,
            AWS_ENDPOINT_URL_OMICS=f"http://localhost:{service.port}",
            AWS_DISABLE_HOST_PREFIX_INJECTION="false" if prefix else "true",
            AWS_MAX_ATTEMPTS=str(attempts),
            AWS_RETRY_MODE="standard",
            AWS_PAGER="",
            **proxy,
            **token,
        )

    def command(self, *arguments):
        return [sys.executable, "-m", "awscli", "omics", *arguments]

    def run(self, *arguments):
        return subprocess.run(self.command(*arguments), env=self.env, capture_output=True, text=True, check=False)

    def call(self, operation, **arguments):
        paging = ["--no-paginate"] if operation.startswith("List") else []
        done = self.run(
            xform_name(operation, "-"), *paging, "--output", "json", "--cli-input-json", json.dumps(arguments)
        )
        if done.returncode == 0:
            # An empty output is printed as nothing.
            return json.loads(done.stdout or "{}")
        error = re.search(r"An error occurred \((\w+)\) when calling the \w+ operation(?: \(.*?\))?: (.*)", done.stderr)
        if error:
            raise ErrorResponse(error[1], None, error[2])
        if "alidation failed" in done.stderr:
            raise NotSent(done.stderr)
        raise Failed(f"aws {operation}: {done.returncode} {done.stderr}")

    def pages(self, operation, **arguments):
        size = arguments.pop("maxResults")
        given = ["--page-size", str(size), "--output", "json", "--cli-input-json", json.dumps(arguments)]
        done = self.run(xform_name(operation, "-"), *given)
        if done.returncode:
            raise Failed(f"aws {operation}: {done.returncode} {done.stderr}")
        (items,) = json.loads(done.stdout).values()
        # It hands all pages over as one list.
        return [[item["id"] for item in items]]

    def wait_command(self, operation, sequenceStoreId, id):
        waiter = WAITERS[operation].replace("_", "-")
        return self.command("wait", waiter, "--sequence-store-id", sequenceStoreId, "--id", id)

    def wait(self, operation, **arguments):
        done = subprocess.run(
            self.wait_command(operation, **arguments), env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return "success", None
        if "terminal failure state" not in done.stderr:
            raise Failed(f"aws wait {operation}: {done.returncode} {done.stderr}")
        return "failure", None


class ByProgram(Client):
    """A client that is a program of its own."""

    def __init__(self, name, *command):
        self.name, self.command = name, command
        self.program = Program(*command, env=clean_environment())
        self.others = []

    def program_for(self, service, prefix):
        return self.program

    def connect(self, service, prefix=False, attempts=1, **credentials):
        program = self.program_for(service, prefix)
        result = program.ask(
            "connect",
            endpoint=f"http://localhost:{service.port}",
            proxy=f"http://127.0.0.1:{service.port}" if prefix else None,
            region=service.region,
            host_prefix=prefix,
            attempts=attempts,
            **credentials_of(service, credentials),
        )
        return ProgramConnection(program, result["client"])

    def close(self):
        for program in [self.program, *self.others]:
            program.close()


class ProgramConnection:
    def __init__(self, program, number):
        self.program, self.number = program, number

    def ask(self, do, operation, arguments):
        result = self.program.ask(do, client=self.number, operation=operation, input=arguments)
        if "refused" in result:
            raise NotSent(result["refused"])
        if "error" in result:
            error = result["error"]
            raise ErrorResponse(error["code"], error["status"], error["message"])
        return result

    def call(self, operation, **arguments):
        return self.ask("call", operation, arguments)["output"]

    def pages(self, operation, **arguments):
        return self.ask("pages", operation, arguments)["pages"]

    def wait(self, operation, **arguments):
        result = self.ask("wait", operation, arguments)
        return result.get("waited", "success"), result["state"]


class Crate(ByProgram):
    checks_first = True
    fails_with_the_job = False

    def program_for(self, service, prefix):
        if not prefix:
            return self.program
        # It reads the proxy of the system from its environment.
        proxy = clean_environment(HTTP_PROXY=f"http://127.0.0.1:{service.port}")
        self.others.append(Program(*self.command, env=proxy))
        return self.others[-1]


def all_of(driver, aws_sdk, node_modules):
    return [
        Boto3(),
        Cli(),
        ByProgram("JS SDK", "node", HERE / "client.mjs", node_modules),
        ByProgram("aws-sdk-omics", aws_sdk),
        Crate("healthomics", driver),
    ]
