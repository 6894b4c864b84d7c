using System.Diagnostics.Metrics;

namespace Millrace.Storage;

/// <summary>What storage counts. Each instrument is made once for the process; while nobody listens, recording is one check.</summary>
public static class StorageMetrics
{
    public const string MeterName = "Millrace.Storage";

    private static readonly Meter Meter = new(MeterName);

    internal static readonly Histogram<double> CommitDuration = Meter.CreateHistogram(
        "millrace.storage.commit.duration", "s", "How long a group took from the beginning of its transaction until it was on disk.", null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5] });

    internal static readonly Histogram<int> CommitWrites = Meter.CreateHistogram(
        "millrace.storage.commit.writes", "{write}", "Writes that shared one commit.", null,
        new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096] });

    internal static readonly Counter<long> CommitFailures = Meter.CreateCounter<long>(
        "millrace.storage.commit.failures", "{commit}", "Groups that could not be written, by the code of the fault. Nothing of them counts.");

    /// <summary>Goes up when a fault begins and down when it ends, so that it needs no instance to be asked.</summary>
    internal static readonly UpDownCounter<int> Faults = Meter.CreateUpDownCounter<int>(
        "millrace.storage.faults", "{database}", "Databases that accept no writes now.");

    internal static readonly Counter<long> BlobsWritten = Meter.CreateCounter<long>(
        "millrace.blobs.written", "By", "Bytes of blobs stored; content that was there already is not stored again.");

    internal static readonly Counter<long> BlobsRead = Meter.CreateCounter<long>("millrace.blobs.read", "By", "Bytes of blobs opened for reading.");

    internal static readonly UpDownCounter<int> Subscriptions = Meter.CreateUpDownCounter<int>(
        "millrace.bus.subscriptions", "{subscription}", "Readers of live events in this process.");

    internal static readonly Counter<long> MessagesLost = Meter.CreateCounter<long>(
        "millrace.bus.overflows", "{overflow}", "Times a reader of live events fell behind and went back to the durable log.");

    /// <summary>As <see cref="Faults"/>: goes up when a link is away and down when it is there.</summary>
    internal static readonly UpDownCounter<int> LinksDown = Meter.CreateUpDownCounter<int>(
        "millrace.bus.links_down", "{link}", "Links to other processes' live events (Redis) that are away now.");

    internal static readonly UpDownCounter<int> LinkQueued = Meter.CreateUpDownCounter<int>(
        "millrace.bus.link.queued", "{message}", "Live events on their way to or from other processes.");

    internal static readonly Counter<long> LinkDropped = Meter.CreateCounter<long>(
        "millrace.bus.link.dropped", "{message}", "Live events dropped on that way because too many waited; their followers go back to the durable log.");

    /// <summary>Shows each counter as 0, so that its first increase is seen as one. Called when somebody listens.</summary>
    public static void Announce()
    {
        foreach (var code in (string[])[StorageFault.Full, StorageFault.FsyncFailed, StorageFault.Io]) CommitFailures.Add(0, new KeyValuePair<string, object?>("code", code));
        foreach (var counter in (Counter<long>[])[BlobsWritten, BlobsRead, MessagesLost, LinkDropped]) counter.Add(0);
        foreach (var level in (UpDownCounter<int>[])[Faults, Subscriptions, LinksDown, LinkQueued]) level.Add(0);
    }
}
