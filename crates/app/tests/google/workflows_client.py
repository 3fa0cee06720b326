"""Drives google-cloud-workflows' WorkflowsClient over REST."""

import os

from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import workflows_v1
from google.protobuf import field_mask_pb2

PARENT = "projects/my-project/locations/us-central1"
SOURCE = "- done:\n    return: {}\n"

client = workflows_v1.WorkflowsClient(
    transport="rest",
    credentials=AnonymousCredentials(),
    client_options={"api_endpoint": os.environ["JOBMILL_ENDPOINT"]},
)

workflow = workflows_v1.Workflow(
    source_contents=SOURCE.format(1),
    description="made by Python",
    labels={"env": "ci"},
    call_log_level=workflows_v1.Workflow.CallLogLevel.LOG_ALL_CALLS,
)
operation = client.create_workflow(parent=PARENT, workflow=workflow, workflow_id="from-python")
created = operation.result(timeout=60)
assert created.name == f"{PARENT}/workflows/from-python", created
assert created.state == workflows_v1.Workflow.State.ACTIVE, created
assert created.revision_id.startswith("000001-"), created
assert operation.metadata.verb == "create", operation.metadata

shown = client.get_workflow(name=created.name)
assert shown.source_contents == SOURCE.format(1), shown
assert shown.labels["env"] == "ci", shown
assert shown.call_log_level == workflows_v1.Workflow.CallLogLevel.LOG_ALL_CALLS, shown

shown.source_contents = SOURCE.format(2)
mask = field_mask_pb2.FieldMask(paths=["source_contents"])
updated = client.update_workflow(workflow=shown, update_mask=mask).result(timeout=60)
assert updated.revision_id.startswith("000002-"), updated
assert updated.description == "made by Python", updated

revisions = list(client.list_workflow_revisions(request={"name": created.name}))
assert [it.revision_id for it in revisions] == [updated.revision_id, created.revision_id]
older = client.get_workflow(
    request={"name": created.name, "revision_id": created.revision_id}
)
assert older.source_contents == SOURCE.format(1), older

for name in ("a", "b"):
    client.create_workflow(
        parent=PARENT,
        workflow=workflows_v1.Workflow(source_contents=SOURCE.format(1)),
        workflow_id=name,
    ).result(timeout=60)
paged = client.list_workflows(request={"parent": PARENT, "page_size": 1})
names = [it.name.rsplit("/", 1)[1] for it in paged]
assert names == ["a", "b", "from-python"], names
filtered = client.list_workflows(request={"parent": PARENT, "filter": 'labels.env="ci"'})
assert [it.name for it in filtered] == [created.name]

try:
    client.create_workflow(
        parent=PARENT,
        workflow=workflows_v1.Workflow(source_contents="- done:\n    return: ${varC}\n"),
        workflow_id="wrong",
    )
    raise AssertionError("a wrong definition was deployed")
except exceptions.BadRequest as error:
    assert "symbol 'varC' is neither a variable nor" in error.message, error
    assert error.details[0]["fieldViolations"], error.details

try:
    client.create_workflow(parent=PARENT, workflow=workflow, workflow_id="a")
    raise AssertionError("a workflow was created twice")
except exceptions.Conflict:
    pass

client.delete_workflow(name=created.name).result(timeout=60)
try:
    client.get_workflow(name=created.name)
    raise AssertionError("a deleted workflow was found")
except exceptions.NotFound:
    pass

locations = client.list_locations(request={"name": "projects/my-project"}).locations
assert len(locations) == 1, locations
operations = client.list_operations(request={"name": PARENT}).operations
assert {it.done for it in operations} == {True}, operations

print("all checks passed")
