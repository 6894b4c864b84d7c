using Millrace.Simulation.World;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>Who listens for events of some types until it is enough passes none of them over, from the first that it heard to the last.</summary>
internal sealed class Heard(Cluster cluster)
{
    public async Task JudgeAsync(IReadOnlyDictionary<Guid, Found> runs, Chains chains)
    {
        var events = await cluster.Database!.ReadAsync(db => db.Query("select position, type, received_at from event where workspace = $1 and run is null order by position", r => (Position: r.Long(0), Type: r.Text(1), At: r.Long(2)), Tenant.Default.Workspace));
        // A fork hears again what its source has heard behind the place, and what is taken back begins with the events that come then.
        foreach (var run in runs.Values.Where(r => r.Row.Fork is null && !r.IsRedriven))
        {
            // An event is heard once in a chain.
            var heard = chains.From(chains.FirstOf(run.Row.Id)).Where(runs.ContainsKey).SelectMany(r => Consumed(runs[r])).Select(c => c.Event).ToHashSet();
            foreach (var step in Consumed(run).GroupBy(c => c.Step))
            {
                if (run.History.Steps[step.Key].Node.Body is not ListenBody { To: { Kind: StrategyKind.Any } to } || to.All.Any(f => f.Correlate.Count > 0)) continue;
                var (first, last, types) = (step.Min(c => c.Event), step.Max(c => c.Event), to.Keys().Select(k => k.Type).ToHashSet());
                // What came before the run began, by the clock of whoever took it, is not for it.
                if (events.Find(e => e.Position > first && e.Position < last && e.At >= run.Row.CreatedAt && types.Contains(e.Type) && !heard.Contains(e.Position)) is { Type: not null } missed)
                    cluster.Scheduler.Fail($"run {run.Name}: its step {step.Key} heard events {first} to {last}, and not event {missed.Position}, a {missed.Type}");
            }
        }
    }

    private static IEnumerable<Entry.EventConsumed> Consumed(Found run) => run.Entries.OfType<Entry.EventConsumed>();
}
