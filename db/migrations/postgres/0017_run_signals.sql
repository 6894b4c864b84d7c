-- compatible with builds that know 0003
-- A signal to a run is an event that this run alone is told of; null: whoever listens is.
alter table event add column run uuid;

create index event_run on event (workspace, run, type) where run is not null;
