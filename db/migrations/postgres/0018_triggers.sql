-- compatible with builds that know 0003
-- The events that started a run, as JSON; null for a run that none started.
alter table run add column started_by text;

create index run_started_by on run (workspace, namespace, name, id) where started_by is not null;

-- What people want of definitions whose runs events start (event_trigger), and since when they listen.
create table event_trigger_state (
    organisation uuid not null,
    workspace uuid not null,
    namespace text collate "C" not null,
    name text collate "C" not null,
    paused bigint not null,
    since bigint not null,
    primary key (workspace, namespace, name)
);

-- Runs that an event has started or that have consumed it.
create table event_hearing (
    organisation uuid not null,
    workspace uuid not null,
    event bigint not null,
    run uuid not null,
    -- 1: the event started it.
    started bigint not null,
    primary key (workspace, event, run)
);

create index event_hearing_event on event_hearing (event);
