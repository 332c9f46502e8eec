"""Compares the service model with the crate: every operation, member, constraint, enum value and error of one is in the
other. When AWS adds something to an operation that the crate has, something here fails."""

import json
import re
from datetime import datetime
from pathlib import Path

import botocore.awsrequest
import botocore.serialize
import botocore.session
import urllib3
from botocore.auth import SigV4Auth
from botocore.credentials import Credentials

import generate
from capture import about_what_was_asked
from programs import Service

SOURCE = Path(__file__).parents[2] / "src"
ENUMS = {
    "JobStatus": ["ReadSetExportJobStatus", "ReadSetImportJobStatus", "ReadSetActivationJobStatus"],
    "ItemStatus": ["ReadSetExportJobItemStatus", "ReadSetImportJobItemStatus", "ReadSetActivationJobItemStatus"],
    "FileType": ["FileType"],
    "ReadSetStatus": ["ReadSetStatus"],
    "CreationType": ["CreationType"],
    "ETagAlgorithm": ["ETagAlgorithm"],
}
# Structures of the model by the crate's types for them. Of those with one id the crate takes the id.
INPUTS = {
    "StartReadSetImportJobSourceItem": "StartReadSetImportJobSourceItem",
    "SourceFiles": "SourceFiles",
    "ExportReadSetFilter": "JobFilter",
    "ImportReadSetFilter": "JobFilter",
    "ActivateReadSetFilter": "JobFilter",
    "ReadSetFilter": "ReadSetFilter",
}
ONLY_AN_ID = ["ExportReadSet", "StartReadSetActivationJobSourceItem"]
# What outputs of the crate have beyond the model.
OF_THE_CRATE = {"requestId", "clientToken", "replayed"}
# The one place where the crate is stricter than the model: a token of this length, percent-encoded, fits no URL.
TOO_LONG_FOR_A_URL = "🧬" * 6144


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def fields(debug):
    """The fields of a structure in Rust's pretty debug form, and whether each has to be set."""
    found = re.findall(r"^    (\w+): (Unset)?", debug, re.MULTILINE)
    return {camel(name): bool(unset) for name, unset in found if name not in ("call", "context")}


def trees(debug):
    """Every structure in a pretty debug form: its type and the names of its fields."""
    open_ones, done = [], []
    for line in debug.splitlines():
        text = line.strip()
        named = re.match(r"(?:(\w+): )?(.*)", text)
        if named[1] and open_ones and open_ones[-1]:
            open_ones[-1][1].add(camel(named[1]))
        if text.endswith(("{", "(", "[")):
            kind = re.match(r"(?:\w+: )?(\w+) \{$", text)
            open_ones.append((kind[1], set()) if kind else None)
        elif text.startswith(("}", ")", "]")):
            closed = open_ones.pop()
            if closed:
                done.append(closed)
    return done


def shapes_in(shape, seen=None):
    seen = {} if seen is None else seen
    if shape is None or shape.name in seen:
        return seen
    seen[shape.name] = shape
    for inner in getattr(shape, "members", {}).values():
        shapes_in(inner, seen)
    for inner in (getattr(shape, name, None) for name in ("member", "key", "value")):
        shapes_in(inner, seen)
    return seen


PARTS = ("operations", "members", "enums", "waiters", "errors", "outputs", "constraints", "responses")


