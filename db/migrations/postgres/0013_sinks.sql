-- compatible with builds that know 0003
-- Where a workspace's events are sent.
create table sink (
    organisation uuid not null,
    workspace uuid not null,
    id uuid not null,
    name text collate "C" not null,
    url text not null,
    -- JSON: types of events, each whole or its beginning and a star. Empty: every type.
    types text not null,
    -- Name of the secret that says who sends; null: nobody is asked.
    secret text,
    -- 1: whole events as JSON. 0: attributes as headers.
    structured bigint not null,
    paused bigint not null,
    -- The last event that was dealt with.
    position bigint not null,
    -- When a process may take it: the one that has it moves this on.
    due_at bigint not null,
    delivered bigint not null,
    attempts bigint not null,
    failing_since bigint,
    error text,
    -- Failing for so long, in microseconds, it is given up.
    patience bigint not null,
    dead_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (workspace, id)
);

create unique index sink_name on sink (workspace, name);
create index sink_due on sink (due_at) where paused = 0 and dead_at is null;

-- Lifecycle events that a sink wants, each by its whole type: they are told of only where somebody does.
create table sink_type (
    organisation uuid not null,
    workspace uuid not null,
    sink uuid not null,
    type text collate "C" not null,
    primary key (workspace, sink, type)
);
