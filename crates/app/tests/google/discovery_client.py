"""Drives google-api-python-client: workflows and executions from the discovery documents."""

import json
import os

from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

PARENT = "projects/my-project/locations/us-central1"
ADD = "main:\n  params: [args]\n  steps:\n  - done:\n      return: ${args.a + args.b}\n"
SLEEPS = "- wait:\n    call: sys.sleep\n    args:\n      seconds: 3600\n"


def service(name):
    return build(
        name,
        "v1",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": os.environ["JOBMILL_ENDPOINT"]},
    )


locations = service("workflows").projects().locations()
for name, source in (("add", ADD), ("sleeps", SLEEPS)):
    body = {"sourceContents": source}
    operation = (
        locations.workflows().create(parent=PARENT, workflowId=name, body=body).execute()
    )
    again = locations.operations().get(name=operation["name"]).execute()
    assert again["done"] and again == operation, (again, operation)

executions = service("workflowexecutions").projects().locations().workflows().executions()


def begin(workflow, argument):
    body = {"argument": json.dumps(argument)}
    return executions.create(parent=f"{PARENT}/workflows/{workflow}", body=body).execute()


def ended(name):
    while True:
        shown = executions.get(name=name).execute()
        if shown["state"] not in ("ACTIVE", "QUEUED"):
            return shown


good = ended(begin("add", {"a": "x", "b": 1})["name"])
assert (good["state"], json.loads(good["result"])) == ("SUCCEEDED", "x1"), good
bad = ended(begin("add", {"a": 1})["name"])
assert bad["state"] == "FAILED", bad
assert json.loads(bad["error"]["payload"])["message"] == "KeyError: key not found: b", bad
assert bad["error"]["stackTrace"]["elements"][0]["step"] == "done", bad

sleeping = begin("sleeps", None)
cancelled = executions.cancel(name=sleeping["name"], body={}).execute()
assert cancelled["state"] == "CANCELLED", cancelled
try:
    executions.cancel(name=sleeping["name"], body={}).execute()
    raise AssertionError("an execution was cancelled twice")
except HttpError as error:
    assert error.status_code == 400, error
    assert "cannot be cancelled" in error.reason, error

parent = f"{PARENT}/workflows/add"
request = executions.list(parent=parent, pageSize=1, orderBy="createTime")
states = []
while request is not None:
    page = request.execute()
    states += [it["state"] for it in page.get("executions", [])]
    request = executions.list_next(request, page)
assert states == ["SUCCEEDED", "FAILED"], states
failed = executions.list(parent=parent, filter='state="FAILED"', view="FULL").execute()
assert [it["name"] for it in failed["executions"]] == [bad["name"]], failed
assert failed["executions"][0]["argument"] == '{"a":1}', failed

print("all checks passed")
