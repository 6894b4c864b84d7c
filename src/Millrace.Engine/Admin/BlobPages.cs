using Millrace.Engine.Events;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Storage;
using Millrace.Storage.Blobs;

namespace Millrace.Engine.Admin;

/// <summary>Every blob that artifacts, events and records refer to, each once, in pages. They may be read on one snapshot, or each on one of its own.</summary>
/// <param name="damaged">Told of records that are not what was written.</param>
internal sealed class BlobPages(Action<JournalRow> damaged)
{
    private const int PageRows = 500;

    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private string? _artifact = "", _event = "";
    private long _record = long.MinValue;

    /// <returns>What was not seen before, perhaps nothing; null at the end.</returns>
    public List<BlobRef>? Next(DbUnit db)
    {
        if (_artifact is not null) return New(Named(ArtifactStore.Blobs(db, _artifact, PageRows), out _artifact));
        if (_event is not null) return New(Named(EventStore.Blobs(db, _event, PageRows), out _event));
        var records = JournalStore.Page(db, _record, PageRows);
        if (records.Count == 0) return null;
        _record = records[^1].Position;
        return New(records.SelectMany(record => WholeDatabase.References(record, damaged)));
    }

    private static IEnumerable<BlobRef> Named(List<(string Sha256, long Size)> page, out string? last)
    {
        last = page.Count == 0 ? null : page[^1].Sha256;
        return page.Select(b => new BlobRef(b.Sha256, b.Size));
    }

    private List<BlobRef> New(IEnumerable<BlobRef> blobs) => [.. blobs.Where(b => _seen.Add(b.Sha256))];
}
