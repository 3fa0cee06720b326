"""Drives google-cloud-bigquery: a dataset, a table, rows, queries."""

import datetime
import os

from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

client = bigquery.Client(
    "p",
    AnonymousCredentials(),
    client_options={"api_endpoint": os.environ["JOBMILL_ENDPOINT"]},
)
client.create_dataset("d")
schema = [bigquery.SchemaField("input", "STRING"), bigquery.SchemaField("at", "TIMESTAMP")]
table = client.create_table(bigquery.Table("p.d.t", schema=schema))

assert client.insert_rows_json(table, [{"input": "x", "at": "2026-01-02T03:04:05Z"}]) == []
assert client.insert_rows_json(table, [{"input": "y"}]) == []
errors = client.insert_rows_json(table, [{"other": 1}])
assert errors[0]["errors"][0]["reason"] == "invalid", errors

at = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
rows = [tuple(row) for row in client.list_rows(client.get_table("p.d.t"))]
assert rows == [("x", at), ("y", None)], rows
found = client.query("SELECT input FROM d.t ORDER BY input DESC").result(page_size=1)
assert [row.input for row in found] == ["y", "x"]
config = bigquery.QueryJobConfig(
    query_parameters=[bigquery.ScalarQueryParameter("wanted", "STRING", "x")]
)
found = client.query_and_wait("SELECT at FROM d.t WHERE input = @wanted", job_config=config)
assert [row.at for row in found] == [at]
assert [tuple(row) for row in client.query_and_wait("SELECT count(*) FROM d.t")] == [(2,)]
try:
    client.query("SELECT input, count(*) FROM d.t GROUP BY input").result()
    raise AssertionError("a query beyond the subset is refused")
except exceptions.BadRequest as error:
    assert "not supported here" in str(error), error

assert [item.table_id for item in client.list_tables("d")] == ["t"]
client.delete_dataset("d", delete_contents=True)
try:
    client.get_table("p.d.t")
    raise AssertionError("the table is gone")
except exceptions.NotFound:
    pass
print("all checks passed")
