#!/usr/bin/env python3
"""Writes letters: a worker of the flow `letter`, with nothing but Python's standard library.

    curl localhost:8080/flows/letter -X PUT -H 'Content-Type: application/json' -d '{}'
    mkdir outbox && python3 examples/worker.py outbox &
    curl localhost:8080/jobs -H 'Content-Type: application/json' \
      -d '{"flow":"letter","input":{"to":"Ada","lines":["Dear Ada,","all is well."]}}'

The environment may give JOBMILL_SERVER, JOBMILL_API_KEY, QUEUE and LEASE_SECONDS. SIGTERM or
Ctrl-C ends it in order: the letter under way is finished, jobs not begun are handed back.
"""

import json
import os
import secrets
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

SERVER = os.environ.get("JOBMILL_SERVER", "http://localhost:8080").rstrip("/")
KEY = os.environ.get("JOBMILL_API_KEY")
QUEUE = os.environ.get("QUEUE", "default")
LEASE = float(os.environ.get("LEASE_SECONDS", "15"))
WORKER = f"letters-{socket.gethostname()}-{os.getpid()}"
BATCH = 10

stopping = threading.Event()


class Lost(Exception):
    """The lease has ended: the job was cancelled, or another worker has it."""


class Failed(Exception):
    """Why a letter cannot be written, and whether another try may help."""

    def __init__(self, kind, message, retry=True, retry_after=None):
        super().__init__(message)
        self.kind, self.retry, self.retry_after = kind, retry, retry_after


def ask(method, path, body=None, token=None):
    """One request and its answer, `None` where nothing is found.

    It is sent again while the server is away or busy. That does no harm: whatever is asked
    under a lease is done once.
    """
    request = urllib.request.Request(SERVER + path, method=method)
    request.add_header("Content-Type", "application/json")
    if KEY:
        request.add_header("Authorization", f"Bearer {KEY}")
    if token is not None:
        request.add_header("Lease-Token", str(token))
    data = None if body is None else json.dumps(body).encode()
    tries_left = 5
    while True:
        try:
            with urllib.request.urlopen(request, data=data, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            detail = error.read().decode(errors="replace")
            if error.code == 404:
                return None
            if error.code == 409:
                raise Lost(detail) from error
            if error.code != 503:
                raise RuntimeError(f"{method} {path}: {error.code} {detail}") from error
            pause, why = float(error.headers.get("Retry-After", 1)), "it is busy"
        except OSError as error:
            pause, why = 1.0, error
        if stopping.is_set():
            tries_left -= 1
        if tries_left == 0:
            raise ConnectionError(f"{SERVER} does not answer: {why}")
        say(f"waiting for {SERVER}: {why}")
        time.sleep(pause)


class Job:
    """A job under a lease."""

    def __init__(self, leased):
        self.id, self.input = leased["id"], leased["input"]
        self.token = leased["lease"]["token"]
        self.lost = False

    def step(self, name, work):
        """A durable step: it is recorded once, and whoever begins the job again gets it back."""
        path = f"/jobs/{self.id}/effects/{name}"
        known = ask("GET", path) or ask("PUT", path, work(), self.token)
        return known["value"]

    def progress(self, done, total, message):
        if self.lost:
            raise Lost("a heartbeat was refused")
        report = {"done": done, "total": total, "message": message}
        ask("POST", f"/jobs/{self.id}/progress", report, self.token)


def write_letter(job, outbox):
    """The work itself: a file in the outbox, under a name that stays the same from try to try."""
    letter = job.input if isinstance(job.input, dict) else {}
    to, lines = letter.get("to"), letter.get("lines")
    if not isinstance(to, str) or not isinstance(lines, list):
        raise Failed("BadLetter", "a letter needs `to` and `lines`", retry=False)
    number = job.step("number", lambda: secrets.token_hex(8))
    file = outbox / f"{number}.txt"
    try:
        with file.open("w", encoding="utf-8") as paper:
            for done, line in enumerate(lines, start=1):
                paper.write(f"{line}\n")
                time.sleep(letter.get("seconds_a_line", 0))
                job.progress(done, len(lines), f"writing to {to}")
    except OSError as error:
        raise Failed("NoOutbox", str(error), retry_after="1s") from error
    return {"to": to, "file": file.name, "lines": len(lines)}


def perform(job, outbox):
    """Does one job and tells the server how it ended."""
    path = f"/jobs/{job.id}"
    try:
        try:
            result = write_letter(job, outbox)
            ask("POST", f"{path}/complete", {"token": job.token, "result": result})
            say(f"{job.id} completed")
        except Failed as failed:
            error = {"type": failed.kind, "message": str(failed)}
            body = {"token": job.token, "error": error, "retry": failed.retry}
            if failed.retry_after:
                body["retry_after"] = failed.retry_after
            ask("POST", f"{path}/fail", body)
            say(f"{job.id} failed: {failed}")
    except Lost as lost:
        say(f"{job.id} is not ours any more: {lost}")


def keep_alive(held):
    """Extends the leases of all jobs that are held, begun or not, in one request."""
    while True:
        time.sleep(LEASE / 3)
        jobs = dict(held)
        if not jobs:
            continue
        beats = [{"id": job.id, "token": job.token} for job in jobs.values()]
        for answer in ask("POST", "/jobs/heartbeat", beats)["items"]:
            if "error" in answer:
                jobs[answer["id"]].lost = True


def say(line):
    print(f"{WORKER}: {line}", file=sys.stderr, flush=True)


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} OUTBOX")
    outbox = Path(sys.argv[1])
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    held = {}
    threading.Thread(target=keep_alive, args=(held,), daemon=True).start()
    # Short, because a call for work is not interrupted by a signal.
    call = {"worker": WORKER, "flows": ["letter"], "max": BATCH, "wait": "5s", "lease": f"{LEASE}s"}
    say(f"waiting for letters in the queue {QUEUE}")
    while not stopping.is_set():
        leased = ask("POST", f"/queues/{QUEUE}/lease", call)["jobs"]
        held.update((job["id"], Job(job)) for job in leased)
        for job in list(held.values()):
            if stopping.is_set():
                release(job)
            elif not job.lost:
                perform(job, outbox)
            del held[job.id]
    say("stopped")


def release(job):
    try:
        ask("POST", f"/jobs/{job.id}/release", {"token": job.token})
        say(f"{job.id} handed back")
    except Lost as lost:
        say(f"{job.id} is not ours any more: {lost}")


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, ConnectionError) as broken:
        sys.exit(f"{WORKER}: {broken}")
