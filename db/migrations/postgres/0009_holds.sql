-- compatible with builds that know 0003
-- Times are Unix microseconds, UTC.

-- Definitions and workspaces that stand: none of their runs begins anything until they are released.
create table hold (
    organisation uuid not null,
    workspace uuid not null,
    id uuid not null,
    -- Both empty: the whole workspace.
    namespace text collate "C" not null,
    name text collate "C" not null,
    reason text,
    created_at bigint not null,
    -- Set when it is over: the run up to which those it held have been told.
    come_to uuid,
    primary key (workspace, id)
);

create unique index hold_name on hold (workspace, namespace, name) where come_to is null;

-- Runs that went on as others.
create table continuation (
    organisation uuid not null,
    workspace uuid not null,
    run uuid not null,
    successor uuid not null,
    -- The first run of the chain.
    chain uuid not null,
    at bigint not null,
    primary key (workspace, run)
);

create unique index continuation_successor on continuation (workspace, successor);
create index continuation_chain on continuation (workspace, chain, successor);
