using Millrace.Tests.Crash;

namespace Millrace.Tests.Chaos;

/// <summary>What holds after the faults, asked of the database itself, of the world outside and of those who followed.</summary>
/// <param name="runs">All that were started, by these clients and by others.</param>
internal sealed class ChaosVerdict(ChaosCluster cluster, CountingService outside, ChaosClients clients, ChaosFollowers followers, int runs)
{
    private readonly List<string> _complaints = [];
    private readonly List<ChaosPart> _parts = [];
    private readonly ChaosForks _forks = new(cluster, clients);

    /// <summary>Whom the workspace's events were sent to, and what began by itself; null where there was none of it.</summary>
    public ChaosSinks? Sinks { get; init; }
    public ChaosSchedules? Schedules { get; init; }

    /// <summary>What was found of features that stand for themselves.</summary>
    public IReadOnlyList<ChaosPart> Parts => _parts;

    public IReadOnlyList<string> Complaints => _complaints;
    public int Lost { get; private set; }
    public int Stuck { get; private set; }
    public int WrongEnds { get; private set; }
    public int DuplicateEffects { get; private set; }
    public int MissingEffects { get; private set; }
    public int JournalFaults { get; private set; }
    public int Children { get; private set; }
    public int ChildFaults { get; private set; }
    public int Untold { get; private set; }
    public int Questions { get; private set; }
    public int VoteFaults { get; private set; }
    public int LimitFaults { get; private set; }

    /// <summary>Sorts of answers that no client should get.</summary>
    public int Surprises => clients.Surprises.Count;

    /// <summary>The most that the world outside saw at a line at once.</summary>
    public int AtOnce => outside.Lines.Most;

    /// <summary>How often the definition stood, and how often that was no longer certain.</summary>
    public int Holds => clients.Holders.Stood.Count;
    public int HoldsLapsed => clients.Holders.Lapsed;

    public int SseGaps => followers.Gaps + Untold;
    public int SseDuplicates => followers.Duplicates;

    public bool IsClean => Lost + Stuck + WrongEnds + DuplicateEffects + MissingEffects + JournalFaults + ChildFaults + VoteFaults + LimitFaults + SseGaps + SseDuplicates + _parts.Sum(p => p.Complaints.Count) + Surprises == 0;

    public async Task JudgeAsync(CancellationToken cancel)
    {
        var rows = (await ChaosRow.AllAsync(cluster, cancel)).ToDictionary(r => r.Id);
        await _forks.ReadAsync(cancel);
        await JudgeStartsAsync(rows, cancel);
        await JudgeStuckAsync(rows, cancel);
        JudgeEffects(rows);
        await JudgeJournalsAsync(cancel);
        JudgeChildren(rows);
        await JudgeStreamsAsync(rows, cancel);
        await JudgeWaitsAsync(rows, cancel);
        await JudgePartsAsync(rows, cancel);
        foreach (var (what, times) in clients.Surprises) Complain($"clients were told {times} times: {what}");
    }

    /// <summary>Runs that have not finished, and holds that are not over.</summary>
    public static Task<List<string>> LiveAsync(ChaosCluster cluster, CancellationToken cancel) =>
        cluster.QueryAsync("select id from run where state < 4 union all select id from hold", r => r.GetGuid(0).ToString(), cancel);

    private void Complain(string what) => _complaints.Add(what);

