using System.Security.Cryptography;
using System.Text;
using Millrace.Storage.Blobs;
using Millrace.Storage.Tests.Child;

namespace Millrace.Storage.Tests.Blobs;

public sealed class FileBlobStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FileBlobStore _store;

    public FileBlobStoreTests() => _store = new FileBlobStore(_folder["blobs"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Content_comes_back_under_the_name_that_is_its_hash()
    {
        var blob = await _store.PutAsync("abc"u8.ToArray());
        Assert.Equal(new BlobRef("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 3), blob);
        Assert.Equal("abc"u8.ToArray(), await _store.ReadAsync(blob));
        Assert.Equal(_folder["blobs/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"], _store.PathOf(blob));
        Assert.True(File.Exists(_store.PathOf(blob)));
        Assert.Empty(Left());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(131_072)]
    [InlineData(1_000_000)]
    public async Task A_stream_and_bytes_make_the_same_blob(int size)
    {
        var content = RandomNumberGenerator.GetBytes(size);
        var streamed = await _store.PutAsync(new MemoryStream(content), size);
        Assert.Equal(await _store.PutAsync(content), streamed);
        Assert.Equal(content, await _store.ReadAsync(streamed));
        await using var opened = await _store.OpenAsync(streamed);
        using var copy = new MemoryStream();
        await opened.CopyToAsync(copy);
        Assert.Equal(content, copy.ToArray());
    }

    [Fact]
    public async Task A_stream_beyond_the_limit_is_refused_and_leaves_nothing()
    {
        await Assert.ThrowsAsync<BlobTooLargeException>(() => _store.PutAsync(new MemoryStream(new byte[1_001]), 1_000));
        Assert.Empty(Directory.EnumerateFiles(_folder["blobs"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_stream_that_breaks_leaves_nothing_and_its_own_exception()
    {
        await Assert.ThrowsAsync<InvalidDataException>(() => _store.PutAsync(new BreakingStream(300_000), 1_000_000));
        Assert.Empty(Left());
    }

    [Fact]
    public async Task Putting_the_same_again_does_not_write_it_again()
    {
        var blob = await _store.PutAsync("abc"u8.ToArray());
        File.SetLastWriteTimeUtc(_store.PathOf(blob), DateTime.UnixEpoch);
        await _store.PutAsync("abc"u8.ToArray());
        await _store.PutAsync(new MemoryStream("abc"u8.ToArray()), 10);
        Assert.Equal(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(_store.PathOf(blob)));
    }

    [Fact]
    public async Task Many_puts_of_the_same_and_of_different_content_at_once_are_safe()
    {
        var blobs = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() => i % 2 == 0
            ? _store.PutAsync(Encoding.UTF8.GetBytes($"content {i % 10}"))
            : _store.PutAsync(new MemoryStream(Encoding.UTF8.GetBytes($"content {i % 10}")), 100))));
        Assert.Equal(10, blobs.Distinct().Count());
        foreach (var (blob, i) in blobs.Select((b, i) => (b, i)))
            Assert.Equal($"content {i % 10}", Encoding.UTF8.GetString(await _store.ReadAsync(blob)));
        Assert.Empty(Left());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(500_000)]
    [InlineData(999_999)]
    public async Task A_flipped_bit_is_found_by_whoever_reads_to_the_end(int at)
    {
        var blob = await _store.PutAsync(RandomNumberGenerator.GetBytes(1_000_000));
        await using (var file = File.Open(_store.PathOf(blob), FileMode.Open))
        {
            file.Position = at;
            var value = file.ReadByte();
            file.Position = at;
            file.WriteByte((byte)(value ^ 1));
        }

        Assert.Equal(blob, (await Assert.ThrowsAsync<BlobCorruptException>(() => _store.ReadAsync(blob))).Blob);
        await using var opened = await _store.OpenAsync(blob);
        await Assert.ThrowsAsync<BlobCorruptException>(() => opened.CopyToAsync(Stream.Null));
    }

    [Theory]
    [InlineData(99)]
    [InlineData(101)]
    public async Task A_file_of_another_length_is_damaged_and_putting_the_content_mends_it(int length)
    {
        var content = RandomNumberGenerator.GetBytes(100);
        var blob = await _store.PutAsync(content);
        await using (var file = File.Open(_store.PathOf(blob), FileMode.Open)) file.SetLength(length);
        await Assert.ThrowsAsync<BlobCorruptException>(() => _store.ReadAsync(blob));
        Assert.False(await _store.ExistsAsync(blob));
        await _store.PutAsync(content);
        Assert.Equal(content, await _store.ReadAsync(blob));
    }

    [Fact]
    public async Task A_blob_that_is_not_there_is_told_as_absent()
    {
        var absent = new BlobRef(new string('a', 64), 1);
        await Assert.ThrowsAsync<BlobAbsentException>(() => _store.ReadAsync(absent));
        await Assert.ThrowsAsync<BlobAbsentException>(() => _store.OpenAsync(absent));
        Assert.False(await _store.ExistsAsync(absent));
    }

    [Theory]
    [InlineData("")]
    [InlineData("../../../../etc/passwd")]
    [InlineData("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")]
    [InlineData("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n")]
    public void A_name_that_is_no_hash_cannot_be_made(string name) => Assert.Throws<ArgumentException>(() => new BlobRef(name, 1));

    [Fact]
    public void What_an_interrupted_put_left_is_removed_at_the_next_start()
    {
        File.WriteAllText(_folder["blobs/tmp/left"], "half");
        _ = new FileBlobStore(_folder["blobs"]);
        Assert.Empty(Left());
    }

    [Fact]
    public async Task A_cancelled_put_leaves_nothing()
    {
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _store.PutAsync(new byte[10], cancel.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _store.PutAsync(new MemoryStream(new byte[10]), 10, cancel.Token));
        Assert.Empty(Left());
    }

    [Fact]
    public async Task A_full_disk_is_told_as_such_and_leaves_nothing()
    {
        using var disk = SmallDisk.Mount(_folder["disk"], sizeMb: 2);
        var store = new FileBlobStore(Path.Combine(disk.Path, "blobs"));
        var bytes = await Assert.ThrowsAsync<StorageUnavailableException>(() => store.PutAsync(new byte[3 << 20]));
        var stream = await Assert.ThrowsAsync<StorageUnavailableException>(() => store.PutAsync(new MemoryStream(new byte[3 << 20]), long.MaxValue));
        Assert.Equal(("storage.full", "storage.full"), (bytes.Fault.Code, stream.Fault.Code));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(disk.Path, "blobs"), "*", SearchOption.AllDirectories));
        var blob = await store.PutAsync(new byte[1 << 20]);
        Assert.Equal(1 << 20, (await store.ReadAsync(blob)).Length);
    }

    [Theory]
    [InlineData("7..9")]
    [InlineData("7+2")]
    [InlineData("8+2")]
    public async Task A_refused_fsync_refuses_the_put_and_leaves_nothing_that_could_pass_for_durable(string refused)
    {
        // Calls are counted by thread, and content and name are synced in turn: this hits one, the other, or both.
        using var child = ChildProcess.StartBlobs(
            _folder["blobs"],
            "strace", "-f", "-qq", "-o", _folder["strace.txt"], "-e", "trace=fsync", "-e", $"inject=fsync:error=EIO:when={refused}");
        Assert.Equal(0, await child.EndAsync());
        Assert.Equal(BlobChild.Puts, child.Lines.Count);
        Assert.Contains("fault storage.fsync_failed", child.Lines);
        for (var i = 0; i < BlobChild.Puts; i++)
        {
            var exists = Directory.EnumerateFiles(_folder["blobs"], "*", SearchOption.AllDirectories)
                .Any(file => File.ReadAllBytes(file).AsSpan().SequenceEqual(BlobChild.Content(i)));
            Assert.Equal(child.Lines[i] == $"ack {i}", exists);
        }

        Assert.Empty(Left());
    }

    private IEnumerable<string> Left() => Directory.EnumerateFiles(_folder["blobs/tmp"]);

    private sealed class BreakingStream(int after) : MemoryStream(new byte[after])
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await base.ReadAsync(buffer, cancellationToken) is var count and > 0 ? count : throw new InvalidDataException("broken");
    }
}
