using Millrace.Platform.Sinks;
using Millrace.Simulation.World;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>
/// Where a workspace's events are sent: the begin and the end of each run is in the log once, and everything that is in the log has been sent in its order, as often
/// as was needed and at least once.
/// </summary>
internal sealed class Told(Cluster cluster)
{
    private const string Prefix = "io.serverlessworkflow.workflow.";

    public async Task JudgeAsync(IReadOnlyDictionary<Guid, Found> runs, IReadOnlyDictionary<Guid, Gone> gone)
    {
        if (cluster.Endpoint is not { } endpoint) return;
        var events = await cluster.Database!.ReadAsync(db => db.Query("select source, id, type, subject from event where workspace = $1 order by position", r => (Source: r.Text(0), Id: r.Text(1), Type: r.Text(2), Subject: r.TextOrNull(3)), Tenant.Default.Workspace));
        var told = events.Where(e => e.Type.StartsWith(Prefix, StringComparison.Ordinal)).GroupBy(e => (e.Subject!, e.Type)).ToDictionary(g => g.Key, g => g.Count());
        foreach (var run in runs.Values)
        {
            Expect(run.Row.Id, "started", run.Entries.Any(e => e is Entry.RunStarted) ? 1 : 0);
            Expect(run.Row.Id, "completed", run.Own.Count(e => e is Entry.RunCompleted));
            Expect(run.Row.Id, "faulted", run.Own.Count(e => e is Entry.RunFaulted));
            Expect(run.Row.Id, "cancelled", run.Own.Count(e => e is Entry.RunCancelled));
        }
        foreach (var run in gone.Values) Expect(run.Id, run.State.ToString().ToLowerInvariant(), 1);
        Sent(endpoint, [.. events.Where(e => SinkTypes.Take(Endpoint.Types, e.Type)).Select(e => (e.Source, e.Id))]);

        void Expect(Guid run, string what, int times)
        {
            var count = told.GetValueOrDefault((run.ToString(), $"{Prefix}{what}.v1"));
            if (count != times) cluster.Scheduler.Fail($"run {Names.Of(run)}: that it was {what} is told of {count} times, and was so {times} times");
        }
    }

    private void Sent(Endpoint endpoint, List<(string Source, string Id)> kept)
    {
        var first = endpoint.Taken.Distinct().ToList();
        if (kept.Except(first).FirstOrDefault() is { Id: not null } lost) cluster.Scheduler.Fail($"event {lost.Id} of {lost.Source} was never sent");
        else if (!first.SequenceEqual(kept)) cluster.Scheduler.Fail($"events were not sent in their order, or others than were kept: first {first.Zip(kept).FirstOrDefault(p => p.First != p.Second)}");
    }
}