    private async Task JudgeStartsAsync(Dictionary<string, ChaosRow> rows, CancellationToken cancel)
    {
        var keys = (await cluster.QueryAsync("select key, run from start_key", r => (Key: r.GetString(0), Run: r.GetGuid(1).ToString()), cancel)).ToDictionary(k => k.Key, k => k.Run);
        foreach (var number in clients.Numbers.Where(n => !clients.Of(n).IsBegunByEvent))
        {
            var kind = clients.Of(number);
            var row = clients.Acknowledged.TryGetValue(number, out var id) ? rows.GetValueOrDefault(id) : null;
            if (id is null) Lose($"run {number} was never acknowledged");
            // The key of one that has left has left with it.
            else if (!(keys.TryGetValue($"chaos-{number}", out var kept) ? First(kept) == First(id) : kind.IsBrief)) Lose($"run {number} was acknowledged as {id}; its key stands for {kept ?? "nothing"}");
            else if (row is null && !kind.IsBrief) Lose($"run {number}, {id}, is not there");
            else if (row?.State >= 4 && !kind.MayEnd.Contains(row.StateName))
            {
                WrongEnds++;
                Complain($"run {number}, {id} of {row.Name}, is {row.StateName}: {row.Error}");
            }
        }
        var ordered = clients.Numbers.Where(n => clients.Of(n).IsBegunByEvent).ToHashSet();
        var begun = rows.Values.Count(r => ordered.Count > 0 && r.Name == clients.Of(ordered.First()).Name);
        if (begun != ordered.Count || clients.Ordered.Count != begun) Lose($"{begun} runs were begun by {ordered.Count} events, of which {clients.Ordered.Count} were acknowledged", Math.Abs(begun - ordered.Count));
        var alone = rows.Values.Count(r => r.Parent is null && r.ForkOf is null && r.Schedule is null && !_forks.FirstOf.ContainsKey(r.Id)) - begun;
        if (alone > runs - ordered.Count) Lose($"{alone} runs were started for {runs - ordered.Count} keys", alone - runs + ordered.Count);
    }

    private string First(string run) => _forks.FirstOf.GetValueOrDefault(run, run);

    private void Lose(string what, int count = 1)
    {
        Lost += count;
        Complain(what);
    }

    private async Task JudgeStuckAsync(Dictionary<string, ChaosRow> rows, CancellationToken cancel)
    {
        foreach (var row in rows.Values.Where(r => r.State < 4))
        {
            Stuck++;
            if (Stuck > 20) continue;
            var told = (await cluster.QueryAsync(
                "select state, lease, (select alive from lease l where l.id = run.lease), wake_at, (wake_at - extract(epoch from now()) * 1000000) / 1000000, (select count(*) from signal s where s.run = run.id) from run where id = $1",
                r => $"state {r[0]}, lease {r[1]} alive {r[2]}, wake at {r[3]}, in {r[4]} s, {r[5]} signals", cancel, Guid.Parse(row.Id)))[0];
            Complain($"stuck: {row.Id} of {row.Name}, {told}; waits for {await clients.GetAsync($"api/v1/runs/{row.Id}/waiting", cancel)}");
        }
    }

    private void JudgeEffects(Dictionary<string, ChaosRow> rows)
    {
        var keysOf = outside.Recorded.GroupBy(r => r.Value).ToDictionary(g => g.Key, g => g.Count());
        foreach (var (effect, keys) in keysOf.Where(k => k.Value > 1))
        {
            DuplicateEffects += keys - 1;
            Complain($"effect {effect} was recorded under {keys} keys");
        }
        DuplicateEffects += outside.Contradictions;
        foreach (var number in clients.Numbers)
        {
            var kind = clients.Of(number);
            var row = clients.Acknowledged.TryGetValue(number, out var id) ? rows.GetValueOrDefault(id) : null;
            var isWhole = row?.StateName == kind.Whole || (id is not null && row is null && kind.IsBrief) || (kind.IsBegunByEvent && clients.Ordered.Contains(number));
            if (!isWhole) continue;
            foreach (var effect in kind.Effects.Select(e => ChaosKind.Effect(number, e)).Where(e => !keysOf.ContainsKey(e)))
            {
                MissingEffects++;
                Complain($"run {number}, {id} of {kind.Name}, is {row?.StateName} without effect {effect}");
            }
        }
    }

    private async Task JudgeJournalsAsync(CancellationToken cancel)
    {
        var broken = await cluster.QueryAsync(
            """
            select r.id, r.state, j.n, j.first, j.last, l.state from run r
            left join (select run, count(*) n, min(seq) first, max(seq) last from journal group by run) j on j.run = r.id
            left join (select distinct on (run) run, state from journal where state is not null order by run, seq desc) l on l.run = r.id
            where j.n is null or j.first <> 0 or j.n <> j.last + 1 or l.state is null or (r.state >= 4 and l.state <> r.state)
            """,
            r => $"journal of {r[0]}: row {r[1]}, records {r[2]}, seq {r[3]} to {r[4]}, last state {r[5]}", cancel);
        broken.AddRange(await cluster.QueryAsync(
            "select r.id, count(*) from journal j join run r on r.id = j.run where j.state >= 4 and r.name <> 'redriven' group by r.id having count(*) > 1", r => $"journal of {r[0]} ends {r[1]} times", cancel));
        broken.AddRange(await cluster.QueryAsync(
            "select run from journal j where not exists (select 1 from run r where r.id = j.run) and not exists (select 1 from run_removal m where m.run = j.run) group by run", r => $"journal of {r[0]} has no run", cancel));
        JournalFaults = broken.Count;
        _complaints.AddRange(broken);
    }

