-- compatible with builds that know 0003
-- What keeps runs from working all at once. Times are Unix microseconds, UTC.

-- JSON: what the run needs before it may work, found when it is first taken; null for a run without limits.
alter table run add column limits text;

-- One row for each workspace that has said something of its own or has runs with limits; locked by whoever gives slots.
create table workspace_limits (
    organisation uuid not null,
    workspace uuid not null,
    -- The workspace's share of what it shares with others.
    weight bigint not null,
    -- Runs at work at once; null: as many as there are.
    most bigint,
    updated_at bigint not null,
    primary key (workspace)
);

-- A limit that the workspace has set in place of the one in the documents.
create table limit_setting (
    organisation uuid not null,
    workspace uuid not null,
    name text collate "C" not null,
    most bigint not null,
    updated_at bigint not null,
    primary key (workspace, name)
);

-- What a run holds, or stands in line for. The row goes in the transaction in which the run lets go, so a slot cannot be lost.
create table limit_place (
    organisation uuid not null,
    workspace uuid not null,
    run uuid not null,
    name text collate "C" not null,
    key text collate "C" not null,
    -- 0 a slot, 1 a start within a time, 2 a time without another start.
    kind bigint not null,
    -- 0 it waits, 1 it has it, 2 it is being cancelled and never had it, 3 it has it and is being cancelled.
    held bigint not null,
    most bigint not null,
    -- 0 wait, 1 the oldest is cancelled, 2 the newest is.
    on_limit bigint not null,
    -- 1: until the run has ended; 0: while it works.
    until_end bigint not null,
    -- Runs that wait take turns between these.
    grp text collate "C" not null,
    turn bigint not null,
    priority bigint not null,
    since bigint not null,
    -- The first of the starts that it took the place of.
    first_at bigint not null,
    micros bigint not null,
    micros_max bigint not null,
    primary key (workspace, run, name)
);

create index limit_line on limit_place (workspace, name, key, held, priority desc, turn, since, run);
create index limit_group on limit_place (workspace, name, key, grp, turn) where held = 0;
create index limit_waiting on limit_place (workspace, name, key) where held = 0;

-- Starts that a rate counts, kept for its time.
create table limit_start (
    organisation uuid not null,
    workspace uuid not null,
    name text collate "C" not null,
    key text collate "C" not null,
    at bigint not null,
    run uuid not null,
    until bigint not null,
    primary key (workspace, name, key, at, run)
);

create index limit_start_until on limit_start (until);
