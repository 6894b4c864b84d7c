using Millrace.Engine.Events;
using Millrace.Jq;
using Millrace.Storage;

namespace Millrace.Engine.Tests.Support;

/// <summary>What is told of journals to whoever wants to hear it.</summary>
internal static class Told
{
    /// <summary>Somebody wants these types, from now on: that is what a sink says of itself.</summary>
    public static async Task<TestEngine> WantedAsync(TestEngine test, IEnumerable<string> types)
    {
        await test.Disk.WriteAsync(db =>
        {
            LifecycleStore.Begin(db, Tenant.Default);
            foreach (var type in types)
                db.Execute("insert into sink_type (organisation, workspace, sink, type) values ($1, $2, $3, $4)", Tenant.Default.Organisation, Tenant.Default.Workspace, Guid.NewGuid(), type);
            return 0;
        });
        return test;
    }

    /// <summary>All that has been told of a run, in order; looked after once more first.</summary>
    public static async Task<List<Json>> OfAsync(TestEngine test, Guid run)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        // The newest of a log is read when all that began before it has ended.
        do await test.Engine.Worker.Keeper.RunOnceAsync();
        while (await test.Disk.ReadAsync(db => LifecycleStore.Cursors(db).Single().Position < db.First("select coalesce(max(position), 0) from journal", r => r.Long(0), 0L))
            && await pulse.WaitForNextTickAsync(patience.Token));
        var positions = await test.Disk.ReadAsync(db => db.Query("select position from event where workspace = $1 and source = $2 order by position", r => r.Long(0), Tenant.Default.Workspace, $"/workspaces/{Tenant.Default.Workspace}/runs/{run}"));
        var events = new List<Json>();
        foreach (var position in positions) events.Add((await test.Engine.Events.ReadAsync(Tenant.Default, position))!.Value);
        return events;
    }
}
