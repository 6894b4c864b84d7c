-- compatible with builds that know 0003
-- Events of workspaces: CloudEvents that came in or that runs emitted. Never changed; kept for a time.
create table event (
    -- Never given twice: runs remember which they have consumed.
    position integer primary key autoincrement,
    organisation blob not null,
    workspace blob not null,
    type text not null,
    source text not null,
    id text not null,
    subject text,
    -- As its sender wrote it.
    time text,
    received_at integer not null,
    size integer not null,
    -- The event in its JSON format; null when it lies in the blob store.
    body blob,
    sha256 text
) strict;

create unique index event_id on event (workspace, source, id);
create index event_type on event (workspace, type, received_at);
create index event_received on event (workspace, received_at);
create index event_age on event (received_at);
create index event_blob on event (sha256) where sha256 is not null;

-- Which steps of runs are told of which events. An empty type or source stands for any.
create table subscription (
    organisation blob not null,
    workspace blob not null,
    run blob not null,
    step integer not null,
    type text not null,
    source text not null,
    -- Events received before are none of its business. Unix microseconds, UTC.
    since integer not null,
    -- Up to here the log of events was settled when it began.
    horizon integer not null,
    -- 0 while events may be under way that were written without seeing this row.
    settled integer not null,
    primary key (workspace, run, step, type, source)
) strict, without rowid;

create index subscription_type on subscription (workspace, type, source);
create index subscription_unsettled on subscription (settled) where settled = 0;

-- Definitions of which an event starts a run: the latest version of each that says so. An empty type or source stands for any.
create table event_trigger (
    organisation blob not null,
    workspace blob not null,
    namespace text not null,
    name text not null,
    type text not null,
    source text not null,
    version text not null,
    hash text not null,
    primary key (workspace, namespace, name, type, source)
) strict, without rowid;

create index event_trigger_type on event_trigger (workspace, type, source);

create index subscription_lifecycle on subscription (workspace) where type >= 'io.serverlessworkflow.' and type < 'io.serverlessworkflow/';

-- Up to where a workspace's journal has been told of as lifecycle events; a row only while somebody listens for them.
create table lifecycle (
    organisation blob not null,
    workspace blob not null,
    position integer not null,
    primary key (workspace)
) strict, without rowid;
