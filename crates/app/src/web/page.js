// The page at `/`. It reads and writes through the public JSON API and nothing else.
'use strict';

const STATES = ['scheduled', 'submitted', 'running', 'completed', 'failed', 'cancelled'];
const FINAL = ['completed', 'failed', 'cancelled'];
const EXAMPLES = {
  expand_reduce_flow: { '1': '2', '3': '4', '5': '6', '7': '8' },
  range_report: { start: 1, end: 10 },
};
const EVERY_MS = 2000;
const ROWS = 12;

const $ = (id) => document.getElementById(id);
const view = { state: '', cursor: '', next: null, open: null, rows: '' };

/** Makes an element: attributes, then children; text is never read as HTML. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Asks the API; an answer that is not JSON is no answer. */
async function ask(path, options = {}) {
  const headers = { ...options.headers };
  const key = sessionStorage.getItem('key');
  if (key) headers.Authorization = `Bearer ${key}`;
  const answer = await fetch(path, { ...options, headers });
  if (answer.status === 401) $('key').hidden = false;
  return { status: answer.status, ok: answer.ok, body: await answer.json() };
}

/** What is wrong, as lines. */
function wrong(body) {
  const items = (body.errors || []).map((error) => `${error.pointer || 'body'}: ${error.message}`);
  return items.length ? items.join('\n') : body.detail || 'the server gave no reason';
}

function ago(text) {
  const seconds = Math.max(0, (Date.now() - Date.parse(text)) / 1000);
  if (seconds < 60) return `${Math.floor(seconds)}s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h ago`;
  return new Date(text).toLocaleDateString();
}

function pretty(value) {
  const text = JSON.stringify(value, null, 2) ?? 'null';
  return text.length > 6000 ? `${text.slice(0, 6000)}\n…` : text;
}

function pill(state) {
  return make('span', { class: `pill ${state}` }, state);
}

// Counts by state.

function drawCounts(counts) {
  const tile = (state, number) => make('button', {
    class: `tile ${state || 'all'}`,
    'aria-pressed': String(view.state === state),
    onclick: () => choose(state),
  }, make('b', {}, Number(number).toLocaleString()), make('span', {}, state || 'all'));
  $('counts').replaceChildren(
    tile('', counts.total), ...STATES.map((state) => tile(state, counts[state])));
}

function choose(state) {
  Object.assign(view, { state, cursor: '', rows: '' });
  refresh();
}

// The list of jobs.

function drawJobs(page) {
  view.next = page.next;
  $('older').hidden = !page.next && !view.cursor;
  $('older').textContent = page.next ? 'Older' : 'Newest';
  const text = JSON.stringify([page.items, view.open && view.open.id]);
  if (text === view.rows) {
    for (const time of document.querySelectorAll('#jobs time')) {
      time.textContent = ago(time.dateTime);
    }
    return;
  }
  view.rows = text;
  if (!page.items.length) {
    $('jobs').replaceChildren(make('p', { class: 'empty' },
      view.state ? `No job is ${view.state}.` : 'No job yet. Submit one, and it shows up here.'));
    return;
  }
  $('jobs').replaceChildren(...page.items.map(row));
}

function row(job) {
  const isOpen = view.open && view.open.id === job.id;
  const head = make('button', {
    class: 'job', 'aria-expanded': String(Boolean(isOpen)), onclick: () => toggle(job.id),
  },
  pill(job.status),
  make('span', { class: 'flow' }, job.flow),
  make('code', { class: 'id' }, job.id),
  make('time', { datetime: job.created_at, title: job.created_at }, ago(job.created_at)));
  return make('article', {}, head, isOpen ? detail(job) : null);
}

function detail(job) {
  const verb = FINAL.includes(job.status) ? 'retry' : 'cancel';
  const act = job.status === 'completed' ? null : make('button', {
    class: 'quiet', onclick: () => post(`/jobs/${job.id}/${verb}`),
  }, verb === 'retry' ? 'Run again' : 'Cancel');
  const facts = [`attempt ${job.attempt} of ${job.max_attempts}`, `queue ${job.queue}`];
  if (job.progress.total) facts.push(`${job.progress.done} of ${job.progress.total} done`);
  if (job.waiting_for) facts.push(`waits for ${job.waiting_for}`);
  if (job.finished_at && job.started_at) {
    facts.push(`took ${Date.parse(job.finished_at) - Date.parse(job.started_at)} ms`);
  }
  const link = (path, name) => make('a', { href: `/jobs/${job.id}${path}` }, name);
  return make('div', { class: 'detail' },
    make('p', { class: 'note' }, [...facts, ...job.warnings].join(' · ')),
    make('h3', {}, 'Input'), make('pre', {}, pretty(job.input)),
    make('h3', {}, view.open.title), make('pre', { class: view.open.kind }, view.open.text),
    make('p', { class: 'links' }, act, link('', 'job'), link('/results', 'results'),
      link('/pairs', 'pairs'), link('/errors', 'errors')));
}

