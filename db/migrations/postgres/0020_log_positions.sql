-- compatible with builds that know 0003
-- A position of the log is never given twice. Here it follows from the transaction that writes it, so nothing has to change.
select 1;