    private void JudgeChildren(Dictionary<string, ChaosRow> rows)
    {
        var families = rows.Values.Where(r => r.Parent is not null).GroupBy(r => r.Parent!).ToDictionary(g => g.Key, g => g.ToList());
        Children = families.Values.Sum(f => f.Count);
        foreach (var (number, id) in clients.Acknowledged)
        {
            if (!rows.TryGetValue(id, out var parent) || parent.State < 4) continue;
            var children = families.GetValueOrDefault(id, []);
            var kind = clients.Of(number);
            var right = children.All(c => c.State >= 4) && (kind.Children == ChaosKind.AnyNumber || (parent.State != 6
                ? children.Count <= kind.Children && children.All(c => c.State is 4 or 6)
                : children.Count == kind.Children && children.Count(c => c.State == 6) == kind.Children - kind.Tolerated));
            if (right) continue;
            ChildFaults++;
            Complain($"run {number}, {id}, is {parent.StateName} with children {string.Join(", ", children.Select(c => c.StateName))}");
        }
    }

    private async Task JudgeWaitsAsync(Dictionary<string, ChaosRow> rows, CancellationToken cancel)
    {
        var questions = new ChaosQuestions(cluster, clients);
        await questions.JudgeAsync(rows, cancel);
        var limits = new ChaosLimits(cluster, outside, clients);
        await limits.JudgeAsync(rows, cancel);
        (Questions, VoteFaults, LimitFaults) = (questions.Asked, questions.Complaints.Count, limits.Complaints.Count);
        _complaints.AddRange(questions.Complaints);
        _complaints.AddRange(limits.Complaints);
    }

    private async Task JudgePartsAsync(Dictionary<string, ChaosRow> rows, CancellationToken cancel)
    {
        _forks.Judge(rows);
        _parts.AddRange([_forks.Forks, _forks.Chains, ChaosUndoing.Judge(clients, outside, rows), await ChaosRetention.JudgeAsync(cluster, clients, cancel)]);
        if (Schedules is not null) _parts.Add(await Schedules.JudgeAsync(rows, outside, cancel));
        if (Sinks is not null) _parts.Add(await Sinks.JudgeAsync(rows, clients, cancel));
        var letters = new ChaosPart("letter_faults", "letters") { Seen = "left after they were tried again" };
        letters.Complaints.AddRange(await cluster.QueryAsync("select kind, subject, reason from dead_letter", r => $"a dead letter is left: {r[0]} {r[1]}, {r[2]}", cancel));
        _parts.Add(letters);
        foreach (var part in _parts) _complaints.AddRange(part.Complaints);
    }

    private async Task JudgeStreamsAsync(Dictionary<string, ChaosRow> rows, CancellationToken cancel)
    {
        var lasts = (await cluster.QueryAsync("select run, max(seq) from journal group by run", r => (Run: r.GetGuid(0).ToString(), Seq: r.GetInt64(1)), cancel)).ToDictionary(j => j.Run, j => j.Seq);
        foreach (var (run, last) in followers.Ends.Where(e => lasts.GetValueOrDefault(e.Key, -1) != e.Value)) Untell($"the stream of {run} ended at {last}, its journal at {lasts.GetValueOrDefault(run, -1)}");
        foreach (var told in followers.Told)
            foreach (var row in rows.Values.Where(r => r.State >= 4 && told.GetValueOrDefault(r.Id) != r.StateName))
                Untell($"a follower of the workspace knows {row.Id} as {told.GetValueOrDefault(row.Id) ?? "nothing"}; it is {row.StateName}");
    }

    private void Untell(string what)
    {
        Untold++;
        Complain(what);
    }
}
