using Millrace.Engine.Journal;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Forks;

/// <summary>Reads the part of a journal that a fork takes over. It never changes, so it is read before the fork's transaction.</summary>
internal static class SourceReader
{
    /// <summary>Records that a fork takes over at most: they are written in one transaction, which others wait for.</summary>
    public const int RecordsMax = 50_000;

    /// <summary>And their bytes, which are held in memory meanwhile.</summary>
    public const long BytesMax = 64 << 20;

    private const int PageRecords = 1000;

    /// <exception cref="ForkRefusedException">The part is too long.</exception>
    public static async Task<List<SourceRecord>> ReadAsync(Database database, Tenant tenant, Guid run, ForkPoint point)
    {
        var records = new List<SourceRecord>();
        var bytes = 0L;
        while (true)
        {
            var after = records.Count == 0 ? -1 : records[^1].Seq;
            var page = await database.ReadAsync(db => JournalStore.Of(db, tenant, run, after, PageRecords));
            foreach (var row in page)
            {
                bytes += row.Entries.Length;
                if (records.Count == RecordsMax || bytes > BytesMax)
                    throw new ForkRefusedException(new ForkRefusal("run.fork_too_long", $"A fork takes over at most {RecordsMax} records of {BytesMax} bytes; this place lies behind more."));
                var json = JsonText.Parse(row.Entries);
                var record = new SourceRecord(row.Position, row.Seq, row.At, json, row.Entries, EntriesOf(json));
                records.Add(record);
                if (ForkCut.Holds(record, point)) return records;
            }
            if (page.Count < PageRecords) return records;
        }
    }

    /// <summary>Where tasks begin and end is all that is asked of them, so large values are not read; every such value may stand for a list.</summary>
    public static List<Entry> EntriesOf(Json json) => EntryReader.Read(json, _ => Json.EmptyArray);
}
