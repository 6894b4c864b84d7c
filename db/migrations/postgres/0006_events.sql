-- compatible with builds that know 0003
-- Events of workspaces: CloudEvents that came in or that runs emitted. Never changed; kept for a time.
create table event (
    -- Given by its transaction, as those of the journal are.
    position bigint primary key,
    organisation uuid not null,
    workspace uuid not null,
    type text collate "C" not null,
    source text collate "C" not null,
    id text collate "C" not null,
    subject text collate "C",
    -- As its sender wrote it.
    time text,
    received_at bigint not null,
    size bigint not null,
    -- The event in its JSON format; null when it lies in the blob store.
    body bytea,
    sha256 text collate "C"
);

create unique index event_id on event (workspace, source, id);
create index event_type on event (workspace, type, received_at);
create index event_received on event (workspace, received_at);
create index event_age on event (received_at);
create index event_blob on event (sha256) where sha256 is not null;

-- Which steps of runs are told of which events. An empty type or source stands for any.
create table subscription (
    organisation uuid not null,
    workspace uuid not null,
    run uuid not null,
    step bigint not null,
    type text collate "C" not null,
    source text collate "C" not null,
    -- Events received before are none of its business. Unix microseconds, UTC.
    since bigint not null,
    -- Up to here the log of events was settled when it began.
    horizon bigint not null,
    -- 0 while events may be under way that were written without seeing this row.
    settled bigint not null,
    primary key (workspace, run, step, type, source)
);

create index subscription_type on subscription (workspace, type, source);
create index subscription_unsettled on subscription (settled) where settled = 0;

-- Definitions of which an event starts a run: the latest version of each that says so. An empty type or source stands for any.
create table event_trigger (
    organisation uuid not null,
    workspace uuid not null,
    namespace text collate "C" not null,
    name text collate "C" not null,
    type text collate "C" not null,
    source text collate "C" not null,
    version text collate "C" not null,
    hash text collate "C" not null,
    primary key (workspace, namespace, name, type, source)
);

create index event_trigger_type on event_trigger (workspace, type, source);

create index subscription_lifecycle on subscription (workspace) where type >= 'io.serverlessworkflow.' and type < 'io.serverlessworkflow/';

-- Up to where a workspace's journal has been told of as lifecycle events; a row only while somebody listens for them.
create table lifecycle (
    organisation uuid not null,
    workspace uuid not null,
    position bigint not null,
    primary key (workspace)
);
