-- compatible with builds that know 0003
-- The events that started a run, as JSON; null for a run that none started.
alter table run add column started_by text;

create index run_started_by on run (workspace, namespace, name, id) where started_by is not null;

-- What people want of definitions whose runs events start (event_trigger), and since when they listen.
create table event_trigger_state (
    organisation blob not null,
    workspace blob not null,
    namespace text not null,
    name text not null,
    paused integer not null,
    since integer not null,
    primary key (workspace, namespace, name)
) strict, without rowid;

-- Runs that an event has started or that have consumed it.
create table event_hearing (
    organisation blob not null,
    workspace blob not null,
    event integer not null,
    run blob not null,
    -- 1: the event started it.
    started integer not null,
    primary key (workspace, event, run)
) strict, without rowid;

create index event_hearing_event on event_hearing (event);
