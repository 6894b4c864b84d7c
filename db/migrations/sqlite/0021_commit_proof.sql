-- compatible with builds that know 0003
-- A commit of SQLite is answered or the process has died, so nothing has to be kept of it.
select 1;
