using System.Globalization;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;

namespace Millrace.Engine.Events;

/// <summary>How a signal to a run ended. All are answered after their commit.</summary>
public abstract record SignalOutcome
{
    /// <param name="Run">The run that is told: the one that the run asked for has come to.</param>
    /// <param name="Event">The event that the signal is.</param>
    /// <param name="IsDuplicate">The key has sent it before, and this time nothing was.</param>
    public sealed record Sent(Guid Run, EventRow Event, bool IsDuplicate) : SignalOutcome;

    /// <summary>The key was used for another signal.</summary>
    public sealed record Conflict : SignalOutcome;

    /// <param name="Why">There is no such run, or it has finished.</param>
    public sealed record Refused(ControlOutcome Why) : SignalOutcome;
}

/// <summary>
/// Signals to runs: events of the workspace's log that one run alone is told of. Other runs that listen for their type and definitions that
/// events start do not hear them; they are in the log and go to sinks. One that nobody listens for yet is heard when the run begins to.
/// </summary>
public sealed class RunSignals
{
    private readonly Worker _worker;

    internal RunSignals(Worker worker) => _worker = worker;

    /// <summary>Sends a signal to a run, or to the run that it has gone on as.</summary>
    /// <param name="name">The type of the event; as the log takes types (<see cref="EventLog.TypeBytesMax"/>).</param>
    /// <param name="data">The data of the event; null: it has none.</param>
    /// <param name="key">The same key is the same signal to the run and to those it goes on as, for as long as events are kept.</param>
    /// <exception cref="StorageUnavailableException">Nothing was sent, as far as anybody knows; sent again under its key, it is sent once.</exception>
    public async Task<SignalOutcome> SendAsync(Tenant tenant, Guid run, string name, Json? data, string? key)
    {
        var id = key ?? _worker.NewId().ToString();
        var refused = Guid.Empty;
        while (true)
        {
            var (first, last) = await _worker.Database.ReadAsync(db => (ContinuationStore.FirstOf(db, tenant, run), ContinuationStore.LastOf(db, tenant, run)));
            if (last == refused) return new SignalOutcome.Refused(ControlOutcome.AlreadyFinished);
            var row = await _worker.Events.PrepareAsync(Envelope(tenant, first, last, id, name, data)) with { Run = last };
            var (outcome, kept) = await _worker.Database.WriteAsync(db => Write(db, tenant, row));
            if (outcome == ControlOutcome.NotFound) return new SignalOutcome.Refused(outcome);
            if (kept is { IsDuplicate: true } known) return await AgainAsync(tenant, known.Position, name, data);
            if (kept is { } sent)
            {
                _worker.Nudge(tenant, last);
                return new SignalOutcome.Sent(last, row with { Position = sent.Position }, false);
            }
            // It may have gone on as another run since that was asked.
            refused = last;
        }
    }

    private static (ControlOutcome Outcome, Published? Kept) Write(DbUnit db, Tenant tenant, EventRow row)
    {
        // Locked, so that the run neither ends nor goes on as another before the signal is there.
        if (RunStore.Lock(db, tenant, row.Run!.Value) is not { } run) return (ControlOutcome.NotFound, null);
        // Whoever asks again about a signal that the run has ended on is told that it was sent.
        if (run.IsFinished) return (ControlOutcome.AlreadyFinished, EventStore.Find(db, tenant, row.Source, row.Id) is { } known ? new Published(known, true) : null);
        var kept = EventLog.Keep(db, tenant, row);
        if (!kept.IsDuplicate && SubscriptionStore.Hears(db, tenant, run.Id, row.Type, row.Source)) Subscriptions.Tell(db, tenant, run.Id, [kept.Position], row.ReceivedAt);
        return (ControlOutcome.Accepted, kept);
    }

    /// <summary>Null stands for no data as well: a listener could not tell one from the other.</summary>
    private async Task<SignalOutcome> AgainAsync(Tenant tenant, long position, string name, Json? data)
    {
        var row = await _worker.Database.ReadAsync(db => EventStore.Get(db, tenant, position));
        if (row is not { Run: { } told } || row.Type != name) return new SignalOutcome.Conflict();
        var known = await _worker.Events.BodyAsync(row);
        return known["data"] == (data ?? Json.Null) ? new SignalOutcome.Sent(told, row, true) : new SignalOutcome.Conflict();
    }

    /// <summary>Its source is that of all runs of the chain, so that a key means the same whichever of them is asked.</summary>
    private Json Envelope(Tenant tenant, Guid first, Guid told, string id, string name, Json? data)
    {
        var built = new JsonObject.Builder().Set("specversion", "1.0").Set("id", id).Set("source", $"/workspaces/{tenant.Workspace}/runs/{first}/signals").Set("type", name)
            .Set("subject", told.ToString()).Set("time", _worker.Time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
        if (data is { } given) built.Set("datacontenttype", "application/json").Set("data", given);
        return built.Build();
    }
}
