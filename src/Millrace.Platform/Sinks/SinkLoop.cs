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

    /// <summary>Other sinks wait no longer.</summary>
    private static readonly TimeSpan PageTime = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan BackOffMax = TimeSpan.FromMinutes(5);

    /// <summary>Nobody else takes a sink for so long after its process last said that it is at it: a process that died holds it back no longer.</summary>
    internal TimeSpan ClaimTime { get; set; } = TimeSpan.FromSeconds(10);

    private long Claimed => engine.Now + (long)ClaimTime.TotalMicroseconds;

    /// <summary>Sends a page of the sink that is due for longest.</summary>
    /// <returns>False when none is due.</returns>
    internal async Task<bool> RunOnceAsync(CancellationToken cancel)
    {
        var now = engine.Now;
        if (!await database.ReadAsync(db => SinkStore.IsDue(db, now), cancel)) return false;
        if (await database.WriteAsync(db => SinkStore.Take(db, now, Claimed)) is not { } row) return false;
        using var pulse = new PeriodicTimer(ClaimTime / 4, time);
        var keeping = KeepAsync(row, pulse);
        SinkRow come;
        try
        {
            come = await SendPageAsync(row, cancel);
        }
        finally
        {
            pulse.Dispose();
            await keeping;
        }
        if (await database.WriteAsync(db => SinkStore.Advance(db, row, come)) && come.DeadAt is not null)
            log.LogWarning("Sink {Sink} of workspace {Workspace} is given up: nothing was taken since {Since}", row.Name, row.Tenant.Workspace, Micros.ToTime(come.FailingSince!.Value));
        return true;
    }

    /// <returns>The sink as it stands behind the page, due for the next one.</returns>
    private async Task<SinkRow> SendPageAsync(SinkRow row, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        var come = row;
        foreach (var e in await database.ReadAsync(db => EventStore.After(db, row.Tenant, row.Position, PageMax), cancel))
        {
            if (SinkTypes.Take(row.Types, e.Type))
            {
                if (time.GetElapsedTime(began) > PageTime) break;
                var end = await SendAsync(row, await engine.Events.BodyAsync(e, cancel), cancel);
                if (end.Error is not null) return Failed(come, end);
                come = come with { Delivered = come.Delivered + 1, Attempts = 0, FailingSince = null, Error = null };
            }
            come = come with { Position = e.Position };
        }
        return come with { DueAt = engine.Now };
    }

    /// <summary>Says that the sink's page is under way, until the pulse ends. Where that cannot be said another process may send it as well.</summary>
    private async Task KeepAsync(SinkRow row, PeriodicTimer pulse)
    {
        try
        {
            while (await pulse.WaitForNextTickAsync(CancellationToken.None)) await database.WriteAsync(db => SinkStore.Keep(db, row, Claimed));
        }
        catch (StorageUnavailableException)
        {
            // The database is away.
        }
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
        var now = engine.Now;
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
