-- compatible with builds that know 0003
-- Times are Unix microseconds, UTC.

-- Definitions and workspaces that stand: none of their runs begins anything until they are released.
create table hold (
    organisation blob not null,
    workspace blob not null,
    id blob not null,
    -- Both empty: the whole workspace.
    namespace text not null,
    name text not null,
    reason text,
    created_at integer not null,
    -- Set when it is over: the run up to which those it held have been told.
    come_to blob,
    primary key (workspace, id)
) strict, without rowid;

create unique index hold_name on hold (workspace, namespace, name) where come_to is null;

-- Runs that went on as others.
create table continuation (
    organisation blob not null,
    workspace blob not null,
    run blob not null,
    successor blob not null,
    -- The first run of the chain.
    chain blob not null,
    at integer not null,
    primary key (workspace, run)
) strict, without rowid;

create unique index continuation_successor on continuation (workspace, successor);
create index continuation_chain on continuation (workspace, chain, successor);
