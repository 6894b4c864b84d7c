namespace Millrace.Tests.Chaos;

/// <summary>Whether runs that were to leave have left, with all that hung on them, and the others know when they will.</summary>
internal static class ChaosRetention
{
    /// <summary>Whoever lets runs go looks every poll interval, and may be dead for as long as its successor needs to see it.</summary>
    private const int GraceSeconds = 12;

    public static async Task<ChaosPart> JudgeAsync(ChaosCluster cluster, ChaosClients clients, CancellationToken cancel)
    {
        var part = new ChaosPart("retention_faults", "runs");
        var brief = clients.Acknowledged.Where(a => clients.Of(a.Key).IsBrief).Select(a => Guid.Parse(a.Value)).ToArray();
        part.Complaints.AddRange(await cluster.QueryAsync(
            """
            select r.id, r.state, x.at from run r left join run_expiry x on x.run = r.id
            where r.id = any($1) and (x.at is null or x.at < (extract(epoch from now()) - $2) * 1000000)
            """,
            r => $"{r[0]} is still there, {r[1]}; it was to leave at {r[2]}", cancel, brief, GraceSeconds));
        var there = (await cluster.QueryAsync("select id from run where id = any($1)", r => r.GetGuid(0), cancel, brief)).ToHashSet();
        var gone = brief.Where(b => !there.Contains(b)).ToArray();
        foreach (var table in new[] { "journal", "signal", "start_key", "run_expiry", "subscription" })
            part.Complaints.AddRange(await cluster.QueryAsync($"select distinct run from {table} where run = any($1)", r => $"{r[0]} has left, and is still in {table}", cancel, gone));
        part.Seen = $"of {brief.Length} that leave {ChaosKind.BriefSeconds} s after their end: late, or gone in part; {gone.Length} have left";
        return part;
    }
}
