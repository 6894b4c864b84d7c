namespace Millrace.Tests.Chaos;

/// <summary>A run as its row tells it.</summary>
internal sealed record ChaosRow(string Id, string Name, int State, string? Parent, string Error, string Reason, long CreatedAt, string? ForkOf, Guid? Schedule, long? Tick)
{
    public const int Cancelled = 4, Faulted = 5, Completed = 6;

    private static readonly string[] States = ["pending", "running", "waiting", "suspended", "cancelled", "faulted", "completed"];

    public string StateName => States[State];

    public static Task<List<ChaosRow>> AllAsync(ChaosCluster cluster, CancellationToken cancel) => cluster.QueryAsync("select id, name, state, parent, error, reason, created_at, fork_of, schedule, scheduled_for from run", r => new ChaosRow(
        r.GetGuid(0).ToString(), r.GetString(1), (int)r.GetInt64(2), r.IsDBNull(3) ? null : r.GetGuid(3).ToString(), r.IsDBNull(4) ? "" : System.Text.Encoding.UTF8.GetString((byte[])r[4]),
        r.IsDBNull(5) ? "" : r.GetString(5), r.GetInt64(6), r.IsDBNull(7) ? null : r.GetGuid(7).ToString(), r.IsDBNull(8) ? null : r.GetGuid(8), r.IsDBNull(9) ? null : r.GetInt64(9)), cancel);
}
