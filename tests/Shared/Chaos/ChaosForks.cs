namespace Millrace.Tests.Chaos;

/// <summary>Whether every run that was forked, retried or tried again has one fork, which completed, and every chain its runs.</summary>
internal sealed class ChaosForks(ChaosCluster cluster, ChaosClients clients)
{
    public ChaosPart Forks { get; } = new("fork_faults", "runs");
    public ChaosPart Chains { get; } = new("chain_faults", "chains");

    /// <summary>Run to the first of the chain that it continues.</summary>
    public IReadOnlyDictionary<string, string> FirstOf { get; private set; } = new Dictionary<string, string>();

    public async Task ReadAsync(CancellationToken cancel) =>
        FirstOf = (await cluster.QueryAsync("select successor, chain from continuation", r => (Run: r.GetGuid(0).ToString(), First: r.GetGuid(1).ToString()), cancel)).ToDictionary(c => c.Run, c => c.First);

    public void Judge(IReadOnlyDictionary<string, ChaosRow> rows)
    {
        var forks = rows.Values.Where(r => r.ForkOf is not null).ToLookup(r => r.ForkOf!);
        var chains = FirstOf.ToLookup(c => c.Value, c => c.Key);
        var (forked, chained) = (0, 0);
        foreach (var (number, id) in clients.Acknowledged)
        {
            var kind = clients.Of(number);
            if (kind.Sequel is ChaosSequel.Fork or ChaosSequel.Upgrade or ChaosSequel.Retry or ChaosSequel.Requeue or ChaosSequel.BulkRetry or ChaosSequel.BulkFork)
            {
                forked++;
                if (forks[id].ToList() is not [{ State: ChaosRow.Completed }]) Forks.Complain($"run {number}, {id} of {kind.Name}, has the forks {string.Join(", ", forks[id].Select(f => $"{f.Id} {f.StateName} {f.Error}"))}");
            }
            if (kind.Links == 1) continue;
            chained++;
            var first = FirstOf.GetValueOrDefault(id, id);
            var links = chains[first].Prepend(first).ToList();
            if (links.Count != kind.Links || !links.TrueForAll(l => rows.GetValueOrDefault(l)?.State == ChaosRow.Completed))
                Chains.Complain($"run {number}, {id} of {kind.Name}, has come to {string.Join(", ", links.Select(l => $"{l} {rows.GetValueOrDefault(l)?.StateName ?? "not there"}"))}");
        }
        foreach (var (run, fork) in clients.Sequels.Forks)
            if (rows.GetValueOrDefault(fork)?.ForkOf != run) Forks.Complain($"{fork} was acknowledged as a fork of {run}, and is not there as such");
        Forks.Seen = $"of {forked}: not forked, retried or tried again exactly once and completed; {clients.Sequels.Bulks} wishes about many runs";
        Chains.Seen = $"of {chained}: not continued exactly as often as they were to be";
    }
}
