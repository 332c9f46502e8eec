"""What every client must see of the local service. Each scenario has a service of its own."""

from datetime import datetime, timezone

from clients import PREFIX, ErrorResponse, NotSent
from programs import Service

ROLE = "arn:aws:iam::123456789012:role/Omics"
REFERENCE = "arn:aws:omics:us-east-1:123456789012:referenceStore/9876543210/reference/1122334455"
NOWHERE = "9999999999"
KINDS = {"Export": "exportJobs", "Import": "importJobs", "Activation": "activationJobs"}
OPERATIONS = [f"{verb}ReadSet{kind}Job" for kind in KINDS for verb in ("Start", "Get")]
OPERATIONS += [f"ListReadSet{kind}Jobs" for kind in KINDS] + ["ListReadSets", "GetReadSetMetadata", "BatchDeleteReadSet"]

PAIR = {
    "sourceFiles": {"source1": "s3://bucket/run 7/ü_1+.fastq.gz", "source2": "s3://bucket/run 7/ü_2+.fastq.gz"},
    "sourceFileType": "FASTQ",
    "subjectId": "患者 42",
    "sampleId": "SRR233106",
    "generatedFrom": 'naïve "B" cells',
    "name": "lane 1 🧬",
    "description": "a\\b/c",
    "tags": {"project": "1000 Genomes", "empty": ""},
}
CRAM = {
    "sourceFiles": {"source1": "s3://bucket/HG00096.cram"},
    "sourceFileType": "CRAM",
    "subjectId": "HG00096",
    "sampleId": "HG00096",
    "referenceArn": REFERENCE,
}


def time_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def start_input(kind, store, read_sets, **more):
    """The least that starts a job: of read sets, or of files whose names have their ids."""
    if kind == "Import":
        files = [{"source1": f"s3://bucket/{read_set}.bam"} for read_set in read_sets]
        sources = [{"sourceFiles": file, "sourceFileType": "UBAM", "subjectId": "S", "sampleId": "s"} for file in files]
        return {"sequenceStoreId": store, "roleArn": ROLE, "sources": sources, **more}
    sources = [{"readSetId": read_set} for read_set in read_sets]
    if kind == "Activation":
        return {"sequenceStoreId": store, "sources": sources, **more}
    return {"sequenceStoreId": store, "destination": "s3://bucket/out/", "roleArn": ROLE, "sources": sources, **more}


def least_input(operation, store, read_set, job):
    """An input for any operation."""
    for kind in KINDS:
        if operation == f"Start{'ReadSet'}{kind}Job":
            return start_input(kind, store, [read_set])
    if operation.startswith("List"):
        return {"sequenceStoreId": store}
    if operation == "BatchDeleteReadSet":
        return {"sequenceStoreId": store, "ids": [read_set]}
    return {"sequenceStoreId": store, "id": read_set if operation == "GetReadSetMetadata" else job}


def imports(client, driver, check):
    with Service(driver, polls=2) as service:
        api, store = client.connect(service), service.store()
        before = datetime.now(timezone.utc)
        started = api.call(
            "StartReadSetImportJob", sequenceStoreId=store, roleArn=ROLE, sources=[PAIR, CRAM], clientToken="token 1"
        )
        check.equal("status", started["status"], "SUBMITTED")
        check.equal("role", started["roleArn"], ROLE)
        check.that("time", abs((time_of(started["creationTime"]) - before).total_seconds()) < 60)
        of = {"sequenceStoreId": store, "id": started["id"]}
        job = api.call("GetReadSetImportJob", **of)
        check.equal("status on the way", job["status"], "IN_PROGRESS")
        check.equal("items on the way", [item["status"] for item in job["sources"]], ["FINISHED", "IN_PROGRESS"])
        job = api.call("GetReadSetImportJob", **of)
        check.equal("status in the end", job["status"], "COMPLETED")
        check.that("it ended", time_of(job["completionTime"]) >= time_of(job["creationTime"]))
        first = job["sources"][0]
        for member in PAIR.keys() - {"tags"}:
            check.equal(f"{member} comes back", first[member], PAIR[member])
        tags = {"aws:omics:subjectId": PAIR["subjectId"], "aws:omics:sampleId": PAIR["sampleId"]}
        check.equal("tags", first["tags"], PAIR["tags"] | tags)

        read_set = api.call("GetReadSetMetadata", sequenceStoreId=store, id=first["readSetId"])
        for member in ["subjectId", "sampleId", "name", "description"]:
            check.equal(f"{member} of the read set", read_set[member], PAIR[member])
        expected = {"status": "ACTIVE", "fileType": "FASTQ", "creationType": "IMPORT", "creationJobId": started["id"]}
        check.equal("read set", {name: read_set[name] for name in expected}, expected)
        check.equal("files", sorted(read_set["files"]), ["source1", "source2"])
        check.that("size", read_set["files"]["source1"]["contentLength"] > 2**28)
        check.equal("counted", read_set["sequenceInformation"]["generatedFrom"], PAIR["generatedFrom"])
        check.equal("tag of the content", read_set["etag"]["algorithm"], "FASTQ_MD5up")
        second = api.call("GetReadSetMetadata", sequenceStoreId=store, id=job["sources"][1]["readSetId"])
        check.equal("reference", second["referenceArn"], REFERENCE)
        check.equal("token", service.jobs()[0]["client_token"], "token 1")


