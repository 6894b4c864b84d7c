-- compatible with builds that know 0003
-- Where a workspace's events are sent.
create table sink (
    organisation blob not null,
    workspace blob not null,
    id blob not null,
    name text not null,
    url text not null,
    -- JSON: types of events, each whole or its beginning and a star. Empty: every type.
    types text not null,
    -- Name of the secret that says who sends; null: nobody is asked.
    secret text,
    -- 1: whole events as JSON. 0: attributes as headers.
    structured integer not null,
    paused integer not null,
    -- The last event that was dealt with.
    position integer not null,
    -- When a process may take it: the one that has it moves this on.
    due_at integer not null,
    delivered integer not null,
    attempts integer not null,
    failing_since integer,
    error text,
    -- Failing for so long, in microseconds, it is given up.
    patience integer not null,
    dead_at integer,
    created_at integer not null,
    updated_at integer not null,
    primary key (workspace, id)
) strict, without rowid;

create unique index sink_name on sink (workspace, name);
create index sink_due on sink (due_at) where paused = 0 and dead_at is null;

-- Lifecycle events that a sink wants, each by its whole type: they are told of only where somebody does.
create table sink_type (
    organisation blob not null,
    workspace blob not null,
    sink blob not null,
    type text not null,
    primary key (workspace, sink, type)
) strict, without rowid;
