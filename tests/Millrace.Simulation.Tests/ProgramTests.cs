using Millrace.Testing.Virtual;
using Millrace.Simulation.Programs;

namespace Millrace.Simulation.Tests;

/// <summary>The random programs, and what their model says of them.</summary>
public sealed class ProgramTests
{
    [Fact]
    public void Random_programs_use_the_whole_language()
    {
        var text = string.Join("\n", Enumerable.Range(1, 200).SelectMany(seed => new Generator(new Dice((ulong)seed), new Dice((ulong)seed)).Make(4).All).Select(p => p.Text));
        foreach (var word in (string[])["\"set\"", "\"call\"", "\"wait\"", "\"raise\"", "\"switch\"", "\"do\"", "\"for\"", "\"fork\"", "\"compete\"", "\"try\"", "\"retry\"", "\"catch\"", "\"run\"", "\"timeout\"", "\"if\"", "\"exit\"", "\"end\"", "once:1.0.0", "parts:1.0.0", "map:1.0.0", "swarm:1.0.0", "\"emit\"", "\"listen\"", "\"foreach\"", "\"until\"", "\"schedule\"", "approve:1.0.0", "\"expire\"", "\"concurrency\"", "cancelInProgress", "groupRoundRobin", "\"rateLimit\"", "\"debounce\"", "\"compensate\"", "continue:1.0.0", "\"every\"", "\"cron\"", "\"schedule\": { \"after\"", "\"on\"", "\"skip\"", "bufferOne", "cancelOther", "\"catchUp\"", "\"jitter\"", "\"correlate\"", "\"expect\"", "\"escalate\"", "\"remind\"", "\"delegate\"", "\"tolerate\"", "\"onError\": \"collect\"", "\"key\": \"${ $item.n | tostring }\"", "\"retention\"", "\"deadLetter\"", "\"extensions\"", "\"before\"", "\"after\": [", "\"extend\"", "\"when\": \"${ ((.n? // 0)", "\"subscription\"", "\"amount\""])
            Assert.Contains(word, text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_competition_may_end_with_any_branch_that_succeeds()
    {
        var fork = new ForkNode("f", true, [new SetNode("a", 1, 1), new SetNode("b", 1, 2), new RaiseNode("c", "tea")]);
        var ends = fork.Ends(new Library(), 10);
        Assert.Equal([11, 12], ends.Values.Order());
        Assert.False(ends.HasError);
    }

    [Fact]
    public void What_a_filter_does_not_match_goes_on()
    {
        var tried = new TryNode("t", new Block([new RaiseNode("a", "tea")]), TryNode.TimeoutsOnly, 0, 0, null);
        Assert.False(tried.Ends(new Library(), 1).HasValue);
    }

    [Fact]
    public void A_switch_skips_what_lies_between()
    {
        var block = new Block([new SwitchNode("s", ["continue", "last"]), new SetNode("mid", 1, 100), new SetNode("last", 1, 1)]);
        Assert.Equal([111], block.Ends(new Library(), 10).Values);
        Assert.Equal([12], block.Ends(new Library(), 11).Values);
    }
}
