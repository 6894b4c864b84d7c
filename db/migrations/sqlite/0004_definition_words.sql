-- compatible with builds that know 0003
-- Full-text search over documents: each version's words, lower case, each once.
alter table definition_version add column words text;

update definition_version set words = cast(source as text);

create virtual table definition_words using fts5 (workspace unindexed, namespace unindexed, name unindexed, version unindexed, words, tokenize = "unicode61 remove_diacritics 0");

insert into definition_words (workspace, namespace, name, version, words) select workspace, namespace, name, version, words from definition_version;
