-- What durable execution keeps. Times are Unix microseconds, UTC; ids are UUIDv7, 16 bytes, big endian.

-- One row for each start of a worker. Its number is the epoch: a write is accepted only while the writer's lease is alive.
create table lease (
    id integer primary key,
    name text not null,
    started_at integer not null,
    heartbeat_at integer not null,
    expires_at integer not null,
    alive integer not null
) strict;

create table run (
    organisation blob not null,
    workspace blob not null,
    id blob not null,
    namespace text not null,
    name text not null,
    version text not null,
    hash text not null,
    state integer not null,
    -- The worker that may write this run; null while it waits.
    lease integer,
    -- When a worker must take it; null while one has it, or when only a signal can wake it.
    wake_at integer,
    parent blob,
    parent_step integer,
    created_at integer not null,
    started_at integer,
    ended_at integer,
    updated_at integer not null,
    error blob,
    reason text,
    -- Steps started, completed, faulted, skipped, cancelled, as of the last change of state.
    counts text,
    -- Runs above this one.
    depth integer not null,
    primary key (workspace, id)
) strict, without rowid;

create index run_lease on run (lease) where lease is not null;
create index run_wake on run (wake_at) where wake_at is not null;
create index run_parent on run (parent) where parent is not null;

-- Append-only. Position is the order of commits, seq the order within the run; one row is one decision.
create table journal (
    position integer primary key,
    organisation blob not null,
    workspace blob not null,
    run blob not null,
    seq integer not null,
    at integer not null,
    -- The run's state after this record, when it changed.
    state integer,
    entries blob not null
) strict;

create unique index journal_run on journal (run, seq);
create index journal_state on journal (workspace, position) where state is not null;

-- What others want of a run: cancel, suspend, resume, a child's end. Deleted in the transaction that records the effect.
create table signal (
    position integer primary key,
    organisation blob not null,
    workspace blob not null,
    run blob not null,
    kind text not null,
    body blob not null,
    at integer not null
) strict;

create index signal_run on signal (run, position);

create table start_key (
    organisation blob not null,
    workspace blob not null,
    key text not null,
    request text not null,
    run blob not null,
    at integer not null,
    primary key (workspace, key)
) strict, without rowid;

create table artifact (
    organisation blob not null,
    workspace blob not null,
    run blob not null,
    name text not null,
    media_type text not null,
    size integer not null,
    sha256 text not null,
    at integer not null,
    primary key (workspace, run, name)
) strict, without rowid;
