using Millrace.Tests.Crash;

namespace Millrace.Tests.Chaos;

/// <summary>Whether limits and holds held while they were to, and nothing of them is left.</summary>
internal sealed class ChaosLimits(ChaosCluster cluster, CountingService outside, ChaosClients clients)
{
    /// <summary>Who stands knows it two poll intervals after it was answered, or does not hold its runs any more.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(6);

    private readonly List<string> _complaints = [];

    public IReadOnlyList<string> Complaints => _complaints;

    public async Task JudgeAsync(IReadOnlyDictionary<string, ChaosRow> rows, CancellationToken cancel)
    {
        _complaints.AddRange([.. outside.Lines.Crowds, .. clients.Holders.Complaints]);
        _complaints.AddRange(await cluster.QueryAsync("select name, key, run, held from limit_place", r => $"a slot is left: {r[0]} for {r[1]} of {r[2]}, {r[3]}", cancel));
        _complaints.AddRange(await cluster.QueryAsync("select namespace, name, come_to from hold", r => $"a hold is left: {r[0]}/{r[1]}, come to {r[2]}", cancel));
        JudgeTrios(rows);
        foreach (var stood in clients.Holders.Stood.Where(h => h.To - h.From > Grace))
        {
            _complaints.AddRange(await cluster.QueryAsync(
                $"""
                select j.run, j.seq, j.at from journal j join run r on r.id = j.run
                where r.name = '{ChaosKind.Held}' and j.at between $1 and $2 and position('"step.started"'::bytea in j.entries) > 0
                """,
                r => $"run {r[0]} of a definition that stood from {stood.From:O} to {stood.To:O} began a step with its record {r[1]} at {DateTimeOffset.UnixEpoch.AddMicroseconds(r.GetInt64(2)):O}", cancel,
                Micros(stood.From + Grace), Micros(stood.To)));
        }
    }

    /// <summary>Whoever came last of those that share a key has completed, and who did not had to make room; or who came while one worked was cancelled.</summary>
    private void JudgeTrios(IReadOnlyDictionary<string, ChaosRow> rows)
    {
        var lasts = clients.Acknowledged.Where(a => (clients.Of(a.Key).IsLastOfTrio || clients.Of(a.Key).IsFirstOfTrio) && rows.ContainsKey(a.Value)).GroupBy(a => (clients.Of(a.Key).Name, clients.TrioOf(a.Key)), a => rows[a.Value]);
        foreach (var trio in lasts)
        {
            var kind = clients.Of(clients.Acknowledged.First(a => a.Value == trio.First().Id).Key);
            if (kind.IsFirstOfTrio)
            {
                if (trio.All(r => r.State == ChaosRow.Cancelled)) _complaints.Add($"of {trio.Key} all were cancelled");
                foreach (var row in trio.Where(r => r.State == ChaosRow.Cancelled && !r.Reason.Contains("was reached", StringComparison.Ordinal))) _complaints.Add($"{row.Id} of {trio.Key} was cancelled: {row.Reason}");
                continue;
            }
            var last = trio.MaxBy(r => (r.CreatedAt, Guid.Parse(r.Id)))!;
            if (last.State is ChaosRow.Cancelled) _complaints.Add($"{last.Id}, the last {trio.Key}, was cancelled: {last.Reason}");
            foreach (var row in trio.Where(r => r.State == ChaosRow.Cancelled && !r.Reason.Contains("a newer run needs its slot", StringComparison.Ordinal) && !r.Reason.Contains("a later start took its place", StringComparison.Ordinal)))
                _complaints.Add($"{row.Id} of {trio.Key} was cancelled: {row.Reason}");
        }
    }

    private static long Micros(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
