// Drives the ExecutionsClient of @google-cloud/workflows over REST.
'use strict';

const assert = require('node:assert');
const {ExecutionsClient} = require('@google-cloud/workflows');
const {PassThroughClient} = require('google-auth-library');

const endpoint = new URL(process.env.JOBMILL_ENDPOINT);
const location = 'projects/my-project/locations/us-central1';
const source = 'main:\n  params: [args]\n  steps:\n  - done:\n      return: ${args.a * 2}\n';

async function deploy() {
  const url = `${endpoint.origin}/v1/${location}/workflows?workflowId=double`;
  const body = JSON.stringify({sourceContents: source});
  const headers = {'Content-Type': 'application/json'};
  const answer = await fetch(url, {method: 'POST', headers, body});
  assert.strictEqual(answer.status, 200, await answer.text());
}

async function main() {
  await deploy();
  const client = new ExecutionsClient({
    fallback: true,
    protocol: 'http',
    apiEndpoint: endpoint.hostname,
    port: Number(endpoint.port),
    projectId: 'my-project',
    authClient: new PassThroughClient(),
  });
  const parent = client.workflowPath('my-project', 'us-central1', 'double');
  const execution = {argument: JSON.stringify({a: 21})};
  const [begun] = await client.createExecution({parent, execution});
  let shown = begun;
  while (['ACTIVE', 'QUEUED', 1, 6].includes(shown.state)) {
    [shown] = await client.getExecution({name: begun.name});
  }
  assert.ok(['SUCCEEDED', 2].includes(shown.state), JSON.stringify(shown));
  assert.strictEqual(shown.result, '42');
  const [listed] = await client.listExecutions({parent});
  assert.deepStrictEqual(listed.map(it => it.name), [begun.name]);
  await assert.rejects(client.cancelExecution({name: begun.name}), /cannot be cancelled/);
  await assert.rejects(client.getExecution({name: `${parent}/executions/none`}), /not found/);
  console.log('all checks passed');
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
