#!/usr/bin/env node
// Writes letters: a worker of the flow `letter`, with Node alone (18 or later).
//
//   curl localhost:8080/flows/letter -X PUT -H 'Content-Type: application/json' -d '{}'
//   mkdir outbox && node examples/worker.mjs outbox &
//   curl localhost:8080/jobs -H 'Content-Type: application/json' \
//     -d '{"flow":"letter","input":{"to":"Ada","lines":["Dear Ada,","all is well."]}}'
//
// The environment may give JOBMILL_SERVER, JOBMILL_API_KEY, QUEUE and LEASE_SECONDS. SIGTERM or
// Ctrl-C ends it in order: the letter under way is finished, jobs not begun are handed back.

import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const { env } = process;
const server = env.JOBMILL_SERVER ?? "http://localhost:8080";
const queue = env.QUEUE ?? "default";
const lease = Number(env.LEASE_SECONDS ?? 15);
const worker = `letters-${hostname()}-${process.pid}`;
const [outbox] = process.argv.slice(2);

let stopping = false;

/** The lease has ended: the job was cancelled, or another worker has it. */
class Lost extends Error {}

/** Why a letter cannot be written, and whether another try may help. */
class Failed extends Error {
  constructor(type, message, again) {
    super(message);
    this.answer = { error: { type, message }, ...again };
  }
}

const say = (line) => console.error(`${worker}: ${line}`);

/**
 * One request and its answer, `null` where nothing is found. It is sent again while the server is
 * away or busy, which does no harm: whatever is asked under a lease is done once.
 */
async function ask(method, path, body, token) {
  const headers = { "Content-Type": "application/json" };
  if (env.JOBMILL_API_KEY) headers.Authorization = `Bearer ${env.JOBMILL_API_KEY}`;
  if (token !== undefined) headers["Lease-Token"] = String(token);
  const request = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
  for (let left = 5; ; left -= stopping ? 1 : 0) {
    let why;
    let pause = 1;
    try {
      const answer = await fetch(server + path, { ...request, signal: AbortSignal.timeout(60_000) });
      const text = await answer.text();
      if (answer.ok) return JSON.parse(text);
      if (answer.status === 404) return null;
      if (answer.status === 409) throw new Lost(JSON.parse(text).detail);
      why = `${method} ${path}: ${answer.status} ${text}`;
      if (answer.status !== 503) left = 0;
      pause = Number(answer.headers.get("Retry-After") ?? 1);
    } catch (error) {
      if (error instanceof Lost) throw error;
      why = error.cause?.message ?? error.message;
    }
    if (left <= 0) throw new Error(`no answer from ${server}: ${why}`);
    say(`waiting for ${server}: ${why}`);
    await sleep(pause * 1000);
  }
}

/** A job under a lease. */
class Job {
  constructor(leased) {
    this.id = leased.id;
    this.input = leased.input;
    this.token = leased.lease.token;
    this.lost = false;
  }

  tell(verb, body = {}) {
    return ask("POST", `/jobs/${this.id}/${verb}`, { token: this.token, ...body });
  }

  /** A durable step: it is recorded once, and whoever begins the job again gets it back. */
  async step(name, work) {
    const path = `/jobs/${this.id}/effects/${name}`;
    const known = (await ask("GET", path)) ?? (await ask("PUT", path, await work(), this.token));
    return known.value;
  }

  async progress(done, total, message) {
    if (this.lost) throw new Lost("a heartbeat was refused");
    await this.tell("progress", { done, total, message });
  }
}

/** The work itself: a file in the outbox, under a name that stays the same from try to try. */
async function writeLetter(job) {
  const { to, lines, seconds_a_line: pause = 0 } = job.input ?? {};
  if (typeof to !== "string" || !Array.isArray(lines)) {
    throw new Failed("BadLetter", "a letter needs `to` and `lines`", { retry: false });
  }
  const file = `${await job.step("number", () => randomBytes(8).toString("hex"))}.txt`;
  let paper;
  try {
    paper = await open(join(outbox, file), "w");
    for (const [at, line] of lines.entries()) {
      await paper.write(`${line}\n`);
      await sleep(pause * 1000);
      await job.progress(at + 1, lines.length, `writing to ${to}`);
    }
  } catch (error) {
    if (error.syscall === undefined) throw error;
    throw new Failed("NoOutbox", error.message, { retry_after: "1s" });
  } finally {
    await paper?.close();
  }
  return { to, file, lines: lines.length };
}

/** Does one job, or hands it back where it is not to be begun any more. */
async function perform(job) {
  try {
    if (stopping) {
      await job.tell("release");
      return say(`${job.id} handed back`);
    }
    const ended = await writeLetter(job).then(
      (result) => ["complete", { result }],
      (error) => {
        if (error instanceof Failed) return ["fail", error.answer];
        throw error;
      },
    );
    await job.tell(...ended);
    say(`${job.id}: ${ended[0]}`);
  } catch (error) {
    if (!(error instanceof Lost)) throw error;
    say(`${job.id} is not ours any more: ${error.message}`);
  }
}

/** Extends the leases of all jobs that are held, begun or not, in one request. */
async function keepAlive(held) {
  if (held.size === 0) return;
  const beats = [...held.values()].map(({ id, token }) => ({ id, token }));
  for (const { id, error } of (await ask("POST", "/jobs/heartbeat", beats)).items) {
    if (error && held.has(id)) held.get(id).lost = true;
  }
}

async function main() {
  if (outbox === undefined) throw new Error("usage: worker.mjs OUTBOX");
  for (const name of ["SIGTERM", "SIGINT"]) process.on(name, () => (stopping = true));
  const held = new Map();
  const beating = setInterval(() => keepAlive(held).catch((error) => say(error)), lease * 333);
  // Short, because a call for work is not interrupted by a signal.
  const call = { worker, flows: ["letter"], max: 10, wait: "5s", lease: `${lease}s` };
  say(`waiting for letters in the queue ${queue}`);
  while (!stopping) {
    const { jobs } = await ask("POST", `/queues/${queue}/lease`, call);
    for (const leased of jobs) held.set(leased.id, new Job(leased));
    for (const job of held.values()) {
      if (!job.lost) await perform(job);
      held.delete(job.id);
    }
  }
  clearInterval(beating);
  say("stopped");
}

main().catch((error) => {
  say(error.message);
  process.exit(1);
});
