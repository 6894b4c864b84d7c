-- compatible with builds that know 0003
-- A position of the log is never given twice: who follows it has come to one, and what got one up to there later would be passed over. The newest was given again when its record had gone.
create table journal_next (
    position integer primary key autoincrement,
    organisation blob not null,
    workspace blob not null,
    run blob not null,
    seq integer not null,
    at integer not null,
    -- The run's state after this record, when it changed.
    state integer,
    entries blob not null
) strict;

insert into journal_next (position, organisation, workspace, run, seq, at, state, entries) select position, organisation, workspace, run, seq, at, state, entries from journal order by position;
drop table journal;
alter table journal_next rename to journal;
create unique index journal_run on journal (run, seq);
create index journal_state on journal (workspace, position) where state is not null;