def exports(client, driver, check):
    with Service(driver, polls=1) as service:
        api, store = client.connect(service), service.store()
        good, archived = service.seed(store), service.seed(store, "ARCHIVED")
        job = api.call("StartReadSetExportJob", **start_input("Export", store, [good, archived, NOWHERE]))
        check.equal("destination", job["destination"], "s3://bucket/out/")
        job = api.call("GetReadSetExportJob", sequenceStoreId=store, id=job["id"])
        check.equal("status", job["status"], "COMPLETED_WITH_FAILURES")
        check.equal("items", [item["id"] for item in job["readSets"]], [good, archived, NOWHERE])
        check.equal("ends", [item["status"] for item in job["readSets"]], ["FINISHED", "FAILED", "FAILED"])
        check.equal("reason", job["readSets"][2]["statusMessage"], "Read set not found")


def activations(client, driver, check):
    # The metadata are the first read of the job, and the Get is the second.
    with Service(driver, polls=2) as service:
        api, store = client.connect(service), service.store()
        archived = service.seed(store, "ARCHIVED", subject_id="NA12878", name="lane")
        before = api.call("GetReadSetMetadata", sequenceStoreId=store, id=archived)
        check.equal("archived", (before["status"], before.get("files")), ("ARCHIVED", None))
        job = api.call("StartReadSetActivationJob", **start_input("Activation", store, [archived]))
        between = api.call("GetReadSetMetadata", sequenceStoreId=store, id=archived)
        check.equal("activating", between["status"], "ACTIVATING")
        job = api.call("GetReadSetActivationJob", sequenceStoreId=store, id=job["id"])
        check.equal("status", job["status"], "COMPLETED")
        check.equal("item", [(item["readSetId"], item["status"]) for item in job["sources"]], [(archived, "FINISHED")])
        after = api.call("GetReadSetMetadata", sequenceStoreId=store, id=archived)
        check.equal("active", (after["status"], after["subjectId"], after["name"]), ("ACTIVE", "NA12878", "lane"))


def deletions(client, driver, check):
    with Service(driver) as service:
        api, store = client.connect(service), service.store()
        kept, deleted, archived = service.seed(store), service.seed(store), service.seed(store, "ARCHIVED")
        result = api.call("BatchDeleteReadSet", sequenceStoreId=store, ids=[deleted, NOWHERE, archived])
        check.equal("errors", [error["id"] for error in result["errors"]], [NOWHERE])
        check.equal("code", result["errors"][0]["code"], "ResourceNotFoundException")
        check.that("message", result["errors"][0]["message"])
        left = api.call("ListReadSets", sequenceStoreId=store)["readSets"]
        check.equal("left", [read_set["id"] for read_set in left], [kept])
        result = api.call("BatchDeleteReadSet", sequenceStoreId=store, ids=[kept])
        check.equal("no errors", result.get("errors") or [], [])


