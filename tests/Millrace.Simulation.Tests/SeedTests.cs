using System.Collections.Concurrent;
using Millrace.Simulation.World;

namespace Millrace.Simulation.Tests;

/// <summary>The engine keeps its promises whatever happens (docs/simulation.md).</summary>
public sealed class SeedTests
{
    private const int Seeds = 220;

    private static readonly Lazy<ConcurrentBag<SeedResult>> All = new(() =>
    {
        var all = new ConcurrentBag<SeedResult>();
        Parallel.For(1, Seeds + 1, Each, seed => all.Add(Seed.Run((ulong)seed)));
        return all;
    });

    [Fact]
    public void Every_seed_keeps_what_was_promised()
    {
        var failed = All.Value.Where(r => r.Failure is not null).ToList();
        Assert.True(failed.Count == 0, string.Join("\n\n", failed.OrderBy(f => f.Seed)));
    }

    /// <summary>Behind those: a run between being resumed and being cancelled, let through without a slot; one that is resumed while its definition stands; a fork
    /// of a retry, behind what that took over; ticks that are passed over; an effect whose slot came free as its worker heard that it works no more; a run claimed, as nobody heard, while whoever started it had not heard either.</summary>
    [Theory]
    [InlineData(2909)]
    [InlineData(3612)]
    [InlineData(3847)]
    [InlineData(5939)]
    [InlineData(8494)]
    [InlineData(12192)]
    public void A_seed_that_found_something_keeps_what_was_promised(ulong seed) => Assert.Null(Seed.Run(seed).Failure);

    /// <summary>What never happens is never checked.</summary>
    [Fact]
    public void Everything_that_is_checked_happens_in_some_seed() =>
        Assert.Empty(SeedResult.Kinds.Except(All.Value.SelectMany(r => r.Happened.Split('\n'))));

    [Theory]
    [InlineData(3, Faults.None)]
    [InlineData(5, Faults.All)]
    [InlineData(11, Faults.Pauses | Faults.PowerLosses | Faults.Messages)]
    public void The_same_seed_is_the_same_story(ulong seed, Faults faults)
    {
        var (first, second) = (Seed.Run(seed, faults), Seed.Run(seed, faults));
        Assert.Equal(first, second);
        Assert.NotEqual(first.Trace, Seed.Run(seed + 1, faults).Trace);
    }

    /// <summary>A simulator that never finds anything proves nothing.</summary>
    [Theory]
    [InlineData(Sabotage.ForgetsWrites)]
    [InlineData(Sabotage.ForgetsSyncs)]
    [InlineData(Sabotage.RepeatsEffects)]
    public void A_world_that_breaks_its_own_rules_is_found_out(Sabotage sabotage)
    {
        var found = 0;
        Parallel.For(1, 21, Each, (seed, seeds) =>
        {
            if (Seed.Run((ulong)seed, Faults.None, sabotage).Failure is not null && Interlocked.Increment(ref found) == 5) seeds.Stop();
        });
        Assert.InRange(found, 5, 20);
    }

    /// <summary>Not every seed has questions, or limits that anybody waits at.</summary>
    [Theory]
    [InlineData(Sabotage.GivesSlots, "get a slot of")]
    [InlineData(Sabotage.TurnsAnswers, "question")]
    [InlineData(Sabotage.KeepsWhatWasDone, "were to be undone")]
    [InlineData(Sabotage.LosesEvents, "was never sent")]
    [InlineData(Sabotage.LosesMessages, "who follows")]
    [InlineData(Sabotage.TellsSecrets, "holds the secret")]
    [InlineData(Sabotage.MixesWorkspaces, "next door")]
    public void A_world_that_breaks_its_word_to_people_and_to_those_who_wait_is_found_out(Sabotage sabotage, string told)
    {
        var found = 0;
        Parallel.For(1, 91, Each, (seed, seeds) =>
        {
            if (Seed.Run((ulong)seed, Faults.None, sabotage).Failure is { } failure && failure.Contains(told, StringComparison.Ordinal) && Interlocked.Increment(ref found) == 3) seeds.Stop();
        });
        Assert.InRange(found, 3, 90);
    }

    [Fact]
    public void A_failing_seed_tells_how_to_repeat_it()
    {
        var failing = Enumerable.Range(1, 20).Select(seed => Seed.Run((ulong)seed, Faults.None, Sabotage.ForgetsWrites)).First(r => r.Failure is not null);
        Assert.Contains($"./bench simulate --from {failing.Seed} --seeds 1", $"{failing}", StringComparison.Ordinal);
        Assert.Contains(failing.Failure!, $"{failing}", StringComparison.Ordinal);
    }

    private static ParallelOptions Each => new() { MaxDegreeOfParallelism = Environment.ProcessorCount };
}
