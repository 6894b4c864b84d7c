using Millrace.Testing.Virtual;
using Millrace.Testing.Disk;

namespace Millrace.Simulation.Tests;

/// <summary>The simulated disk keeps what a disk keeps, and nothing more.</summary>
public sealed class DiskTests
{
    private readonly SimulatedFile _file = new();
    private readonly Dice _dice = new(1);

    [Fact]
    public void What_was_synced_outlives_the_power()
    {
        _file.Create();
        _file.Write([1, 2, 3], 0);
        _file.Sync();
        _file.SyncName();
        _file.LosePower(_dice, kept: 0);
        Assert.Equal([1, 2, 3], Content());
    }

    [Fact]
    public void What_was_not_synced_may_be_lost_or_kept()
    {
        _file.Create();
        _file.Write([1, 1], 0);
        _file.Sync();
        _file.SyncName();
        _file.Write([2, 2], 0);
        _file.LosePower(_dice, kept: 0);
        Assert.Equal([1, 1], Content());
        _file.Write([3, 3], 0);
        _file.LosePower(_dice, kept: 1);
        Assert.Equal([3, 3], Content());
    }

    [Fact]
    public void A_write_over_many_sectors_may_be_torn()
    {
        _file.Create();
        _file.Write(new byte[64 * 512], 0);
        _file.Sync();
        _file.SyncName();
        _file.Write([.. Enumerable.Repeat((byte)1, 64 * 512)], 0);
        _file.LosePower(_dice, kept: 0.5);
        var sectors = Content().Chunk(512).ToList();
        Assert.All(sectors, s => Assert.Single(s.Distinct()));
        Assert.Equal([0, 1], sectors.Select(s => (int)s[0]).Distinct().Order());
    }

    [Fact]
    public void After_a_refused_sync_the_next_one_does_not_make_good_what_it_lost()
    {
        _file.Create();
        _file.Sync();
        _file.SyncName();
        for (var i = 0; i < 64; i++) _file.Write([1], i);
        _file.FailSync(_dice);
        _file.Sync();
        Assert.Equal(64, Content().Count(b => b == 1));
        _file.LosePower(_dice, kept: 1);
        Assert.InRange(Content().Count(b => b == 1), 1, 63);
    }

    [Fact]
    public void A_new_file_whose_folder_was_not_synced_may_be_gone()
    {
        _file.Create();
        _file.Write([1], 0);
        _file.Sync();
        _file.LosePower(_dice, kept: 0);
        Assert.False(_file.Exists);
    }

    private byte[] Content()
    {
        var content = new byte[_file.Length];
        _file.Read(content, 0);
        return content;
    }
}
