using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Platform.Streams;
using Millrace.Storage;
using Millrace.Testing.Virtual;

namespace Millrace.Simulation.World;

/// <summary>A message that somebody saw who follows.</summary>
internal sealed record Shown(long Position, Json Data);

/// <summary>What somebody sees who follows a run, or all runs of a workspace, over as many connections as that takes.</summary>
/// <param name="Run">Null: all of the workspace's.</param>
/// <param name="Wanted">After which position it wants to begin; null: where the server begins.</param>
internal sealed record Following(Tenant Tenant, Guid? Run, long? Wanted)
{
    /// <summary>After which position the server began; null until it has.</summary>
    public long? Began { get; set; }

    public List<Shown> Seen { get; } = [];

    /// <summary>It was told that the run has ended.</summary>
    public bool HasEnded { get; set; }

    /// <summary>The run it follows was there no more when it came.</summary>
    public bool IsGone { get; set; }

    /// <summary>How often it went on after something it had seen.</summary>
    public int Resumed { get; set; }

    /// <summary>How often it was served from the log, as those are that come late or cannot keep up.</summary>
    public int Replayed { get; set; }

    public long Position => Seen.Count > 0 ? Seen[^1].Position : Began ?? -1;

    public override string ToString() => $"who follows {(Run is { } run ? $"run {Names.Of(run)}" : "a workspace")} from {Began}";
}

/// <summary>
/// People who follow runs and workspaces. They come to some worker, stay a while, lose the connection or leave, and come again to another, where they go on after what they saw
/// last. When all is done, each comes until it has seen the rest.
/// </summary>
internal sealed class Followers(Cluster cluster, Clients clients, Dice dice)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process = cluster.Scheduler.Start("followers");
    private readonly TimeSpan _slowness = dice.Chance(0.3) ? TimeSpan.FromMilliseconds(dice.Between(1, 400)) : TimeSpan.Zero;

    public List<Following> All { get; } = [];

    /// <param name="within">The time over which they come.</param>
    public void Come(TimeSpan within)
    {
        for (var count = dice.Chance(0.4) ? dice.Between(1, 4) : 0; count > 0; count--)
        {
            var (after, stays) = (within * dice.Fraction(), dice.Between(1, 6));
            _process.Go(async () =>
            {
                await _process.DelayAsync(after);
                var following = Choose();
                All.Add(following);
                for (var stay = 0; stay < stays; stay++)
                {
                    await StayAsync(following, dice.Span(TimeSpan.FromSeconds(6)));
                    await _process.DelayAsync(dice.Span(TimeSpan.FromSeconds(1)));
                }
            });
        }
    }

    /// <summary>Nothing happens any more: each comes until it has seen all there is.</summary>
    public async Task CatchUpAsync(Process judge)
    {
        foreach (var following in All)
        {
            var until = cluster.Scheduler.Now + (long)Patience.TotalMicroseconds;
            while (!await HasSeenAllAsync(following))
            {
                if (cluster.Scheduler.Now > until)
                {
                    cluster.Scheduler.Fail($"{following} has come to {following.Position} and sees nothing more, though there is");
                    return;
                }
                await StayAsync(following, TimeSpan.FromSeconds(3));
                await judge.DelayAsync(TimeSpan.FromMilliseconds(100));
            }
        }
    }

    private Following Choose()
    {
        var tenant = dice.Chance(0.3) ? Neighbours.Tenant : Tenant.Default;
        var started = clients.Wishes.Where(w => w.Run is not null).Select(w => w.Run!.Value).ToList();
        // From the beginning, from wherever the log ends, and from where no log has come to.
        long? wanted = dice.Below(4) switch { 0 => 0, 1 => 1_000_000_000, _ => null };
        return started.Count == 0 || dice.Chance(0.4) ? new Following(tenant, null, wanted) : new Following(Tenant.Default, dice.Of(started), wanted);
    }

    private async Task StayAsync(Following following, TimeSpan span)
    {
        var serving = cluster.Workers.Where(w => w.IsServing).ToList();
        if (serving.Count == 0 || following.HasEnded || following.IsGone) return;
        var worker = dice.Of(serving);
        if (following.Seen.Count > 0) following.Resumed++;
        var connection = new Connection(worker.Process, dice.Fork(), _slowness, cluster.MessagesLost, Arrived);
        worker.Process.Go(() => ServeAsync(worker, following, connection));
        await using (_process.Time.CreateTimer(_ => connection.Break(), null, span, Timeout.InfiniteTimeSpan)) await connection.Closed;

        void Arrived(long? id, string name, string data)
        {
            cluster.Scheduler.Mix(name);
            if (data.Contains(Outside.Secret, StringComparison.Ordinal)) cluster.Scheduler.Fail($"{following} saw the secret: {data}");
            if (name == "end") following.HasEnded = true;
            if (id is { } position) following.Seen.Add(new Shown(position, JsonText.Parse(data)));
        }
    }

    /// <summary>As the product answers the request.</summary>
    private async Task ServeAsync(WorkerNode worker, Following following, Connection to)
    {
        try
        {
            var (tenant, database) = (following.Tenant, (Database)worker.Database);
            long? after = following.Seen.Count > 0 ? following.Position : following.Wanted;
            if (following.Run is not { } run)
            {
                var begin = await WorkspaceLog.BeginAsync(database, tenant, after, to.Aborted);
                Begin(begin);
                await FollowAsync(begin, from => new WorkspaceLog(tenant, database, from));
                return;
            }
            if (await database.ReadAsync(db => RunStore.Get(db, tenant, run), to.Aborted) is not { } row)
            {
                following.IsGone = true;
                return;
            }
            var workflow = cluster.Catalog.ByHash(tenant, row.Hash)!;
            var first = await RunLog.BeginAsync(database, tenant, run, after, to.Aborted);
            Begin(first);
            await FollowAsync(first, from => new RunLog(tenant, row, workflow, worker.Engine!.Journal, database, from));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or StorageUnavailableException or ObjectDisposedException)
        {
            // It comes again.
        }
        finally
        {
            to.End();
        }

        void Begin(long position)
        {
            if (following.Seen.Count == 0 && !to.Closed.IsCompleted) following.Began = position;
        }

        async Task FollowAsync(long begin, Func<long, FollowedLog> open)
        {
            var opened = 0;
            await worker.Streams!.FollowAsync(to, begin, from =>
            {
                if (++opened > 1) following.Replayed++;
                return open(from);
            }, to.Aborted);
        }
    }

    /// <summary>A run says so itself; of a workspace, the log tells it.</summary>
    private async Task<bool> HasSeenAllAsync(Following following)
    {
        if (following.HasEnded || following.IsGone) return true;
        if (following.Run is not null || cluster.Database is not { } database) return false;
        return following.Began is not null && following.Position >= await database.ReadAsync(db => LastTold(db, following.Tenant));
    }

    /// <summary>The last position at which a run changed its state that is still there.</summary>
    private static long LastTold(DbUnit db, Tenant tenant) => JournalStore.StateChanges(db, tenant, -1, int.MaxValue).LastOrDefault(r => RunStore.Get(db, tenant, r.Run) is not null)?.Position ?? -1;
}
