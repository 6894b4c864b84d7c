using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Millrace.Connectors.Events;
using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Platform.Http;
using Millrace.Storage;

namespace Millrace.Platform.Sinks;

/// <summary>
/// Sends events to sinks, each sink's in their order, at least once. A sink is taken by one process at a time; how far it has come is written behind each page and
/// wherever one was not taken, so a process that dies sends at most a page again, under the same ids.
/// </summary>
public sealed class SinkLoop(Database database, DurableEngine engine, EventDelivery delivery, ISecretSource secrets, TimeProvider time, ILogger<SinkLoop> log) : BackgroundService
{
    private const int PageMax = 50;

    /// <summary>A page that takes longer may be begun by another process as well; it stops before.</summary>
    private static readonly TimeSpan PageTime = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan BackOffMax = TimeSpan.FromMinutes(5);

    private long Now => Micros.Of(time.GetUtcNow());

    /// <summary>Sends a page of the sink that is due for longest.</summary>
    /// <returns>False when none is due.</returns>
    internal async Task<bool> RunOnceAsync(CancellationToken cancel)
    {
        var now = Now;
        if (!await database.ReadAsync(db => SinkStore.IsDue(db, now), cancel)) return false;
        if (await database.WriteAsync(db => SinkStore.Take(db, now, now + (long)PageTime.TotalMicroseconds)) is not { } row) return false;
        var page = await database.ReadAsync(db => EventStore.After(db, row.Tenant, row.Position, PageMax), cancel);
        var come = row;
        foreach (var e in page)
        {
            if (SinkTypes.Take(row.Types, e.Type))
            {
                if (Now - now > PageTime.TotalMicroseconds / 2) break;
                var end = await SendAsync(row, await engine.Events.BodyAsync(e, cancel), cancel);
                if (end.Error is not null)
                {
                    come = Failed(come, end);
                    break;
                }
                come = come with { Delivered = come.Delivered + 1, Attempts = 0, FailingSince = null, Error = null };
            }
            come = come with { Position = e.Position, DueAt = Now };
        }
        if (await database.WriteAsync(db => SinkStore.Advance(db, row, come)) && come.DeadAt is not null)
            log.LogWarning("Sink {Sink} of workspace {Workspace} is given up: nothing was taken since {Since}", row.Name, row.Tenant.Workspace, Micros.ToTime(come.FailingSince!.Value));
        return true;
    }

    internal Task<DeliveryEnd> SendAsync(SinkRow row, Jq.Json e, CancellationToken cancel)
    {
        var secret = row.Secret is { } name ? secrets.Find(row.Tenant, name) : null;
        return row.Secret is not null && secret is null ? Task.FromResult(new DeliveryEnd(null, $"There is no secret '{row.Secret}'."))
            : delivery.SendAsync(new EventToDeliver(new Uri(row.Url), e, row.Structured, secret), time, cancel);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        PageLoop.RunAsync(RunOnceAsync, time, e => log.LogError("Events are sent later: {Cause}", e is StorageUnavailableException ? e.Message : e.ToString()), stoppingToken);

    /// <summary>Each time it waits twice as long; one that says it is gone (410), or fails for longer than it may, is given up.</summary>
    private SinkRow Failed(SinkRow row, DeliveryEnd end)
    {
        var now = Now;
        var since = row.FailingSince ?? now;
        var wait = Math.Min(BackOffMax.TotalMicroseconds, PageLoop.Pulse.TotalMicroseconds * Math.Pow(2, Math.Min(row.Attempts, 20)));
        return row with
        {
            Attempts = row.Attempts + 1,
            FailingSince = since,
            Error = end.Error,
            DueAt = now + (long)wait,
            DeadAt = end.Status == 410 || now - since >= row.Patience ? now : null,
        };
    }
}
