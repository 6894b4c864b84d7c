-- compatible with builds that know 0003
-- A signal to a run is an event that this run alone is told of; null: whoever listens is.
alter table event add column run blob;

create index event_run on event (workspace, run, type) where run is not null;

-- The column stands behind the body: who looks for events must find it without reading bodies.
drop index event_type;
drop index event_received;
create index event_type on event (workspace, type, received_at, run, for_sinks);
create index event_received on event (workspace, received_at, run, for_sinks);
