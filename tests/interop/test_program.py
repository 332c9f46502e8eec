"""The settings that healthomics-local prints make the AWS CLI and the SDK for JavaScript work.

`run` extracts test_guide from the guide: its test with boto3, and the fixtures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from test_guide import local, program  # noqa: F401

LIST = """
const { OmicsClient, ListReadSetsCommand } = require("@aws-sdk/client-omics");
const client = new OmicsClient({ disableHostPrefix: true });
const command = new ListReadSetsCommand({ sequenceStoreId: "1234567890" });
client.send(command).then(({ readSets }) => console.log(JSON.stringify({ readSets })));
"""


def aws_cli():
    return [Path(sys.executable).with_name("aws"), "omics", "list-read-sets", "--sequence-store-id", "1234567890"]


@pytest.mark.parametrize("command", [aws_cli(), ["node", "-e", LIST]], ids=["aws", "node"])
def test_the_printed_settings_are_enough(local, command):  # noqa: F811
    read_set = {"id": "5555555555", "status": "ARCHIVED", "fileType": "CRAM"}
    local("POST seed", stores=[{"id": "1234567890", "readSets": [read_set]}])
    output = subprocess.run(command, check=True, capture_output=True, cwd=os.environ["NODE_FOLDER"]).stdout
    assert [read_set["id"] for read_set in json.loads(output)["readSets"]] == ["5555555555"]
