-- compatible with builds that know 0003
-- 1: the event tells of a run whose definition listens for such events. Sinks get it, and nobody who listens: such a run would hear of itself for ever.
alter table event add column for_sinks bigint not null default 0;