class Model:
    def __init__(self, model, driver, capture, check):
        self.model, self.driver, self.capture, self.check = model, driver, capture, check
        self.client = driver.ask(
            "connect", region="us-east-1", endpoint=capture.url, access_key_id="AKIDEXAMPLE", secret_access_key="s"
        )["client"]
        self.claims = driver.ask("claims")
        self.builders = driver.ask("builders", client=self.client)
        self.pool = urllib3.PoolManager(retries=False)

    def run(self, *parts):
        for part in parts or PARTS:
            self.check.run(getattr(self, part))

    def shape(self, operation):
        return self.model.operation_model(operation)

    def operations(self):
        # The names by which the source declares its operations.
        files = [file.read_text() for file in (SOURCE / "operation").rglob("*.rs")]
        claimed = [name for file in files for name in re.findall(r'const NAME: &\'static str = "(\w+)"', file)]
        self.check.that(f"operations are found: {len(claimed)}", len(claimed) >= 12)
        self.check.equal("operations of the driver", sorted(self.builders), sorted(claimed))
        self.check.equal("operations of the local service", sorted(self.claims["served"]), sorted(claimed))
        for operation in claimed:
            self.check.that(f"{operation} is in the model", operation in self.model.operation_names)

    def members(self):
        for operation, debug in self.builders.items():
            shape = self.shape(operation).input_shape
            expected = {name: name in shape.required_members for name in shape.members}
            self.check.equal(f"{operation}: members and whether they are required", fields(debug), expected)
            for name, inner in shapes_in(shape).items():
                if inner.type_name == "structure" and inner is not shape:
                    self.structure(operation, name, inner)
        for operation, most in self.claims["most_items"].items():
            members = self.shape(operation).input_shape.members.values()
            (items,) = [member for member in members if member.type_name == "list"]
            self.check.equal(f"{operation}: most items", most, items.metadata["max"])

    def structure(self, operation, name, shape):
        where = f"{operation}: {name}"
        if name in ONLY_AN_ID:
            self.check.equal(where, (list(shape.members), shape.required_members), (["readSetId"], ["readSetId"]))
        elif name not in INPUTS:
            self.check.that(f"{where} is known", False)
        else:
            claimed = fields(self.claims["inputs"][INPUTS[name]])
            self.check.equal(where, set(claimed), set(shape.members))
            required = {member for member, unset in claimed.items() if unset}
            # What has no builder of its own takes what is required as an argument.
            self.check.that(f"{where}: required", name == "SourceFiles" or required == set(shape.required_members))

    def enums(self):
        known = {shape: kind for kind, shapes in ENUMS.items() for shape in shapes}
        met = set()
        for operation in self.builders:
            for root in (self.shape(operation).input_shape, self.shape(operation).output_shape):
                for name, shape in shapes_in(root).items():
                    if getattr(shape, "enum", None):
                        met.add(name)
                        kind = known.get(name)
                        claimed = self.claims["enums"].get(kind)
                        self.check.equal(f"{operation}: {name}", sorted(claimed or []), sorted(shape.enum))
        self.check.equal("the enums of the model are checked", met, set(known))
        self.check.equal("the enums of the crate are checked", set(self.claims["enums"]), set(ENUMS))

    def waiters(self):
        """The ends of a job are those at which botocore's waiters stop."""
        waiters = botocore.session.Session().get_waiter_model("omics")
        of_crate = set(self.claims["terminal"])
        for name in ("ReadSetExportJobCompleted", "ReadSetImportJobCompleted", "ReadSetActivationJobCompleted"):
            states = {acceptor.expected: acceptor.state for acceptor in waiters.get_waiter(name).acceptors}
            ends = {status for status, state in states.items() if state != "retry"}
            self.check.equal(f"{name}: statuses", sorted(states), sorted(self.claims["enums"]["JobStatus"]))
            self.check.equal(f"{name}: ends", ends, of_crate)

    def call(self, operation, given):
        return self.driver.ask("call", client=self.client, operation=operation, input=given)

    def errors(self):
        claimed = set(re.findall(r"^    (\w+)\(Arc<ServiceError>\)", (SOURCE / "error.rs").read_text(), re.MULTILINE))
        claimed -= {"Service"}
        in_model = {name for name in self.model.shape_names if self.model.shape_for(name).metadata.get("exception")}
        self.check.equal("errors of the model", claimed, in_model)
        for operation in self.builders:
            given = generate.least(self.shape(operation).input_shape)
            for shape in self.shape(operation).error_shapes:
                where, about = f"{operation}: {shape.name}", shape.metadata
                status = about["error"]["httpStatusCode"]
                self.check.equal(f"{where}: members", list(shape.members), ["message"])
                self.capture.next_response = (status, {"x-amzn-errortype": shape.name}, b'{"message": "why"}')
                error = self.call(operation, given)["error"]
                expected = {"variant": shape.name, "code": shape.name, "status": status, "message": "why"}
                self.check.equal(where, {name: error[name] for name in expected}, expected)
                # Without a code the status decides.
                self.capture.next_response = (status, {}, b"")
                variant = self.call(operation, given)["error"]["variant"]
                self.check.equal(f"{where}: by its status alone", variant, shape.name)
                retryable = about.get("retryable")
                self.check.that(f"{where}: throttling", error["throttling"] or not (retryable or {}).get("throttling"))
                self.check.that(f"{where}: retryable", error["retryable"] or retryable is None)

    def outputs(self):
        for operation in self.builders:
            shape = self.shape(operation).output_shape
            given = generate.least(self.shape(operation).input_shape)
            response = generate.most(shape)
            if operation.startswith("Get"):
                given = given | {"id": response["id"]}
            request_id = {"x-amzn-requestid": "request-1"}
            self.capture.next_response = (200, request_id, json.dumps(response).encode())
            result = self.call(operation, given)
            self.check.equal(f"{operation}: a full response", same_times(result.get("output")), same_times(response))
            known = {"": set(shape.members)} | {
                name: set(inner.members) for name, inner in shapes_in(shape).items() if inner.type_name == "structure"
            }
            for kind, found in trees(result["debug"]):
                self.check.that(
                    f"{operation}: {kind} of {found}",
                    any(found - OF_THE_CRATE == members for members in known.values()),
                )
            self.check.that(f"{operation}: nothing is unknown", "Unknown" not in result["debug"])
            least = generate.least(shape)
            if operation.startswith("Get"):
                given = given | {"id": least["id"]}
            self.capture.next_response = (200, request_id, json.dumps(least).encode())
            result = same_times(self.call(operation, given).get("output"))
            self.check.equal(f"{operation}: the least response", without_empty(result), without_empty(same_times(least)))

    def constraints(self):
        self.capture.next_response = about_what_was_asked
        with Service(self.driver) as service:
            for operation in self.builders:
                shape = self.shape(operation).input_shape
                for path, inner in generate.sites(shape):
                    for allowed, values in ((True, generate.good_values(inner)), (False, generate.bad_values(inner))):
                        for name, value in values:
                            given = generate.placed(shape, path, value)
                            where = f"{operation}: {generate.dotted(path)} {name}"
                            self.crate_takes(where, operation, path, given, allowed)
                            self.local_service_takes(where, operation, given, service, allowed)
                if "nextToken" in shape.members:
                    given = generate.least(shape) | {"nextToken": TOO_LONG_FOR_A_URL}
                    self.crate_takes(f"{operation}: no URL", operation, ("nextToken",), given, False)
                for member in shape.required_members:
                    given = generate.least(shape)
                    if shape.members[member].serialization.get("location") != "uri":
                        del given[member]
                        self.local_service_takes(f"{operation} without {member}", operation, given, service, False)

    def crate_takes(self, where, operation, path, given, allowed):
        self.capture.take()
        response = self.call(operation, given)
        sent = len(self.capture.take())
        if allowed and "by the user guide" in response.get("refused", ""):
            # The model allows what the user guide rules out.
            return
        self.check.equal(
            f"{where}: the crate sends it", (sent, "refused" in response), (1, False) if allowed else (0, True)
        )
        if not allowed and "refused" in response:
            place = generate.dotted(path).split(".<")[0]
            self.check.that(
                f"{where}: the place {response['fields']}", all(field.startswith(place) for field in response["fields"])
            )

    def send(self, operation, given, service):
        """A request as botocore writes and signs it, unlooked at."""
        shape = self.shape(operation)
        serializer = botocore.serialize.create_serializer("rest-json", include_validation=False)
        parts = serializer.serialize_to_request(given, shape)
        parts.pop("host_prefix", None)
        botocore.awsrequest.prepare_request_dict(parts, service.facts["endpoint"])
        request = botocore.awsrequest.create_request_object(parts)
        keys = Credentials(service.facts["access_key_id"], service.facts["secret_access_key"])
        SigV4Auth(keys, "omics", service.region).add_auth(request)
        ready = request.prepare()
        response = self.pool.request(ready.method, ready.url, body=ready.body, headers=dict(ready.headers.items()))
        return response.status, json.loads(response.data or b"{}"), response.headers.get("x-amzn-errortype", "").partition(":")[0]

    def local_service_takes(self, where, operation, given, service, allowed):
        status, body, code = self.send(operation, given, service)
        # There is no such store: what passes the checks gets no further.
        expected = {"ResourceNotFoundException"} if allowed else {"ValidationException"}
        if not allowed and "" in (given.get("sequenceStoreId", " "), given.get("id", " ")):
            expected.add("UnknownOperationException")
        self.check.that(f"{where}: the local service responds with {status} {code} {body}", code in expected)

    def responses(self):
        """The responses of the local service have members of the model only, and all that the model requires."""
        with Service(self.driver, polls=1) as service:
            store = service.store()
            read_sets = [
                service.seed(store, file_type=kind, name="n", subject_id="S", sample_id="s")
                for kind in ("BAM", "FASTQ")
            ]
            jobs = {}
            for operation in sorted(self.builders, key=lambda name: ("Start" not in name, "Get" not in name)):
                kind = operation.removeprefix("Start").removeprefix("Get")
                given = generate.most(self.shape(operation).input_shape) | {"sequenceStoreId": store}
                if operation.startswith("List"):
                    given = {"sequenceStoreId": store, "maxResults": 1}
                if operation.startswith("Get"):
                    given["id"] = jobs.get(kind, read_sets[0])
                status, body, _ = self.send(operation, given, service)
                self.check.equal(f"{operation}: status", status, 200)
                if operation.startswith("Start"):
                    jobs[kind] = body["id"]
                self.fits(operation, self.shape(operation).output_shape, body)

    def fits(self, where, shape, value):
        kind = shape.type_name
        if kind == "structure":
            self.check.equal(f"{where}: members beyond the model", set(value) - set(shape.members), set())
            self.check.equal(f"{where}: required members", set(shape.required_members) - set(value), set())
            for name in value.keys() & shape.members.keys():
                self.fits(f"{where}.{name}", shape.members[name], value[name])
        elif kind == "list":
            self.check.that(f"{where}: a list", isinstance(value, list))
            for item in value:
                self.fits(f"{where}[]", shape.member, item)
        elif kind == "timestamp":
            self.check.that(f"{where}: {value!r} is a time", same_times(value) != value)
        elif getattr(shape, "enum", None):
            self.check.that(f"{where}: {value!r} is of {shape.enum}", value in shape.enum)
        else:
            wanted = {"string": str, "integer": int, "long": int, "map": dict, "boolean": bool}[kind]
            self.check.that(f"{where}: {value!r} is of {kind}", isinstance(value, wanted))


def same_times(value):
    if isinstance(value, dict):
        return {name: same_times(member) for name, member in value.items()}
    if isinstance(value, list):
        return [same_times(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value):
        whole, _, fraction = value.removesuffix("Z").partition(".")
        return datetime.fromisoformat(f"{whole}.{fraction.ljust(6, '0')[:6]}+00:00")
    return value


def without_empty(value):
    """The crate reads an absent list or map as an empty one."""
    if isinstance(value, list):
        return [without_empty(item) for item in value]
    if isinstance(value, dict):
        return {name: without_empty(member) for name, member in value.items() if member not in ({}, [])}
    return value
