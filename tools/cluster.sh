# Sourced by ./run --cluster: the cluster shape on this machine, from installed programs, for people without containers.
# PostgreSQL, Redis or Valkey, an S3 server when there is one, then api, workers and a scheduler. Each is stopped by its
# process id, in the opposite order. Expects the functions of tools/toolchain.sh, and $port, $data and $server_dll.

cluster=$data/cluster
# Beside the scheduler. The first api answers on $port; everything else follows it, so that two clusters on one machine need only another --port and --data.
names="worker-1 worker-2 worker-3 api-1 api-2"
scheduler_port=$((port + 21))
postgres_port=$((port + 31))
redis_port=$((port + 32))
s3_port=$((port + 33))

# Longer than the processes take to drain.
drain_seconds=30

# name:pid, oldest first.
started=()
# Where lines go: "show" to the terminal with the name before each, "keep" to a file of their own.
lines=show

# start NAME COMMAND…: in the background and in a session of its own, so that Ctrl+C reaches this script alone and it decides the order.
start() {
  local name=$1
  shift
  if [ "$lines" = show ]; then
    # Ctrl+C reaches the reader too, which has to hear what is said while the others drain.
    setsid "$@" > >(trap '' INT && exec sed -u "s/^/$(printf '%-10s' "$name") /") 2>&1 </dev/null &
  else
    setsid "$@" >"$cluster/logs/$name.log" 2>&1 </dev/null &
  fi
  started+=("$name:$!")
}

# await NAME SECONDS COMMAND…: until the command succeeds; gives up when the process is gone or the time is over.
await() {
  local name=$1 left=$(($2 * 10)) pid=
  shift 2
  for one in "${started[@]}"; do [ "${one%%:*}" = "$name" ] && pid=${one##*:}; done
  until "$@" >/dev/null 2>&1; do
    if [ "$left" -le 0 ] || ! kill -0 "$pid" 2>/dev/null; then
      echo "cluster: $name did not come up" >&2
      [ "$lines" = show ] || tail -n 20 "$cluster/logs/$name.log" >&2
      exit 4
    fi
    left=$((left - 1))
    sleep 0.1
  done
}

# answers PORT PATH: with status 200.
answers() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3 && head -n 1 <&3 | grep -q ' 200 ') 2>/dev/null
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# What serves before what it stands on; those of one kind drain at the same time.
stop_all() {
  trap '' INT TERM
  local kind
  for kind in api worker scheduler s3 redis postgres; do stop_kind "$kind"; done
}

stop_kind() {
  local one signal=TERM left=$(((drain_seconds + 15) * 10))
  # To PostgreSQL this one says: now, but in order.
  [ "$1" = postgres ] && signal=INT
  for one in "${started[@]}"; do
    case ${one%%:*} in "$1" | "$1"-*) kill -"$signal" "${one##*:}" 2>/dev/null || true ;; esac
  done
  for one in "${started[@]}"; do
    case ${one%%:*} in "$1" | "$1"-*) ;; *) continue ;; esac
    while kill -0 "${one##*:}" 2>/dev/null; do
      if [ "$left" -le 0 ]; then
        echo "cluster: ${one%%:*} does not stop; killed" >&2
        kill -KILL "${one##*:}" 2>/dev/null || true
      fi
      left=$((left - 1))
      sleep 0.1
    done
  done
}

# A password that only this machine's user can read; made once.
secret_file() {
  [ -s "$1" ] || (umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' '-_' >"$1")
  cat "$1"
}

find_postgres() { pg=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1) && [ -x "${pg:-/none}/postgres" ]; }

start_postgres() {
  find_postgres || need_debian postgres:postgresql
  find_postgres || { echo "There is no PostgreSQL under /usr/lib/postgresql." >&2; exit 2; }
  postgres_password=$(secret_file "$cluster/postgres.password")
  # PostgreSQL does not run as root.
  as_postgres=()
  if [ "$(id -u)" = 0 ]; then
    as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups)
    install -d -o postgres -g postgres -m 700 "$cluster/postgres"
    # Its own home: the caller's may be closed to it.
    "${as_postgres[@]}" test -x "$cluster/postgres" || { echo "The user postgres cannot reach $PWD/$cluster; name a folder that it can, with --data." >&2; exit 2; }
  else
    mkdir -p "$cluster/postgres"
  fi
  if [ ! -f "$cluster/postgres/PG_VERSION" ]; then
    phase "cluster: new database" make_postgres
  fi
  start postgres "${as_postgres[@]}" "$pg/postgres" -D "$cluster/postgres" -c listen_addresses=127.0.0.1 -c port="$postgres_port" \
    -c unix_socket_directories= -c max_connections=300 -c shared_buffers=256MB -c max_wal_size=2GB
  await postgres 60 "$pg/pg_isready" -q -h 127.0.0.1 -p "$postgres_port" -U millrace -d postgres
  export PGPASSWORD=$postgres_password
  "$pg/psql" -h 127.0.0.1 -p "$postgres_port" -U millrace -d postgres -qtAc "select 1 from pg_database where datname = 'millrace'" | grep -q 1 \
    || "$pg/createdb" -h 127.0.0.1 -p "$postgres_port" -U millrace millrace
  unset PGPASSWORD
}

