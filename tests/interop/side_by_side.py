"""The same input through botocore and through the crate: the two requests are equal, and botocore's signer comes to the
crate's signature.

Both go to the hosts of AWS, by way of a proxy that ends their TLS here, and to an endpoint URL."""

import json
import re

import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.session

import generate
from capture import about_what_was_asked
from clients import PREFIX, clean_environment, xform_name
from programs import Failed, Program

KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "to/ken+with=signs"

# What may differ, by name. Nothing else may.
CLIENT_TOKEN = "client token: a start of the crate never goes out without one"
NO_PREFIX = "host prefix: the crate puts none before the host of an endpoint URL"
USER_AGENT = "user agent: each has its own (not signed)"
UNSIGNED = "headers that are not signed: of connection, encoding and attempt"
FRACTION = "fraction of a second: the crate writes no zeros at its end"
UNSIGNED_HEADERS = {
    "accept",
    "accept-encoding",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "connection",
    "content-length",
}


class SideBySide:
    def __init__(self, driver_path, capture, check):
        self.capture, self.check, self.met, self.inputs = capture, check, set(), 0
        proxied = clean_environment(HTTPS_PROXY=capture.url, SSL_CERT_FILE=str(capture.authority))
        self.crate = Program(driver_path, env=proxied)
        self.session = botocore.session.Session()
        self.model = self.session.get_service_model("omics")
        capture.next_response = about_what_was_asked

    def botocore(self, region, endpoint, token, fips, dual_stack):
        config = botocore.config.Config(
            proxies={} if endpoint else {"https": self.capture.url},
            use_fips_endpoint=fips,
            use_dualstack_endpoint=dual_stack,
            retries={"total_max_attempts": 1},
        )
        return self.session.create_client(
            "omics",
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            aws_session_token=token,
            verify=str(self.capture.authority),
            config=config,
        )

    def compare(self, inputs, region="us-east-1", endpoint=None, token=None, fips=False, dual_stack=False):
        theirs = self.botocore(region, endpoint, token, fips, dual_stack)
        number = self.crate.ask(
            "connect",
            region=region,
            endpoint=endpoint,
            access_key_id=KEY,
            secret_access_key=SECRET,
            session_token=token,
            fips=fips,
            dual_stack=dual_stack,
            # What the user guide rules out and the model does not is sent, too.
            parameter_validation=False,
        )["client"]
        of_endpoint = f"{region}{' fips' * fips}{' dual stack' * dual_stack}{' token' * bool(token)}"
        for operation, name, given in inputs:
            name = f"{operation}: {name} ({'endpoint URL' if endpoint else of_endpoint})"
            self.capture.take()
            getattr(theirs, xform_name(operation))(**given)
            try:
                result = self.crate.ask("call", client=number, operation=operation, input=given)
            except Failed as failed:
                result = str(failed)
            requests = self.capture.take()
            if len(requests) != 2 or "output" not in result:
                self.check.that(f"{name}: {len(requests)} requests, {result}", False)
                continue
            self.check.equal(name, self.view(requests[1], given, operation), self.view(requests[0], given, operation))
            self.check.equal(f"{name}: signature", signature_of(requests[1]), sign(requests[1], region, token))

    def view(self, request, given, operation):
        """A request without what is meant to differ."""
        signed = re.search(r"SignedHeaders=([^,]+)", request.header("authorization"))[1].split(";")
        body = json.loads(request.body) if request.body else None
        host, is_crate = request.header("host"), "healthomics/" in request.header("user-agent")
        if is_crate and operation.startswith("Start") and "clientToken" not in given:
            self.met.add(CLIENT_TOKEN)
            assert len(body.pop("clientToken")) == 36
        if not is_crate and host.startswith(f"{PREFIX}localhost"):
            self.met.add(NO_PREFIX)
            host = host.removeprefix(PREFIX)
        for member in ("createdAfter", "createdBefore"):
            time = (body or {}).get("filter", {}).get(member, "")
            whole, point, fraction = time.removesuffix("Z").partition(".")
            if point:
                self.met.add(FRACTION)
                body["filter"][member] = f"{whole}.{fraction.rstrip('0')}Z"
        others = {name for name, _ in request.headers} - set(signed)
        self.met.add(USER_AGENT)
        self.met.add(UNSIGNED)
        return {
            "method": request.method,
            "scheme": request.scheme,
            "host": host,
            "connected to": request.connected_to,
            "path": request.path,
            "query": request.query,
            "signed": signed,
            "content type": request.header("content-type"),
            "session token": request.header("x-amz-security-token"),
            "other headers": sorted(others - UNSIGNED_HEADERS - {"user-agent"}),
            "body": body,
        }

    def run(self):
        everything = [
            (operation, name, given)
            for operation in self.operations()
            for name, given in generate.inputs(self.model, operation)
        ]
        self.check.that(f"{len(everything)} inputs are enough", len(everything) >= 150)
        self.compare(everything)
        self.compare(everything, endpoint=f"http://localhost:{self.capture.server_port}")
        least = [(operation, name, given) for operation, name, given in everything if name in ("least", "most")]
        for region in ("eu-west-2", "cn-north-1", "us-gov-west-1"):
            self.compare(least, region=region)
        self.compare(least, token=TOKEN)
        for fips, dual_stack in [(True, False), (False, True), (True, True)]:
            self.compare(least, fips=fips, dual_stack=dual_stack)
        named = {CLIENT_TOKEN, NO_PREFIX, USER_AGENT, UNSIGNED, FRACTION}
        self.check.equal("differences that are named are met", self.met, named)
        self.inputs = len(everything)

    def operations(self):
        client = self.crate.ask("connect", region="us-east-1", access_key_id=KEY, secret_access_key=SECRET)["client"]
        return list(self.crate.ask("builders", client=client))


def signature_of(request):
    return re.search(r"Signature=(\w+)", request.header("authorization"))[1]


def sign(request, region, token):
    """The signature that botocore's signer puts under the request as it came."""
    signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY, SECRET, token), "omics", region)
    signed = re.search(r"SignedHeaders=([^,]+)", request.header("authorization"))[1].split(";")
    again = botocore.awsrequest.AWSRequest(
        method=request.method,
        url=f"{request.scheme}://{request.header('host')}{request.target}",
        headers={name: value for name, value in request.headers if name in signed},
        data=request.body,
    )
    again.context["timestamp"] = request.header("x-amz-date")
    to_sign = signer.string_to_sign(again, signer.canonical_request(again))
    return signer.signature(to_sign, again)
