"""Tests that the checks can fail: each change here must be found by one of them."""

import copy

import botocore.model

import scenarios
import side_by_side
from check import Check
from model import Model
from programs import Failed


def new_member(of):
    def change(model):
        model["shapes"][of]["members"]["novelty"] = {"shape": "String"}

    return change


def new_value(of):
    return lambda model: model["shapes"][of]["enum"].append("NOVELTY")


def lost_member(of, name):
    return lambda model: model["shapes"][of]["members"].pop(name)


def lost_value(of):
    return lambda model: model["shapes"][of]["enum"].pop()


def changed(of, **facts):
    return lambda model: model["shapes"][of].update(facts)


def new_requirement(of, name):
    return lambda model: model["shapes"][of]["required"].append(name)


def new_error(model):
    model["operations"]["GetReadSetMetadata"]["errors"].append({"shape": "NoveltyException"})
    model["shapes"]["NoveltyException"] = {
        "type": "structure",
        "members": {"message": {"shape": "String"}},
        "exception": True,
        "error": {"httpStatusCode": 418},
    }


def new_status(model):
    model["shapes"]["AccessDeniedException"]["error"]["httpStatusCode"] = 499


# What AWS may change, and the parts of the model check that have to find it.
CHANGES = [
    ("a member of a start", new_member("StartReadSetExportJobRequest"), ["members"]),
    ("a member of an item", new_member("StartReadSetImportJobSourceItem"), ["members"]),
    ("a member of an item that was an id", new_member("ExportReadSet"), ["members"]),
    ("a member of a filter", new_member("ImportReadSetFilter"), ["members"]),
    ("a member of a list", new_member("ListReadSetsRequest"), ["members"]),
    ("a field of a response", new_member("GetReadSetMetadataResponse"), ["outputs"]),
    ("a nested field of a response", new_member("FileInformation"), ["outputs"]),
    ("a member of an entry", new_member("ReadSetListItem"), ["outputs"]),
    ("a missing field of a response", lost_member("ReadSetListItem", "etag"), ["outputs"]),
    ("no such member of a filter", lost_member("ReadSetFilter", "generatedFrom"), ["members"]),
    ("a member that is required now", new_requirement("StartReadSetImportJobSourceItem", "name"), ["members"]),
    ("a file type", new_value("FileType"), ["enums"]),
    ("an algorithm that only responses have", new_value("ETagAlgorithm"), ["enums"]),
    ("a status of one kind of job", new_value("ReadSetImportJobStatus"), ["enums"]),
    ("no such status", lost_value("ReadSetStatus"), ["enums"]),
    ("an error", new_error, ["errors"]),
    ("a status of an error", new_status, ["errors"]),
    ("no such operation", lambda model: model["operations"].pop("ListReadSets"), ["operations"]),
    ("more sources", changed("StartReadSetImportJobRequestSourcesList", max=101), ["members"]),
    ("longer ids", changed("ReadSetId", max=37), ["constraints"]),
    ("shorter subjects", changed("SubjectId", max=126), ["constraints"]),
    ("another pattern", changed("SampleId", pattern="[a-z]+"), ["constraints"]),
    ("smaller pages", changed("ListReadSetsRequestMaxResultsInteger", max=99), ["constraints"]),
]


def changed_models(raw, driver, capture, check):
    for name, change, parts in CHANGES:
        model = copy.deepcopy(raw)
        change(model)
        quiet = Check(name, quiet=True)
        Model(botocore.model.ServiceModel(model, "omics"), driver, capture, quiet).run(*parts)
        check.that(f"the model has {name}", quiet.failures)


def changed_requests(side, check):
    """Whatever of a request is changed after it was signed, botocore's signer comes to another signature."""
    client = {"region": "us-east-1", "endpoint": side.capture.url}
    keys = {"access_key_id": side_by_side.KEY, "secret_access_key": side_by_side.SECRET}
    number = side.crate.ask("connect", **client, **keys)["client"]
    given = {"sequenceStoreId": "1234567890", "maxResults": 5, "filter": {"name": "n"}}

    side.capture.take()
    side.crate.ask("call", client=number, operation="ListReadSets", input=given)
    (request,) = side.capture.take()
    before = side.view(request, given, "ListReadSets")
    check.equal("unchanged", side_by_side.sign(request, "us-east-1", None), side_by_side.signature_of(request))
    for name, value in [
        ("method", "PUT"),
        ("target", request.target.replace("=5", "=6")),
        ("target", request.target.replace("readsets", "readset")),
        ("body", request.body.replace(b'"n"', b'"m"')),
        ("headers", [(name, value + "x" if name == "host" else value) for name, value in request.headers]),
    ]:
        other = copy.copy(request)
        setattr(other, name, value)
        other.path, _, other.query = other.target.partition("?")
        signature = side_by_side.sign(other, "us-east-1", None)
        check.that(f"another {name}: signature", signature != side_by_side.signature_of(request))
        check.that(f"another {name}: side by side", side.view(other, given, "ListReadSets") != before)


def unknown_members(driver, client, check):
    """A member that the driver can't pass to the crate is an error, and not ignored."""
    source = {
        "sourceFiles": {"source1": "s3://bucket/a.bam"},
        "sourceFileType": "UBAM",
        "subjectId": "S",
        "sampleId": "s",
    }
    store = {"sequenceStoreId": "1234567890"}
    for operation, given in [
        ("GetReadSetExportJob", store | {"id": "1234567890"}),
        ("ListReadSets", store),
        ("ListReadSetImportJobs", store | {"filter": {}}),
        ("StartReadSetImportJob", store | {"roleArn": scenarios.ROLE, "sources": [source]}),
    ]:
        for place in [given, *given.get("sources", []), *([given["filter"]] if "filter" in given else [])]:
            place["novelty"] = "n"
            try:
                driver.ask("call", client=client, operation=operation, input=given)
                check.that(f"{operation} with an unknown member", False)
            except Failed as failed:
                check.that(f"{operation} reports {failed}", "novelty" in str(failed))
            del place["novelty"]


class Saboteur:
    """A driver whose services change the response of an operation."""

    def __init__(self, driver, operation, patch):
        self.driver, self.operation, self.patch = driver, operation, patch

    def ask(self, do, **order):
        result = self.driver.ask(do, **order)
        if do == "start":
            fault = {"kind": "merge", "patch": self.patch}
            self.driver.ask("fault_always", service=result["service"], operation=self.operation, fault=fault)
        return result


def changed_responses(client, driver, check):
    for scenario, operation, patch in [
        (scenarios.lists, "ListReadSets", {"nextToken": None}),
        (scenarios.lists, "ListReadSetImportJobs", {"importJobs": []}),
        (scenarios.imports, "GetReadSetImportJob", {"sources": None}),
        (scenarios.imports, "GetReadSetMetadata", {"subjectId": "someone else"}),
        (scenarios.waits, "GetReadSetExportJob", {"status": "COMPLETED"}),
        (scenarios.activations, "StartReadSetActivationJob", {"id": "0000000000"}),
    ]:
        quiet = Check(client.name, quiet=True)
        quiet.run(scenario, client, Saboteur(driver, operation, patch), quiet)
        check.that(f"{operation} responds with {patch}", quiet.failures)
