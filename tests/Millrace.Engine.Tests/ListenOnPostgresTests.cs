using Millrace.Engine.Execution;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>Where several processes share a log of events.</summary>
public sealed class ListenOnPostgresTests() : ListenTests(TestDatabases.Postgres)
{
    [Fact]
    public async Task The_same_events_sent_to_two_processes_at_once_count_once()
    {
        const int count = 40;
        await using var test = await OpenAsync(new EngineSettings { Alone = false });
        await using var disk = test.OpenDisk();
        var (other, _) = await test.JoinAsync(disk: disk);
        await using var _1 = other;
        var sent = await Task.WhenAll(Enumerable.Range(0, count).SelectMany(n => new[] { test.Engine, other }.Select(e => e.Events.PublishAsync(Tenant.Default, [Event("wanted", n, $"same-{n}")]))));
        Assert.Equal(count, sent.Count(s => s[0].IsDuplicate));
        Assert.Equal(count, sent.Select(s => s[0].Position).Distinct().Count());
        Assert.Equal(count, await CountAsync(test, "event"));
    }

    [Fact]
    public async Task Runs_that_begin_to_listen_while_others_send_miss_nothing()
    {
        const int count = 25;
        await using var test = await OpenAsync(new EngineSettings { Alone = false });
        await using var disk = test.OpenDisk();
        var (other, _) = await test.JoinAsync(disk: disk);
        await using var _1 = other;
        var workflow = test.Define($"- hear: {{ listen: {{ to: {{ any: [ {{ with: {{ type: wanted }} }} ], until: '(. | length) == {count}' }} }} }}");
        var runs = Enumerable.Range(0, count).Select(_ => test.StartAsync(workflow)).ToList();
        await Task.WhenAll(Enumerable.Range(0, count).Select(n => (n % 2 == 0 ? other : test.Engine).Events.PublishAsync(Tenant.Default, [Event("wanted", n)])));
        foreach (var start in runs)
        {
            var run = await test.PassUntilAsync(await start, r => r.IsFinished);
            Assert.Equal(RunPhase.Completed, run.State);
            var heard = (await test.Engine.Journal.OutcomeAsync(Tenant.Default, run.Id)).Output.AsArray().Select(n => (int)n.AsNumber());
            Assert.Equal(Enumerable.Range(0, count), heard.Order());
        }
        Assert.Equal(0, await CountAsync(test, "subscription"));
    }
}
