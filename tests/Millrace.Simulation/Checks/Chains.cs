using Millrace.Jq;
using Millrace.Simulation.World;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>Runs that went on as others: who continues whom, as the runs themselves say it.</summary>
internal sealed class Chains
{
    private readonly Dictionary<Guid, Guid> _next = [];
    private readonly Dictionary<Guid, Guid> _before = [];

    public Chains(IEnumerable<Found> runs)
    {
        foreach (var run in runs)
        {
            if (Successor(run) is not { } next) continue;
            _next[run.Row.Id] = next;
            _before[next] = run.Row.Id;
        }
    }

    /// <summary>It continues another run.</summary>
    public bool Continues(Guid run) => _before.ContainsKey(run);

    public Guid FirstOf(Guid run) => _before.TryGetValue(run, out var before) ? FirstOf(before) : run;

    public Guid LastOf(Guid run) => _next.TryGetValue(run, out var next) ? LastOf(next) : run;

    public Guid? BeforeOf(Guid run) => _before.TryGetValue(run, out var before) ? before : null;

    /// <summary>A run and all that it went on as.</summary>
    public IEnumerable<Guid> From(Guid run)
    {
        yield return run;
        while (_next.TryGetValue(run, out run)) yield return run;
    }

    private static Guid? Successor(Found run) =>
        run.Row.State == RunPhase.Completed && run.History.State.Output["continuedBy"].StringOrNull is { } id ? Guid.Parse(id) : null;

    /// <summary>A chain has no gap: each run of it continues one, in its place, and is continued by one at most; who cancels one ends the newest.</summary>
    public async Task JudgeAsync(Cluster cluster, Clients clients, IReadOnlyDictionary<Guid, Found> runs)
    {
        var rows = await cluster.Database!.ReadAsync(db => db.Query("select run, successor, chain from continuation order by at, run", r => (Run: r.Id(0), Next: r.Id(1), Chain: r.Id(2))));
        foreach (var (run, next, chain) in rows)
        {
            if (!_next.TryGetValue(run, out var said) || said != next) Wrong(run, $"it is kept as continued by {Names.Of(next)}, and says otherwise");
            else if (FirstOf(run) != chain) Wrong(run, $"its chain is kept as that of {Names.Of(chain)}, and begins with {Names.Of(FirstOf(run))}");
        }
        foreach (var (run, next) in _next)
        {
            if (rows.Count(r => r.Run == run) != 1 || rows.Count(r => r.Next == next) != 1) Wrong(run, "it has gone on as another, and the two are not joined once");
            if (!runs.TryGetValue(next, out var after)) Wrong(run, $"it has gone on as {Names.Of(next)}, which is not there");
            else if ((after.Row.Parent, after.Row.ParentStep, after.Row.Definition.Name) != (runs[run].Row.Parent, runs[run].Row.ParentStep, runs[run].Row.Definition.Name)) Wrong(next, $"it does not stand where {Names.Of(run)} stood, which it continues");
        }
        foreach (var (asked, reached) in clients.Reached)
            if (From(reached).Count() > HopsMax && !From(reached).Any(r => runs[r].IsRedriven)) Wrong(asked, $"that it is cancelled was acknowledged when its chain had come to {Names.Of(reached)}, and the chain went on to {Names.Of(LastOf(reached))}");

        void Wrong(Guid run, string what) => cluster.Scheduler.Fail($"run {Names.Of(run)}: {what}");
    }

    /// <summary>It may have decided to go on before it heard that it is not to, and so may the next, which begins at once.</summary>
    private const int HopsMax = 3;
}