def lists(client, driver, check):
    with Service(driver, polls=1) as service:
        api, store = client.connect(service), service.store()
        read_sets = [service.seed(store, subject_id=f"S{number % 2}") for number in range(23)]
        pages = api.pages("ListReadSets", sequenceStoreId=store, maxResults=10)
        check.equal("read sets", sum(pages, []), read_sets)
        check.equal("pages", len(service.requests()), 3)
        pages = api.pages("ListReadSets", sequenceStoreId=store, maxResults=5, filter={"subjectId": "S1"})
        check.equal("read sets of a subject", sum(pages, []), read_sets[1::2])

        page = api.call("ListReadSets", sequenceStoreId=store, maxResults=20)
        check.equal("a page", [item["id"] for item in page["readSets"]], read_sets[:20])
        rest = api.call("ListReadSets", sequenceStoreId=store, maxResults=20, nextToken=page["nextToken"])
        check.equal("the next", [item["id"] for item in rest["readSets"]], read_sets[20:])
        check.equal("no token at the end", rest.get("nextToken"), None)

        for kind, items in KINDS.items():
            operation = f"ListReadSet{kind}Jobs"
            start = start_input(kind, store, read_sets[:1])
            jobs = [api.call(f"StartReadSet{kind}Job", **start)["id"] for _ in range(5)]
            api.call(f"GetReadSet{kind}Job", sequenceStoreId=store, id=jobs[2])
            before = len(service.requests())
            pages = api.pages(operation, sequenceStoreId=store, maxResults=2)
            check.equal(f"{kind} jobs", sum(pages, []), jobs)
            check.equal(f"{kind} pages", len(service.requests()) - before, 3)
            done = api.call(operation, sequenceStoreId=store, filter={"status": "COMPLETED"})[items]
            check.equal(f"{kind} jobs that the lists found ended", [job["id"] for job in done], jobs)
            check.equal(
                f"no running {kind} job", api.call(operation, sequenceStoreId=store, filter={"status": "IN_PROGRESS"})[items], []
            )
            since = {"createdAfter": "2020-01-01T00:00:00.123Z", "createdBefore": "2020-01-02T00:00:00Z"}
            check.equal(f"no old {kind} jobs", api.call(operation, sequenceStoreId=store, filter=since)[items], [])
        foreign = {"sequenceStoreId": store, "maxResults": 5, "nextToken": page["nextToken"]}
        refused(client, service, api, check, "ListReadSetExportJobs", foreign, 400, "ValidationException")


def waits(client, driver, check):
    for kind in KINDS:
        with Service(driver, polls=client.polls) as service:
            api, store = client.connect(service), service.store()
            good, bad = (service.seed(store, "ARCHIVED" if kind == "Activation" else "ACTIVE") for _ in range(2))
            service.command("fail_item", key=f"s3://bucket/{bad}.bam" if kind == "Import" else bad, message="no")
            for read_sets, status in [
                ([good], "COMPLETED"),
                ([good, bad], "COMPLETED_WITH_FAILURES"),
                ([bad], "FAILED"),
            ]:
                job = api.call(f"StartReadSet{kind}Job", **start_input(kind, store, read_sets))["id"]
                waited, seen = api.wait(f"GetReadSet{kind}Job", sequenceStoreId=store, id=job)
                ends_well = status == "COMPLETED" or not client.fails_with_the_job
                check.equal(f"{kind} to {status}", waited, "success" if ends_well else "failure")
                check.equal(f"{kind} to {status}, as it was seen", seen or status, status)
                (known,) = [known["status"] for known in service.jobs() if known["id"] == job]
                check.equal(f"{kind} to {status}, as it is", known, status)
            looks = [request for request in service.requests() if request["operation"] == f"GetReadSet{kind}Job"]
            check.equal(f"{kind} looks", len(looks), 3 * client.polls)


def refused(client, service, api, check, operation, arguments, status, code):
    """The call fails with this error, or, if the client looks first, before it is sent."""
    name = f"{operation} {status} {code}"
    try:
        output = api.call(operation, **arguments)
    except ErrorResponse as error:
        check.equal(name, error.code, code)
        check.equal(f"{name} as sent", service.requests()[-1]["status"], status)
        check.that(f"{name} as reported: {error.status}", error.status in (None, status))
        check.that(f"{name} has a message", error.message)
    except NotSent:
        check.that(f"{name} is found before", client.checks_first and status == 400)
    else:
        check.that(f"{name}: no error but {output}", False)


def errors_of_every_operation(client, driver, check):
    with Service(driver) as service:
        api, store = client.connect(service), service.store()
        read_set = service.seed(store)
        for operation in OPERATIONS:
            good = least_input(operation, store, read_set, NOWHERE)
            letters = good | {"sequenceStoreId": "abcdefghij"}
            refused(client, service, api, check, operation, letters, 400, "ValidationException")
            service.fault(
                operation, kind="error", status=403, code="AccessDeniedException", message="no policy allows it"
            )
            refused(client, service, api, check, operation, good, 403, "AccessDeniedException")
            nowhere = good | {"sequenceStoreId": NOWHERE}
            refused(client, service, api, check, operation, nowhere, 404, "ResourceNotFoundException")
            service.fault(operation, kind="error", status=429, code="ThrottlingException", message="Rate exceeded")
            refused(client, service, api, check, operation, good, 429, "ThrottlingException")
    with Service(driver, requests_per_second=1) as service:
        api, store = client.connect(service), service.store()
        throttled = 0
        for _ in range(20):
            try:
                api.call("ListReadSets", sequenceStoreId=store)
            except ErrorResponse as error:
                throttled += error.code == "ThrottlingException"
                break
        # A command line that starts again each time may be too slow for it.
        check.that("too many requests", throttled or client.polls == 1)


