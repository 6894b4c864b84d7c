using System.Diagnostics.Metrics;
using Millrace.Engine.Runs;
using Millrace.Storage;

namespace Millrace.Server.Telemetry;

/// <summary>
/// Looks now and then at what waits for a worker. Every process of a cluster tells the same figures, those of the database: take the
/// highest, not the sum.
/// </summary>
internal sealed class QueueWatch : IAsyncDisposable
{
    public const string MeterName = "Millrace.Queue";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Meter _meter = new(MeterName);
    private readonly CancellationTokenSource _stop = new();
    private QueueSeen _seen = new(default, 0);
    private Task _loop = Task.CompletedTask;

    public QueueWatch(Database database, TimeProvider time, ILogger log)
    {
        (_database, _time, _log) = (database, time, log);
        _meter.CreateObservableGauge("millrace.queue.due", () => _seen.Queue.Due, "{run}", $"Runs that a worker should have taken by now, in the whole database; {QueueState.CountMax} means that many or more.");
        _meter.CreateObservableGauge("millrace.queue.waiting", () => _seen.Queue.Waiting, "{run}", $"Runs that a timer will wake, in the whole database; {QueueState.CountMax} means that many or more.");
        _meter.CreateObservableGauge("millrace.queue.lag", () => _seen.LagSeconds, "s", "How long the run that is due longest has waited for a worker.");
    }

    public void Start() => _loop = LoopAsync();

    public async Task RunOnceAsync()
    {
        // Due times are written by the clock that all processes of the database share.
        var now = await _database.ClockAsync(_stop.Token) ?? (_time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        var queue = await _database.ReadAsync(db => RunStore.Queue(db, now), _stop.Token);
        Volatile.Write(ref _seen, new QueueSeen(queue, queue.DueSince is { } since ? (now - since) / 1e6 : 0));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
        _meter.Dispose();
    }

    private async Task LoopAsync()
    {
        using var timer = new PeriodicTimer(Interval, _time);
        try
        {
            do
            {
                try
                {
                    await RunOnceAsync();
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    _log.LogWarning("The queue could not be counted: {Reason}", e.Message);
                }
            }
            while (await timer.WaitForNextTickAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private sealed record QueueSeen(QueueState Queue, double LagSeconds);
}
