-- compatible with builds that know 0003
-- What runs begin by themselves. Times are Unix microseconds, UTC.

-- One row for each definition whose latest version has a schedule; the id follows from the definition's name.
create table schedule (
    organisation uuid not null,
    workspace uuid not null,
    id uuid not null,
    namespace text collate "C" not null,
    name text collate "C" not null,
    version text collate "C" not null,
    hash text collate "C" not null,
    -- JSON: the document's schedule and its policy.
    source text not null,
    paused bigint not null,
    -- Where counting an interval begins.
    anchor bigint not null,
    -- The next moment that the schedule names, and when its run begins; null while it is paused or waits for a run.
    next_tick bigint,
    next_at bigint,
    -- The latest tick that was dealt with.
    last_tick bigint,
    -- The run whose end matters, and a tick that waits for it.
    running uuid,
    buffered bigint,
    skipped bigint not null,
    -- Grows with every change.
    revision bigint not null,
    error text,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (workspace, id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

create unique index schedule_name on schedule (workspace, namespace, name);
create index schedule_next on schedule (next_at) where next_at is not null;
create index schedule_running on schedule (workspace, running) where running is not null;

-- One row for each tick that started a run: so a tick starts one, whoever deals with it and however often.
create table schedule_run (
    organisation uuid not null,
    workspace uuid not null,
    schedule uuid not null,
    tick bigint not null,
    run uuid not null,
    primary key (workspace, schedule, tick)
);

-- Ends of runs that their schedule waits for. Written with the run's last record, deleted by the schedule's next turn.
create table schedule_end (
    organisation uuid not null,
    workspace uuid not null,
    schedule uuid not null,
    run uuid not null,
    at bigint not null,
    primary key (workspace, schedule, run)
);

alter table run add column schedule uuid;
alter table run add column scheduled_for bigint;
