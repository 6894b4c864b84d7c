using System.Globalization;
using Millrace.Storage.Bus;

namespace Millrace.Storage.Tests.Bus;

public sealed class LinkBufferTests
{
    [Fact]
    public void Messages_are_taken_in_order_and_in_portions()
    {
        var buffer = new LinkBuffer(10, 1_000_000);
        for (var i = 1; i <= 5; i++) buffer.Add(new LinkMessage("run:1", i, default));
        Assert.Equal([1, 2, 3], buffer.Take(3).Messages.Select(m => m.Position));
        Assert.Equal([4, 5], buffer.Take(3).Messages.Select(m => m.Position));
        Assert.Empty(buffer.Take(3).Messages);
    }

    [Fact]
    public void The_oldest_make_room_and_their_topics_are_told_once()
    {
        var buffer = new LinkBuffer(3, 1_000_000);
        for (var i = 1; i <= 5; i++) buffer.Add(new LinkMessage(i == 1 ? "run:1" : "run:2", i, default));
        var (messages, lost) = buffer.Take(10);
        Assert.Equal([3, 4, 5], messages.Select(m => m.Position));
        Assert.Equal(["run:1", "run:2"], lost.Order());
        Assert.Empty(buffer.Take(10).Lost);
    }

    [Fact]
    public void Bytes_are_limited_as_well()
    {
        var buffer = new LinkBuffer(1_000, 10_000);
        for (var i = 1; i <= 10; i++) buffer.Add(new LinkMessage("run:1", i, new byte[4_000]));
        var (messages, lost) = buffer.Take(10);
        Assert.Equal([9, 10], messages.Select(m => m.Position));
        Assert.Equal(["run:1"], lost);
    }

    [Fact]
    public void Live_output_that_is_dropped_is_told_to_nobody_and_a_wake_up_is()
    {
        var buffer = new LinkBuffer(1, 1_000_000);
        buffer.Add(new LinkMessage("run:1", 0, default));
        buffer.Add(new LinkMessage("worker:1", 0, default));
        buffer.Add(new LinkMessage("run:1", 0, default));
        Assert.Equal(["worker:1"], buffer.Take(1).Lost);
    }

    [Fact]
    public void When_too_many_topics_lost_something_all_are_told()
    {
        var buffer = new LinkBuffer(1, 1_000_000);
        for (var i = 1; i <= 2_000; i++) buffer.Add(new LinkMessage("run:" + i.ToString(CultureInfo.InvariantCulture), i, default));
        Assert.Equal([LinkBuffer.Everything], buffer.Take(1).Lost);
    }

    [Fact]
    public async Task Whoever_waits_is_woken_by_a_message_and_by_a_loss()
    {
        var buffer = new LinkBuffer(10, 1_000_000);
        var wait = buffer.WaitAsync(CancellationToken.None).AsTask();
        Assert.False(wait.IsCompleted);
        buffer.Add(new LinkMessage("run:1", 1, default));
        await wait;
        var (messages, _) = buffer.Take(10);

        wait = buffer.WaitAsync(CancellationToken.None).AsTask();
        Assert.False(wait.IsCompleted);
        buffer.Lose(messages, ["run:2"]);
        await wait;
        Assert.Equal(["run:1", "run:2"], buffer.Take(10).Lost.Order());
    }
}
