-- compatible with builds that know 0003
-- What keeps runs from working all at once. Times are Unix microseconds, UTC.

-- JSON: what the run needs before it may work, found when it is first taken; null for a run without limits.
alter table run add column limits text;

-- One row for each workspace that has said something of its own or has runs with limits; locked by whoever gives slots.
create table workspace_limits (
    organisation blob not null,
    workspace blob not null,
    -- The workspace's share of what it shares with others.
    weight integer not null,
    -- Runs at work at once; null: as many as there are.
    most integer,
    updated_at integer not null,
    primary key (workspace)
) strict, without rowid;

-- A limit that the workspace has set in place of the one in the documents.
create table limit_setting (
    organisation blob not null,
    workspace blob not null,
    name text not null,
    most integer not null,
    updated_at integer not null,
    primary key (workspace, name)
) strict, without rowid;

-- What a run holds, or stands in line for. The row goes in the transaction in which the run lets go, so a slot cannot be lost.
create table limit_place (
    organisation blob not null,
    workspace blob not null,
    run blob not null,
    name text not null,
    key text not null,
    -- 0 a slot, 1 a start within a time, 2 a time without another start.
    kind integer not null,
    -- 0 it waits, 1 it has it, 2 it is being cancelled and never had it, 3 it has it and is being cancelled.
    held integer not null,
    most integer not null,
    -- 0 wait, 1 the oldest is cancelled, 2 the newest is.
    on_limit integer not null,
    -- 1: until the run has ended; 0: while it works.
    until_end integer not null,
    -- Runs that wait take turns between these.
    grp text not null,
    turn integer not null,
    priority integer not null,
    since integer not null,
    -- The first of the starts that it took the place of.
    first_at integer not null,
    micros integer not null,
    micros_max integer not null,
    primary key (workspace, run, name)
) strict, without rowid;

create index limit_line on limit_place (workspace, name, key, held, priority desc, turn, since, run);
create index limit_group on limit_place (workspace, name, key, grp, turn) where held = 0;
create index limit_waiting on limit_place (workspace, name, key) where held = 0;

-- Starts that a rate counts, kept for its time.
create table limit_start (
    organisation blob not null,
    workspace blob not null,
    name text not null,
    key text not null,
    at integer not null,
    run blob not null,
    until integer not null,
    primary key (workspace, name, key, at, run)
) strict, without rowid;

create index limit_start_until on limit_start (until);