async function toggle(id) {
  if (view.open && view.open.id === id) {
    view.open = null;
    history.replaceState(null, '', ' ');
  } else {
    history.replaceState(null, '', `#${id}`);
    view.open = { id, title: 'Outcome', text: '…', kind: '' };
    await read(id);
  }
  refresh();
}

/** Reads the outcome of the open job; a large one is shown by its first entries. */
async function read(id) {
  const pairs = await ask(`/jobs/${id}/pairs?limit=20`);
  if (!pairs.ok) {
    view.open = { id, title: 'Outcome', text: pairs.body.detail, kind: 'muted', again: true };
    return;
  }
  if (pairs.body.items.length) {
    const entries = pairs.body.items.map(({ key, value }) =>
      `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
    if (pairs.body.next) entries.push('…');
    view.open = { id, title: 'Result', text: entries.join('\n'), kind: '' };
    return;
  }
  const outcome = await ask(`/jobs/${id}/results`);
  view.open = outcome.body.error
    ? { id, title: outcome.body.error.type, text: outcome.body.error.message, kind: 'bad' }
    : { id, title: 'Result', text: pretty(outcome.body.result), kind: '' };
}

async function post(path) {
  await ask(path, { method: 'POST' });
  if (view.open) view.open.again = true;
  refresh();
}

// The form.

async function drawFlows() {
  const { ok, body } = await ask('/flows');
  if (!ok) return;
  const about = () => {
    const flow = body.items.find((item) => item.name === $('flow').value);
    if (!flow) return;
    $('about').textContent = flow.about;
    const example = EXAMPLES[flow.name] ?? (flow.input_schema.examples || [{}])[0];
    $('input').value = JSON.stringify(example, null, 1).replace(/\n\s*/g, ' ').replace(/, /g, ',\n  ');
  };
  $('flow').replaceChildren(...body.items.map(({ name }) => make('option', {}, name)));
  $('flow').addEventListener('change', about);
  about();
  drawCurls();
}

async function submit(event) {
  event.preventDefault();
  const said = $('said');
  const body = `{"flow":${JSON.stringify($('flow').value)},"input":${$('input').value || 'null'},`
    + `"params":${$('params').value || '{}'}}`;
  said.className = '';
  said.textContent = 'sending…';
  try {
    const { ok, body: answer } = await ask('/jobs', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body,
    });
    said.className = ok ? 'good' : 'bad';
    said.textContent = ok ? `accepted: ${answer.id}` : wrong(answer);
    if (ok) {
      Object.assign(view, { state: '', cursor: '' });
      view.open = { id: answer.id, title: 'Outcome', text: '…', kind: 'muted', again: true };
    }
  } catch (error) {
    said.className = 'bad';
    said.textContent = `no answer: ${error.message}`;
  }
  refresh();
}

// The lines for a terminal.

function drawCurls() {
  const at = location.origin;
  const key = sessionStorage.getItem('key') ? ' -H "Authorization: Bearer $JOBMILL_KEY"' : '';
  const json = `-H 'Content-Type: application/json'`;
  const lines = [
    ['Submit a job', `curl${key} ${at}/jobs ${json} -d '{"flow":"expand_reduce_flow","input":{"1":"2","3":"4"}}'`],
    ['Submit to the default flow', `curl${key} ${at}/jobs ${json} -d '{"start":1,"end":2}'`],
    ['Wait for its result', `curl${key} '${at}/jobs/ID/results?wait=30s'`],
    ['See what failed', `curl${key} '${at}/jobs?status=failed'`],
  ];
  $('curls').replaceChildren(...lines.map(([title, line]) => make('figure', {},
    make('figcaption', {}, title),
    make('pre', {}, line),
    make('button', {
      class: 'quiet',
      onclick: (event) => {
        navigator.clipboard.writeText(line).then(() => { event.target.textContent = 'Copied'; });
      },
    }, 'Copy'))));
}

// The round.

async function refresh() {
  const query = new URLSearchParams({ limit: ROWS });
  if (view.state) query.set('status', view.state);
  if (view.cursor) query.set('cursor', view.cursor);
  try {
    const [counts, page] = await Promise.all([ask('/jobs/counts'), ask(`/jobs?${query}`)]);
    if (!counts.ok || !page.ok) throw new Error(wrong(counts.ok ? page.body : counts.body));
    $('key').hidden = true;
    if (view.open && view.open.again) await read(view.open.id).then(() => { view.rows = ''; });
    drawCounts(counts.body);
    drawJobs(page.body);
    $('pulse').className = 'pulse on';
    $('pulse').textContent = 'live';
  } catch (error) {
    $('pulse').className = 'pulse off';
    $('pulse').textContent = error.message.slice(0, 60);
  }
}

async function round() {
  if (!document.hidden) await refresh();
  setTimeout(round, EVERY_MS);
}

$('submit').addEventListener('submit', submit);
$('older').addEventListener('click', () => {
  Object.assign(view, { cursor: view.next || '', rows: '' });
  refresh();
});
$('key').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('key', $('secret').value);
  drawFlows();
  refresh();
});
if (location.hash) {
  view.open = { id: location.hash.slice(1), title: 'Outcome', text: '…', kind: '', again: true };
}
drawCurls();
drawFlows();
round();
