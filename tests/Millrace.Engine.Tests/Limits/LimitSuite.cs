using Millrace.Engine.Limits;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Graph;

namespace Millrace.Engine.Tests.Limits;

/// <summary>Tests that count who holds a slot and who stands in line for one.</summary>
public abstract class LimitSuite(TestDatabases databases) : EngineSuite(databases)
{
    private protected static Workflow Define(TestEngine test, string tasks, string flow) => test.Define(tasks, metadata: $"flow: {{ {flow} }}");

    private protected static async Task<List<Guid>> StartAllAsync(TestEngine test, Workflow workflow, params string[] customers)
    {
        var runs = new List<Guid>();
        foreach (var customer in customers)
        {
            // One after the other, also by the clock.
            test.Time.Advance(TimeSpan.FromMilliseconds(1));
            runs.Add(await test.StartAsync(workflow, Json.Object("customer", customer)));
        }
        return runs;
    }

    private protected static async Task<(int Held, int Queued)> CountAsync(TestEngine test)
    {
        var lines = await test.Disk.ReadAsync(db => LimitStore.List(db, Tenant.Default, null, 100));
        return ((int)lines.Sum(l => l.Held), (int)lines.Sum(l => l.Queued));
    }

    /// <summary>Until so many hold a slot and so many wait for one, without letting time pass.</summary>
    private protected static async Task UntilAsync(TestEngine test, Func<int, int, bool> says)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (true)
        {
            var (held, queued) = await CountAsync(test);
            if (says(held, queued)) return;
            await pulse.WaitForNextTickAsync(patience.Token);
        }
    }

    /// <summary>Until the run stands in a line, or has left them all, while the clock stands.</summary>
    private protected static async Task InLineAsync(TestEngine test, Guid run)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (!await test.Disk.ReadAsync(db => LimitStore.Of(db, Tenant.Default, run).Count > 0 || RunStore.Get(db, Tenant.Default, run)!.IsFinished))
            await pulse.WaitForNextTickAsync(patience.Token);
    }
}