make_postgres() {
  # A copy, because initdb reads it as the user postgres and wants its own folder empty.
  local pwfile made
  pwfile=$(mktemp)
  cat "$cluster/postgres.password" >"$pwfile"
  [ ${#as_postgres[@]} -eq 0 ] || chown postgres "$pwfile"
  "${as_postgres[@]}" "$pg/initdb" -D "$cluster/postgres" -U millrace --pwfile="$pwfile" --auth=scram-sha-256 --data-checksums --encoding=UTF8 --locale=C.UTF-8
  made=$?
  rm -f "$pwfile"
  return $made
}

start_redis() {
  redis=$(command -v valkey-server || command -v redis-server || true)
  if [ -z "$redis" ]; then
    need_debian redis-server:redis-server
    redis=$(command -v redis-server)
  fi
  # Nothing of it is on disk: losing it loses nothing.
  start redis "$redis" --port "$redis_port" --bind 127.0.0.1 --save "" --appendonly no --daemonize no
  await redis 20 listens "$redis_port"
}

# Any S3 server will do for a cluster; this starts SeaweedFS when it is installed. Without one, the processes share a folder.
start_blobs() {
  if ! command -v weed >/dev/null; then
    blobs=$cluster/blobs
    mkdir -p "$blobs"
    echo "cluster: no S3 server here (SeaweedFS' weed); blobs are in the folder $blobs, which the processes of one machine can share" >&2
    return
  fi
  mkdir -p "$cluster/s3"
  export MILLRACE_S3_ACCESS_KEY=millrace MILLRACE_S3_SECRET_KEY
  MILLRACE_S3_SECRET_KEY=$(secret_file "$cluster/s3.secret")
  (umask 077 && printf '{"identities": [{"name": "millrace", "credentials": [{"accessKey": "millrace", "secretKey": "%s"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}\n' \
    "$MILLRACE_S3_SECRET_KEY" >"$cluster/s3.json")
  start s3 weed server -dir="$cluster/s3" -ip=127.0.0.1 -ip.bind=127.0.0.1 -s3 -s3.port="$s3_port" -s3.config="$cluster/s3.json"
  await s3 60 listens "$s3_port"
  echo "s3.bucket.create -name=millrace" | weed shell -master=127.0.0.1:9333 >/dev/null
  blobs="s3://millrace/blobs?endpoint=http://127.0.0.1:$s3_port&region=local&pathStyle=true"
}

# port_of NAME
port_of() {
  case $1 in
    api-*) echo $((port + ${1#api-} - 1)) ;;
    worker-*) echo $((port + 10 + ${1#worker-})) ;;
    scheduler) echo "$scheduler_port" ;;
  esac
}

# start_role NAME: scheduler, or worker-2 and the like.
start_role() {
  local web=()
  case $1 in api-*) [ -f web/dist/index.html ] && web=(--web web/dist) ;; esac
  start "$1" dotnet "$server_dll" --role "${1%-*}" --port "$(port_of "$1")" --data "$data" --redis "redis://127.0.0.1:$redis_port" \
    --blobs "$blobs" --drain-seconds "$drain_seconds" "${web[@]}"
}

start_roles() {
  local n
  # Not an option: arguments can be read by everybody on this machine.
  export MILLRACE_DATABASE="postgres://millrace:$postgres_password@127.0.0.1:$postgres_port/millrace"
  # The scheduler first: it alone migrates a new database, the others then find it done.
  start_role scheduler
  await scheduler 120 answers "$scheduler_port" /health/live
  for n in $names; do start_role "$n"; done
  for n in $names; do await "$n" 60 answers "$(port_of "$n")" /health/ready; done
}

say_what_runs() {
  local one at
  echo "cluster: data in $cluster, Ctrl+C stops everything in order"
  for one in "${started[@]}"; do
    case ${one%%:*} in
      postgres) at="127.0.0.1:$postgres_port" ;;
      redis) at="127.0.0.1:$redis_port" ;;
      s3) at="http://127.0.0.1:$s3_port" ;;
      api-*) at="http://127.0.0.1:$(port_of "${one%%:*}")" ;;
      *) at="http://127.0.0.1:$(port_of "${one%%:*}")/metrics" ;;
    esac
    printf '  %-10s pid %-8s %s\n' "${one%%:*}" "${one##*:}" "$at"
  done
}

refuse_taken_ports() {
  local n at
  for at in $(for n in $names; do port_of "$n"; done) $scheduler_port $postgres_port $redis_port; do
    listens "$at" || continue
    echo "cluster: something listens on port $at already; choose another --port" >&2
    exit 2
  done
}

# Starts everything; it is stopped when the script ends, whatever ends it.
start_cluster() {
  mkdir -p "$cluster/logs"
  cluster=$(cd "$cluster" && pwd)
  refuse_taken_ports
  trap stop_all EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  start_postgres
  start_redis
  start_blobs
  start_roles
}

# Until Ctrl+C. A process of ours that is gone is started again, as service managers do; without what they all stand on the others stop.
serve_cluster() {
  local i name
  say_what_runs
  while true; do
    for i in "${!started[@]}"; do
      kill -0 "${started[i]##*:}" 2>/dev/null && continue
      name=${started[i]%%:*}
      unset "started[i]"
      case $name in
        postgres | redis | s3)
          echo "cluster: $name is gone; stopping the others" >&2
          exit 4
          ;;
      esac
      start_role "$name"
      echo "cluster: $name was gone; it is started again, pid ${started[-1]##*:}"
    done
    # A sleep that a signal interrupts.
    sleep 1 &
    wait $! || true
  done
}
