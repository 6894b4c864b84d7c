using System.Security.Cryptography;
using System.Text;
using Millrace.Storage.Blobs;

namespace Millrace.Storage.Tests.Blobs;

/// <summary>What every store of blobs does.</summary>
public abstract class BlobStoreTests
{
    protected abstract BlobStore Store { get; }

    [Fact]
    public async Task Content_comes_back_under_the_name_that_is_its_hash()
    {
        var blob = await Store.PutAsync("abc"u8.ToArray());
        Assert.Equal(new BlobRef("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 3), blob);
        Assert.Equal("abc"u8.ToArray(), await Store.ReadAsync(blob));
        Assert.True(await Store.ExistsAsync(blob));
        Assert.Equal(1, await KeptAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(131_072)]
    [InlineData(1_000_000)]
    public async Task A_stream_and_bytes_make_the_same_blob(int size)
    {
        var content = RandomNumberGenerator.GetBytes(size);
        var streamed = await Store.PutAsync(new MemoryStream(content), size);
        Assert.Equal(await Store.PutAsync(content), streamed);
        Assert.Equal(content, await Store.ReadAsync(streamed));
        await using var opened = await Store.OpenAsync(streamed);
        using var copy = new MemoryStream();
        await opened.CopyToAsync(copy);
        Assert.Equal(content, copy.ToArray());
    }

    [Fact]
    public async Task Many_puts_of_the_same_and_of_different_content_at_once_are_safe()
    {
        var blobs = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() => i % 2 == 0
            ? Store.PutAsync(Encoding.UTF8.GetBytes($"content {i % 10}"))
            : Store.PutAsync(new MemoryStream(Encoding.UTF8.GetBytes($"content {i % 10}")), 100))));
        Assert.Equal(10, blobs.Distinct().Count());
        foreach (var (blob, i) in blobs.Select((b, i) => (b, i)))
            Assert.Equal($"content {i % 10}", Encoding.UTF8.GetString(await Store.ReadAsync(blob)));
        Assert.Equal(10, await KeptAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(500_000)]
    [InlineData(999_999)]
    public async Task A_flipped_bit_is_found_by_whoever_reads_to_the_end(int at)
    {
        var content = RandomNumberGenerator.GetBytes(1_000_000);
        var blob = await Store.PutAsync(content);
        content[at] ^= 1;
        await OverwriteAsync(blob, content);
        Assert.Equal(blob, (await Assert.ThrowsAsync<BlobCorruptException>(() => Store.ReadAsync(blob))).Blob);
        await using var opened = await Store.OpenAsync(blob);
        await Assert.ThrowsAsync<BlobCorruptException>(() => opened.CopyToAsync(Stream.Null));
    }

    [Theory]
    [InlineData(99)]
    [InlineData(101)]
    public async Task Content_of_another_length_is_damaged_and_putting_the_content_mends_it(int length)
    {
        var content = RandomNumberGenerator.GetBytes(100);
        var blob = await Store.PutAsync(content);
        await OverwriteAsync(blob, [.. content.Concat(new byte[1]).Take(length)]);
        await Assert.ThrowsAsync<BlobCorruptException>(() => Store.ReadAsync(blob));
        Assert.False(await Store.ExistsAsync(blob));
        await Store.PutAsync(content);
        Assert.Equal(content, await Store.ReadAsync(blob));
    }

    [Fact]
    public async Task A_blob_that_is_not_there_is_told_as_absent()
    {
        var absent = new BlobRef(new string('a', 64), 1);
        await Assert.ThrowsAsync<BlobAbsentException>(() => Store.ReadAsync(absent));
        await Assert.ThrowsAsync<BlobAbsentException>(() => Store.OpenAsync(absent));
        Assert.False(await Store.ExistsAsync(absent));
    }

    [Fact]
    public async Task A_stream_beyond_the_limit_is_refused_and_leaves_nothing()
    {
        await Assert.ThrowsAsync<BlobTooLargeException>(() => Store.PutAsync(new MemoryStream(new byte[1_001]), 1_000));
        Assert.Equal(0, await KeptAsync());
    }

    [Fact]
    public async Task A_stream_that_breaks_leaves_nothing_and_its_own_exception()
    {
        await Assert.ThrowsAsync<InvalidDataException>(() => Store.PutAsync(new BreakingStream(300_000), 1_000_000));
        Assert.Equal(0, await KeptAsync());
    }

    [Fact]
    public async Task A_cancelled_put_leaves_nothing()
    {
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.PutAsync(new byte[10], cancel.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.PutAsync(new MemoryStream(new byte[10]), 10, cancel.Token));
        Assert.Equal(0, await KeptAsync());
    }

    [Fact]
    public async Task Putting_the_same_again_does_not_write_it_again()
    {
        var blob = await Store.PutAsync("abc"u8.ToArray());

        // What another write would put right stays as it is.
        await OverwriteAsync(blob, "abd"u8.ToArray());
        await Store.PutAsync("abc"u8.ToArray());
        await Store.PutAsync(new MemoryStream("abc"u8.ToArray()), 10);
        await Assert.ThrowsAsync<BlobCorruptException>(() => Store.ReadAsync(blob));
    }

    [Fact]
    public async Task What_was_removed_is_there_no_more_and_can_be_put_again()
    {
        var blob = await Store.PutAsync("abc"u8.ToArray());
        var other = await Store.PutAsync("abd"u8.ToArray());
        await Store.RemoveAsync(blob);
        await Store.RemoveAsync(blob);
        Assert.False(await Store.ExistsAsync(blob));
        await Assert.ThrowsAsync<BlobAbsentException>(() => Store.ReadAsync(blob));
        Assert.Equal("abd"u8.ToArray(), await Store.ReadAsync(other));
        await Store.PutAsync("abc"u8.ToArray());
        Assert.Equal("abc"u8.ToArray(), await Store.ReadAsync(blob));
    }

    /// <summary>Changes what the store keeps, behind its back.</summary>
    protected abstract Task OverwriteAsync(BlobRef blob, byte[] content);

    /// <returns>How many blobs, and other things that a put left behind, there are.</returns>
    protected abstract Task<int> KeptAsync();

    private sealed class BreakingStream(int after) : MemoryStream(new byte[after])
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await base.ReadAsync(buffer, cancellationToken) is var count and > 0 ? count : throw new InvalidDataException("broken");
    }
}
