-- compatible with builds that know 0003
-- What runs begin by themselves. Times are Unix microseconds, UTC.

-- One row for each definition whose latest version has a schedule; the id follows from the definition's name.
create table schedule (
    organisation blob not null,
    workspace blob not null,
    id blob not null,
    namespace text not null,
    name text not null,
    version text not null,
    hash text not null,
    -- JSON: the document's schedule and its policy.
    source text not null,
    paused integer not null,
    -- Where counting an interval begins.
    anchor integer not null,
    -- The next moment that the schedule names, and when its run begins; null while it is paused or waits for a run.
    next_tick integer,
    next_at integer,
    -- The latest tick that was dealt with.
    last_tick integer,
    -- The run whose end matters, and a tick that waits for it.
    running blob,
    buffered integer,
    skipped integer not null,
    -- Grows with every change.
    revision integer not null,
    error text,
    created_at integer not null,
    updated_at integer not null,
    primary key (workspace, id)
) strict, without rowid;

create unique index schedule_name on schedule (workspace, namespace, name);
create index schedule_next on schedule (next_at) where next_at is not null;
create index schedule_running on schedule (workspace, running) where running is not null;

-- One row for each tick that started a run: so a tick starts one, whoever deals with it and however often.
create table schedule_run (
    organisation blob not null,
    workspace blob not null,
    schedule blob not null,
    tick integer not null,
    run blob not null,
    primary key (workspace, schedule, tick)
) strict, without rowid;

-- Ends of runs that their schedule waits for. Written with the run's last record, deleted by the schedule's next turn.
create table schedule_end (
    organisation blob not null,
    workspace blob not null,
    schedule blob not null,
    run blob not null,
    at integer not null,
    primary key (workspace, schedule, run)
) strict, without rowid;

alter table run add column schedule blob;
alter table run add column scheduled_for integer;
