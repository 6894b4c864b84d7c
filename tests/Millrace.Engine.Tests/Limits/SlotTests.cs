using Millrace.Engine.Execution;

namespace Millrace.Engine.Tests.Limits;

public sealed class SlotTests
{
    private static readonly Guid Crowd = Guid.NewGuid(), Guest = Guid.NewGuid();

    private readonly Slots _slots = new(1);
    private readonly List<string> _served = [];

    [Fact]
    public async Task The_crowd_of_one_workspace_delays_another_by_no_more_than_a_slot_s_time()
    {
        await TakeAsync("first", Crowd);
        for (var i = 0; i < 10_000; i++) Stand($"crowd", Crowd);
        Stand("guest", Guest);
        _slots.Give();
        _slots.Give();
        await UntilAsync(2);
        Assert.Contains("guest", _served);
    }

    [Fact]
    public async Task Workspaces_take_turns_by_their_weights()
    {
        await TakeAsync("first", Crowd);
        for (var i = 0; i < 100; i++)
        {
            Stand("heavy", Crowd, weight: 3);
            Stand("light", Guest);
        }
        for (var i = 0; i < 40; i++) _slots.Give();
        await UntilAsync(40);
        Assert.InRange(_served.Count(s => s == "heavy"), 28, 32);
    }

    [Fact]
    public async Task Within_a_workspace_the_urgent_go_first_and_else_who_came_first()
    {
        await TakeAsync("first", Crowd);
        Stand("a", Crowd);
        Stand("b", Crowd, priority: 5);
        Stand("c", Crowd);
        foreach (var wanted in (string[])["b", "a", "c"])
        {
            var before = _served.Count;
            _slots.Give();
            await UntilAsync(before + 1);
            Assert.Equal(wanted, _served[^1]);
        }
    }

    [Fact]
    public async Task Who_is_cancelled_in_line_takes_no_slot()
    {
        await TakeAsync("first", Crowd);
        using var cancel = new CancellationTokenSource();
        var cancelled = _slots.TakeAsync(new SlotClaim(Crowd, 1, 0), cancel.Token).AsTask();
        Stand("next", Guest);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        _slots.Give();
        await UntilAsync(1);
        _slots.Give();
        Assert.Equal(0, _slots.Used);
    }

    private async Task TakeAsync(string name, Guid workspace)
    {
        await _slots.TakeAsync(new SlotClaim(workspace, 1, 0), default);
        Assert.Equal(1, _slots.Used);
    }

    private void Stand(string name, Guid workspace, int weight = 1, int priority = 0) => _ = StandAsync(name, new SlotClaim(workspace, weight, priority));

    private async Task StandAsync(string name, SlotClaim claim)
    {
        await _slots.TakeAsync(claim, default);
        lock (_served) _served.Add(name);
    }

    private async Task UntilAsync(int served)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        using var patience = new CancellationTokenSource(Support.TestEngine.Patience);
        while (true)
        {
            lock (_served)
                if (_served.Count >= served) return;
            await pulse.WaitForNextTickAsync(patience.Token);
        }
    }
}
