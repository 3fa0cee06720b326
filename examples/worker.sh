#!/usr/bin/env bash
# Writes letters: a worker of the flow `letter`, with curl and jq.
#
#   curl localhost:8080/flows/letter -X PUT -H 'Content-Type: application/json' -d '{}'
#   mkdir outbox && examples/worker.sh outbox &
#   curl localhost:8080/jobs -H 'Content-Type: application/json' \
#     -d '{"flow":"letter","input":{"to":"Ada","lines":["Dear Ada,","all is well."]}}'
#
# The environment may give JOBMILL_SERVER, JOBMILL_API_KEY, QUEUE and LEASE_SECONDS. SIGTERM or
# Ctrl-C ends it in order: the letter under way is finished, jobs not begun are handed back.
set -uo pipefail

outbox=${1:?"usage: $0 OUTBOX"}
server=${JOBMILL_SERVER:-http://localhost:8080}
queue=${QUEUE:-default}
lease=${LEASE_SECONDS:-15}
worker="letters-$HOSTNAME-$$"
# The leases: a file for each job, its name the id, its text the token.
held=$(mktemp -d)

say() { echo "$worker: $*" >&2; }

# ask METHOD PATH BODY [TOKEN]: one request; writes the answer. Status 4 if nothing is found, 9 if
# the lease has ended. It is sent again while the server is away or busy, which does no harm:
# whatever is asked under a lease is done once.
ask() {
    local answer status
    answer=$(
        # Not as arguments: other users of a machine can read those.
        {
            printf 'header = "Content-Type: application/json"\n'
            printf '%s' "${JOBMILL_API_KEY:+header = \"Authorization: Bearer $JOBMILL_API_KEY\"}"
        } | curl --config /dev/stdin --silent --show-error --max-time 60 \
            --retry 1000 --retry-delay 1 --retry-max-time 300 --retry-connrefused \
            ${4:+--header "Lease-Token: $4"} --data-binary @<(printf '%s' "$3") \
            --request "$1" --write-out '\n%{http_code}' "$server$2"
    )
    status=${answer##*$'\n'}
    answer=${answer%$'\n'*}
    case $status in
        2??) printf '%s' "$answer" ;;
        404) return 4 ;;
        409) say "not ours any more: $(jq -r .detail <<<"$answer")" && return 9 ;;
        *) say "$1 $2: $status $answer" && return 1 ;;
    esac
}

# step ID TOKEN NAME COMMAND…: a durable step. What the command writes is recorded once, and whoever
# begins the job again gets it back.
step() {
    local path="/jobs/$1/effects/$3" token=$2 answer
    shift 3
    answer=$(ask GET "$path" '') || answer=$(ask PUT "$path" "$("$@" | jq -R .)" "$token") || return
    jq -r .value <<<"$answer"
}

number() { od -An -N8 -tx1 /dev/urandom | tr -d ' \n'; }

# write_letter ID TOKEN INPUT: the work itself, a file in the outbox under a name that stays the
# same from try to try; writes the result. Status 2: it never works; 3: it may work later; 9: the
# lease has ended.
write_letter() {
    local id=$1 token=$2 to file total done=0 line report
    jq -e 'type == "object" and (.to | type) == "string" and (.lines | type) == "array"' \
        <<<"$3" >/dev/null || return 2
    to=$(jq -r .to <<<"$3")
    total=$(jq '.lines | length' <<<"$3")
    file=$(step "$id" "$token" number number).txt || return
    : >"$outbox/$file" || return 3
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$outbox/$file" || return 3
        sleep "$(jq '.seconds_a_line // 0' <<<"$3")"
        goes_on || return 9
        done=$((done + 1))
        report=$(jq -nc --argjson token "$token" --argjson done $done --argjson total "$total" \
            --arg message "writing to $to" '{$token, $done, $total, $message}')
        ask POST "/jobs/$id/progress" "$report" >/dev/null || return
    done < <(jq -r '.lines[]' <<<"$3")
    jq -nc --arg to "$to" --arg file "$file" --argjson lines "$total" '{$to, $file, $lines}'
}

# perform JOB: does one job and tells the server how it ended.
perform() {
    local id token result status
    id=$(jq -r .id <<<"$1")
    token=$(jq .lease.token <<<"$1")
    result=$(write_letter "$id" "$token" "$(jq -c .input <<<"$1")")
    status=$?
    case $status in
        0) answer complete "$(jq -nc --argjson result "$result" '{$result}')" ;;
        2) answer fail '{"retry":false,"error":{"type":"BadLetter",
            "message":"a letter needs `to` and `lines`"}}' ;;
        3) answer fail '{"retry_after":"1s","error":{"type":"NoOutbox",
            "message":"the outbox cannot be written"}}' ;;
    esac
}

# answer VERB BODY: ends the job $id under the lease $token.
answer() {
    ask POST "/jobs/$id/$1" "$(jq -c --argjson token "$token" '. + {$token}' <<<"$2")" >/dev/null &&
        say "$id: $1"
}

# Whether the worker itself goes on. This script is several processes, and those in the background
# would keep the leases of one that was killed or stopped without a word.
goes_on() { kill -0 $$ 2>/dev/null && [[ $(ps -o stat= -p $$ 2>/dev/null) != [TZ]* ]]; }

# Extends the leases of all jobs that are held, begun or not, in one request.
keep_alive() {
    while sleep "$(jq -n "$lease / 3")" &>/dev/null && kill -0 $$ 2>/dev/null; do
        goes_on || continue
        grep -r . "$held" 2>/dev/null | jq -Rn '[inputs | capture("(?<id>[^/]+):(?<token>\\d+)$")
            | .token |= tonumber]' >"$held.beats"
        [ "$(jq length "$held.beats")" = 0 ] ||
            ask POST /jobs/heartbeat "$(<"$held.beats")" >/dev/null
    done
    rm -rf "$held" "$held.beats"
}

stopping=
trap 'stopping=yes' TERM INT
keep_alive &
beating=$!
trap 'kill $beating 2>/dev/null; rm -rf "$held" "$held.beats"' EXIT

# Short, because a call for work is not interrupted by a signal.
call=$(jq -nc --arg worker "$worker" --arg lease "${lease}s" \
    '{$worker, flows: ["letter"], max: 10, wait: "5s", $lease}')
say "waiting for letters in the queue $queue"
while [ -z "$stopping" ]; do
    leased=$(ask POST "/queues/$queue/lease" "$call") || exit 1
    mapfile -t jobs < <(jq -c '.jobs[]' <<<"$leased")
    for job in "${jobs[@]}"; do
        jq .lease.token <<<"$job" >"$held/$(jq -r .id <<<"$job")"
    done
    for job in "${jobs[@]}"; do
        id=$(jq -r .id <<<"$job")
        if [ -n "$stopping" ]; then
            token=$(<"$held/$id")
            answer release '{}'
        else
            perform "$job"
        fi
        rm "$held/$id"
    done
done
say "stopped"
