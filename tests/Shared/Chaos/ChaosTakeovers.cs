using System.Collections.Concurrent;
using System.Diagnostics;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Tests.Chaos;

/// <summary>How long the runs of killed workers take to go on elsewhere. One asks for all: each question is work for the database that they wait for.</summary>
internal sealed class ChaosTakeovers(ChaosCluster cluster)
{
    /// <summary>Whoever takes longer is told of as that.</summary>
    private static readonly TimeSpan Most = TimeSpan.FromMinutes(1);

    private readonly ConcurrentQueue<Death> _new = new();
    private readonly ConcurrentBag<double> _measured = [];
    private List<Death> _open = [];

    /// <summary>Seconds from each death until the last of the worker's runs was held elsewhere, waited for its timer, or had ended; a fifth of one too many at most.</summary>
    public IReadOnlyCollection<double> Measured => _measured;

    /// <param name="died">When, by the stopwatch.</param>
    public void Expect(int process, long died) => _new.Enqueue(new Death(process, died));

    public async Task MeasureAsync(CancellationToken stop, CancellationToken giveUp)
    {
        while (!giveUp.IsCancellationRequested && (!stop.IsCancellationRequested || _open.Count > 0 || !_new.IsEmpty))
        {
            await Pause.ForAsync(TimeSpan.FromMilliseconds(200), giveUp);
            while (_new.TryDequeue(out var death)) _open.Add(death);
            try
            {
                if (_open.Count > 0) await LookAsync(giveUp);
            }
            catch (Exception e) when (e is NpgsqlException or IOException)
            {
                // PostgreSQL is away as well.
            }
            foreach (var late in _open.Where(d => d.Age >= Most)) _measured.Add(late.Age.TotalSeconds);
            _open.RemoveAll(d => d.Age >= Most);
        }
    }

    private async Task LookAsync(CancellationToken giveUp)
    {
        foreach (var death in _open.Where(d => d.Held is null))
            death.Held = await cluster.QueryAsync("select r.lease, r.id from run r join lease l on l.id = r.lease where l.name like $1", r => (r.GetInt64(0), r.GetGuid(1)), giveUp, $"%:{death.Process}");
        // It held nothing.
        _open.RemoveAll(d => d.Held!.Count == 0);
        if (_open.Count == 0) return;
        var left = await cluster.QueryAsync(
            "select id, lease from run where workspace = $1 and id = any($2) and state < 4 and (lease = any($3) or (lease is null and wake_at <= extract(epoch from now()) * 1000000))",
            r => (Run: r.GetGuid(0), Lease: r.IsDBNull(1) ? (long?)null : r.GetInt64(1)), giveUp,
            Tenant.Default.Workspace, _open.SelectMany(d => d.Held!).Select(h => h.Run).Distinct().ToArray(), _open.SelectMany(d => d.Held!).Select(h => h.Lease).Distinct().ToArray());
        var leases = left.ToDictionary(l => l.Run, l => l.Lease);
        // One that has gone on may be due again, or be held by another that died.
        foreach (var death in _open) death.Held = death.Held!.FindAll(h => leases.TryGetValue(h.Run, out var lease) && (lease is null || lease == h.Lease));
        foreach (var done in _open.Where(d => d.Held!.Count == 0)) _measured.Add(done.Age.TotalSeconds);
        _open.RemoveAll(d => d.Held!.Count == 0);
    }

    private sealed class Death(int process, long died)
    {
        public int Process => process;
        public TimeSpan Age => Stopwatch.GetElapsedTime(died);

        /// <summary>Runs that it held and nobody has gone on with; null while nobody has looked.</summary>
        public List<(long Lease, Guid Run)>? Held { get; set; }
    }
}