def errors_of_starts(client, driver, check):
    # Jobs that no time ends: some clients take seconds for a few calls.
    with Service(driver, jobs_at_once=1, polls=100) as service:
        api, store = client.connect(service), service.store()
        archived = [service.seed(store, "ARCHIVED") for _ in range(21)]
        start = "StartReadSetActivationJob"
        too_many = start_input("Activation", store, archived)
        refused(client, service, api, check, start, too_many, 400, "ValidationException")
        first = start_input("Activation", store, archived[:1], clientToken="once")
        job = api.call(start, **first)
        again = api.call(start, **first)
        check.equal("the same token", again["id"], job["id"])
        check.equal("the same token, jobs", len(service.jobs()), 1)
        other = start_input("Activation", store, archived[1:2], clientToken="once")
        refused(client, service, api, check, start, other, 400, "ValidationException")
        second = start_input("Activation", store, archived[1:2])
        refused(client, service, api, check, start, second, 402, "ServiceQuotaExceededException")
        of_another_kind = {"sequenceStoreId": store, "id": job["id"]}
        refused(client, service, api, check, "GetReadSetExportJob", of_another_kind, 404, "ResourceNotFoundException")
        service.fault(start, kind="error", status=408, code="RequestTimeoutException", message="too slow")
        refused(client, service, api, check, start, first, 408, "RequestTimeoutException")
        service.fault(start, kind="error", status=500, code="InternalServerException", message="down")
        refused(client, service, api, check, start, first, 500, "InternalServerException")


def credentials(client, driver, check):
    with Service(driver) as service:
        store = service.store()
        ask = ("ListReadSets", {"sequenceStoreId": store})
        api = client.connect(service, secret_access_key="wrong")
        refused(client, service, api, check, *ask, 403, "InvalidSignatureException")
        api = client.connect(service, access_key_id="AKIDNOBODY")
        refused(client, service, api, check, *ask, 403, "UnrecognizedClientException")
        keys = {"access_key_id": "ASIATEMPORARY", "secret_access_key": "s/e+c=r", "session_token": "to/ken+with=signs"}
        service.command("accept", **keys)
        api = client.connect(service, **keys)
        check.equal("a session token", api.call(ask[0], **ask[1])["readSets"], [])
        service.command("expire", access_key_id=keys["access_key_id"])
        refused(client, service, api, check, *ask, 403, "ExpiredTokenException")


def retries(client, driver, check):
    with Service(driver) as service:
        api, store = client.connect(service, attempts=3), service.store()
        read_set, start = service.seed(store), "StartReadSetExportJob"
        service.fault(start, kind="error", status=429, code="ThrottlingException", message="Rate exceeded")
        service.fault(start, kind="error", status=500, code="InternalServerException", message="down")
        job = api.call(start, **start_input("Export", store, [read_set], clientToken="a"))
        check.equal("after throttling and a failure", [known["id"] for known in service.jobs()], [job["id"]])
        check.equal("attempts", [request["status"] for request in service.requests()], [429, 500, 200])
        service.fault(start, kind="reset_after")
        job = api.call(start, **start_input("Export", store, [read_set], clientToken="b"))
        check.equal("after a lost result", [known["id"] for known in service.jobs()][1:], [job["id"]])
        check.equal("applied twice, one job", [request["applied"] for request in service.requests()][3:], [True, True])


def every_operation(client, driver, check, prefix):
    """Each operation once, and where its request went."""
    with Service(driver, polls=1) as service:
        api, store = client.connect(service, prefix=prefix), service.store()
        read_set = service.seed(store)
        for kind in KINDS:
            job = api.call(f"StartReadSet{kind}Job", **start_input(kind, store, [read_set]))["id"]
            api.call(f"GetReadSet{kind}Job", sequenceStoreId=store, id=job)
            api.call(f"ListReadSet{kind}Jobs", sequenceStoreId=store, filter={"status": "COMPLETED"})
        api.call("ListReadSets", sequenceStoreId=store, maxResults=100)
        api.call("GetReadSetMetadata", sequenceStoreId=store, id=read_set)
        api.call("BatchDeleteReadSet", sequenceStoreId=store, ids=[read_set])
        requests = service.requests()
        check.equal("operations", sorted(request["operation"] for request in requests), sorted(OPERATIONS))
        check.equal("statuses", {request["status"] for request in requests}, {200})
        host = f"{PREFIX if prefix else ''}localhost:{service.port}"
        check.equal("host", {request["host"] for request in requests}, {host})


def plain_endpoint(client, driver, check):
    every_operation(client, driver, check, prefix=False)


def host_prefix(client, driver, check):
    every_operation(client, driver, check, prefix=True)


ALL = [
    plain_endpoint,
    host_prefix,
    imports,
    exports,
    activations,
    deletions,
    lists,
    waits,
    errors_of_every_operation,
    errors_of_starts,
    credentials,
    retries,
]
