using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Platform.Runs;
using Millrace.Storage;
using Millrace.Workflows.Graph;

namespace Millrace.Platform.Streams;

/// <summary>What one record changed.</summary>
/// <param name="Steps">The steps it touched, as they are after it, without input and output.</param>
public sealed record RunRecordMessage(long Seq, DateTimeOffset At, Run Run, IReadOnlyList<RunStep> Steps);

/// <summary>Output that is shown and not kept.</summary>
public sealed record LiveMessage(int Step, string Channel, Json Data, DateTimeOffset At);

/// <summary>A run's journal as its stream tells it: each record with the run and the touched steps as they are after it.</summary>
internal sealed class RunLog(Tenant tenant, RunRow row, Workflow workflow, JournalReader journal, Database database, long after) : FollowedLog(after)
{
    private const int PageRecords = 500;

    private readonly RunHistory _history = new(workflow, row.Id);
    private readonly long _after = after;

    /// <summary>Where a follower begins that wants to go on after a record: there, but not beyond the last one; before the first when it wants nothing.</summary>
    public static async Task<long> BeginAsync(Database database, Tenant tenant, Guid run, long? after, CancellationToken cancel) =>
        Math.Min(after ?? -1, await database.ReadAsync(db => JournalStore.LastSeq(db, tenant, run), cancel));

    public override string Topic => Topics.Run(row.Id);

    public override async Task<IReadOnlyList<Frame>> ReadAsync(CancellationToken cancel)
    {
        var frames = new List<Frame>();
        while (frames.Count == 0)
        {
            cancel.ThrowIfCancellationRequested();
            var page = await journal.AfterAsync(tenant, row.Id, _history.State.Position, PageRecords);
            foreach (var record in page)
            {
                var touched = _history.Apply(record);
                // Records the reader has seen already are folded too, but not told.
                if (record.Seq > _after) frames.Add(Encode(record, touched));
            }
            Position = Math.Max(Position, _history.State.Position);
            if (page.Count < PageRecords) break;
        }
        // A run that was taken back is live though its journal does not say so yet; of one that was removed nothing follows.
        if (_history.State.IsFinished || frames.Count == 0) Ended = await database.ReadAsync(db => RunStore.Get(db, tenant, row.Id), cancel) is not { } now || (_history.State.IsFinished && now.IsFinished);
        return frames;
    }

    public override Frame? Show(object payload) => payload is LiveOutput live
        ? Frames.Encode(-1, "live", new LiveMessage(live.Step, live.Channel, live.Data, Micros.ToTime(live.At)))
        : null;

    private Frame Encode(DecodedRecord record, IReadOnlyList<StepView> touched) => Frames.Encode(record.Seq, "record",
        new RunRecordMessage(record.Seq, Micros.ToTime(record.At), Run.Of(row, _history), [.. touched.Select(s => RunStep.Of(s, values: false))]));
}

/// <summary>Writes messages in the form of Server-Sent Events (WHATWG HTML, 9.2).</summary>
internal static class Frames
{
    public static readonly ReadOnlyMemory<byte> Opening = ": connected\n\n"u8.ToArray();
    public static readonly ReadOnlyMemory<byte> Heartbeat = ": heartbeat\n\n"u8.ToArray();
    public static readonly ReadOnlyMemory<byte> End = "event: end\ndata: {}\n\n"u8.ToArray();

    /// <param name="position">Becomes the id; -1 for a message that is not in the log.</param>
    public static Frame Encode<T>(long position, string name, T data)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        if (position >= 0) Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {position}\n"), buffer);
        Encoding.UTF8.GetBytes($"event: {name}\ndata: ", buffer);
        // Compact JSON holds no line breaks: in strings they are escaped.
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = WireJson.Options.Encoder, MaxDepth = WireJson.Options.MaxDepth }))
            JsonSerializer.Serialize(writer, data, WireJson.Options);
        buffer.Write("\n\n"u8);
        return new Frame(position, buffer.WrittenMemory);
    }
}
