using System.Collections.Concurrent;
using Millrace.Jq;
using Millrace.Engine.Journal;
using Millrace.Engine.Telemetry;
using Millrace.Storage.Bus;

namespace Millrace.Engine.Execution;

/// <summary>
/// What a worker tells whoever follows: in this process by the bus, in others by the link. Through the link go hints, a position each, and
/// of one topic at most one in <see cref="HintInterval"/>: whoever gets it reads the log.
/// </summary>
internal sealed class Announcements : IDisposable
{
    private static readonly TimeSpan HintInterval = TimeSpan.FromMilliseconds(25);

    private readonly EventBus _bus;
    private readonly BusLink? _link;
    private readonly ConcurrentDictionary<string, long> _hints = new(StringComparer.Ordinal);
    private readonly ITimer? _timer;
    private int _armed;

    public Announcements(EventBus bus, BusLink? link, TimeProvider time)
    {
        (_bus, _link) = (bus, link);
        if (link is not null) _timer = time.CreateTimer(static me => ((Announcements)me!).SendHints(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Shows a durable record to those who follow the run or the workspace.</summary>
    public void Record(string topic, RunRecord record)
    {
        EngineMetrics.Committed(record);
        if (_link is not null)
        {
            Hint(topic, record.Seq);
            if (record.State is not null) Hint(Topics.Workspace(record.Tenant.Workspace), record.Position);
        }

        if (_bus.IsQuiet) return;
        var row = new JournalRow(record.Position, record.Run, record.Seq, record.At, record.State, record.Entries);
        _bus.Publish(topic, new BusMessage(record.Seq, row));
        if (record.State is not null) _bus.Publish(Topics.Workspace(record.Tenant.Workspace), new BusMessage(record.Position, row));
    }

    /// <summary>Shows output that is not kept.</summary>
    public void Live(string topic, LiveOutput output)
    {
        _bus.Publish(topic, new BusMessage(0, output));
        _link?.Send(topic, 0, LiveText.Write(output));
    }

    /// <param name="run">The run to look after, as 16 bytes; nothing when runs are due.</param>
    public void Wake(long lease, ReadOnlyMemory<byte> run)
    {
        _bus.Publish(Topics.Worker(lease), new BusMessage(0, run));
        _link?.Send(Topics.Worker(lease), 0, run);
    }

    public void Dispose()
    {
        _timer?.Dispose();
        SendHints();
    }

    private void Hint(string topic, long position)
    {
        _hints.AddOrUpdate(topic, static (_, p) => p, static (_, last, p) => Math.Max(last, p), position);
        if (Interlocked.Exchange(ref _armed, 1) == 0) _timer!.Change(HintInterval, Timeout.InfiniteTimeSpan);
    }

    private void SendHints()
    {
        Volatile.Write(ref _armed, 0);
        foreach (var topic in _hints.Keys)
        {
            if (_hints.TryRemove(topic, out var position)) _link!.Send(topic, position, default);
        }
    }
}

/// <summary>Joins the bus of this process with those of others.</summary>
public static class BusMessages
{
    private static readonly object Nothing = new();

    /// <summary>Publishes here what another process sent.</summary>
    public static void Receive(EventBus bus, LinkMessage message) => bus.Publish(message.Topic, new BusMessage(message.Position, PayloadOf(message)));

    /// <summary>Live output that a topic had a short while ago in whatever process, the oldest first.</summary>
    public static async Task<IReadOnlyList<LiveOutput>> RecentAsync(EventBus bus, string topic) =>
        [.. (await bus.RecentAsync(topic)).Select(PayloadOf).OfType<LiveOutput>()];

    private static object PayloadOf(LinkMessage message)
    {
        if (message.Topic.StartsWith("worker:", StringComparison.Ordinal)) return message.Payload;
        return message.Position == 0 && message.Payload.Length > 0 ? LiveText.Read(message.Payload.Span) : Nothing;
    }
}

/// <summary>Live output as another process reads it.</summary>
internal static class LiveText
{
    public static ReadOnlyMemory<byte> Write(LiveOutput output) => JsonText.ToUtf8(Json.Array(output.Step, output.Channel, output.Data, output.At));

    public static LiveOutput Read(ReadOnlySpan<byte> utf8)
    {
        var parts = JsonText.Parse(utf8);
        return new LiveOutput((int)parts[0].AsNumber(), parts[1].AsString(), parts[2], (long)parts[3].AsNumber());
    }
}
