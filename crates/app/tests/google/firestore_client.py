"""Drives the generated client of google-cloud-firestore over REST."""

import os

from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore_v1.services.firestore import FirestoreClient

DATABASE = "projects/p/databases/(default)"
ROOT = DATABASE + "/documents"

client = FirestoreClient(
    transport="rest",
    credentials=AnonymousCredentials(),
    client_options={"api_endpoint": os.environ["JOBMILL_ENDPOINT"]},
)
name = ROOT + "/c/x"
client.update_document(request={"document": {"name": name, "fields": {"n": {"integer_value": 5}}}})
changed = client.update_document(
    request={
        "document": {"name": name, "fields": {"m": {"string_value": "s"}}},
        "update_mask": {"field_paths": ["m"]},
    }
)
assert sorted(changed.fields) == ["m", "n"], changed
assert client.get_document(request={"name": name}).fields["n"].integer_value == 5

below = {"parent": name, "collection_id": "k", "document_id": "y", "document": {}}
assert client.create_document(request=below).name == name + "/k/y"
try:
    client.create_document(request=below)
    raise AssertionError("the document is there already")
except exceptions.Conflict:
    pass
listed = client.list_documents(request={"parent": name, "collection_id": "k"})
assert [document.name for document in listed] == [name + "/k/y"]

where = {"field_filter": {"field": {"field_path": "n"}, "op": 5, "value": {"integer_value": 5}}}
query = {"from_": [{"collection_id": "c"}], "where": where}
found = client.run_query(request={"parent": ROOT, "structured_query": query})
assert [answer.document.name for answer in found] == [name]

change = {
    "field_path": "done",
    "append_missing_elements": {"values": [{"string_value": "a"}]},
}
write = {"transform": {"document": name, "field_transforms": [change]}}
client.commit(request={"database": DATABASE, "writes": [write]})
client.commit(request={"database": DATABASE, "writes": [write]})
done = client.get_document(request={"name": name}).fields["done"].array_value.values
assert [value.string_value for value in done] == ["a"], done

wanted = [name, ROOT + "/c/q"]
got = list(client.batch_get_documents(request={"database": DATABASE, "documents": wanted}))
assert (got[0].found.name, got[1].missing) == (name, ROOT + "/c/q"), got
client.delete_document(request={"name": name})
try:
    client.get_document(request={"name": name})
    raise AssertionError("the document is gone")
except exceptions.NotFound:
    pass
print("all checks passed")
