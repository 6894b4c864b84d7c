using Millrace.Platform.Streams;

namespace Millrace.Server.Tests;

public sealed class FrameRingTests
{
    private static Frame At(long position, int bytes = 10) => new(position, new byte[bytes]);

    private static long[] Positions(FrameRing ring, long index) => [.. ring.Read(index).Frames!.Select(f => f.Position)];

    [Fact]
    public void A_reader_joins_after_what_it_has_seen()
    {
        var ring = new FrameRing(after: -1);
        ring.Add([At(0), At(1), At(-1), At(2)]);

        Assert.Equal(new long[] { 2 }, Positions(ring, ring.Join(1)!.Value));
        Assert.Equal(new long[] { 0, 1, -1, 2 }, Positions(ring, ring.Join(-1)!.Value));
    }

    [Fact]
    public void A_reader_that_wants_what_is_not_there_any_more_is_sent_to_the_log()
    {
        var ring = new FrameRing(after: -1, bytesMax: 25);
        ring.Add([At(0), At(1), At(2), At(3)]);

        Assert.Null(ring.Join(0));
        Assert.Equal(new long[] { 2, 3 }, Positions(ring, ring.Join(1)!.Value));
    }

    [Fact]
    public void A_reader_that_falls_out_behind_is_told()
    {
        var ring = new FrameRing(after: -1, bytesMax: 25);
        ring.Add([At(0)]);
        var place = ring.Join(-1)!.Value;
        ring.Add([At(1), At(2), At(3)]);

        Assert.Null(ring.Read(place).Frames);
    }

    [Fact]
    public void A_reader_that_is_ahead_waits_for_what_follows()
    {
        var ring = new FrameRing(after: -1);
        ring.Add([At(0)]);

        Assert.Empty(Positions(ring, ring.Join(5)!.Value));
    }

    [Fact]
    public void One_frame_larger_than_the_ring_is_still_handed_out()
    {
        var ring = new FrameRing(after: -1, bytesMax: 25);
        ring.Add([At(0, bytes: 100)]);

        Assert.Equal(new long[] { 0 }, Positions(ring, ring.Join(-1)!.Value));
    }

    [Fact]
    public async Task Waiting_readers_are_woken_by_frames_and_by_the_end()
    {
        var ring = new FrameRing(after: -1);
        var more = WaitAsync(0);
        Assert.False(more.IsCompleted);
        ring.Add([At(0)]);
        Assert.True(await more);
        Assert.True(await WaitAsync(0));

        var end = WaitAsync(1);
        ring.Close();
        Assert.True(await end);
        Assert.True(ring.Read(1).Closed);

        Task<bool> WaitAsync(long index) => ring.WaitAsync(index, TimeSpan.FromMinutes(1), TimeProvider.System, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Who_waits_in_vain_is_told_so_and_who_leaves_waits_no_longer()
    {
        var ring = new FrameRing(after: -1);
        Assert.False(await ring.WaitAsync(0, TimeSpan.FromMilliseconds(1), TimeProvider.System, TestContext.Current.CancellationToken));
        using var left = new CancellationTokenSource();
        var waiting = ring.WaitAsync(0, TimeSpan.FromMinutes(1), TimeProvider.System, left.Token);
        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }
}
