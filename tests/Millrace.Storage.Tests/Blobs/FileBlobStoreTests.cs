using Millrace.Storage.Blobs;
using Millrace.Storage.Tests.Child;

namespace Millrace.Storage.Tests.Blobs;

public sealed class FileBlobStoreTests : BlobStoreTests, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FileBlobStore _store;

    public FileBlobStoreTests() => _store = new FileBlobStore(_folder["blobs"]);

    protected override BlobStore Store => _store;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_blob_is_a_file_under_its_name()
    {
        var blob = await _store.PutAsync("abc"u8.ToArray());
        Assert.Equal(_folder["blobs/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"], _store.PathOf(blob));
        Assert.True(File.Exists(_store.PathOf(blob)));
        Assert.Empty(Left());
    }

    [Fact]
    public void What_an_interrupted_put_left_is_removed_at_the_next_start()
    {
        File.WriteAllText(_folder["blobs/tmp/left"], "half");
        _ = new FileBlobStore(_folder["blobs"]);
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
        // A program that another test starts just now holds every file that was open until it is a program of its own.
        Assert.True(SpinWait.SpinUntil(() => new DriveInfo(disk.Path).AvailableFreeSpace > 3 << 19, TimeSpan.FromSeconds(10)));
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

    protected override Task OverwriteAsync(BlobRef blob, byte[] content) => File.WriteAllBytesAsync(_store.PathOf(blob), content);

    protected override Task<int> KeptAsync() => Task.FromResult(Directory.EnumerateFiles(_folder["blobs"], "*", SearchOption.AllDirectories).Count());

    private IEnumerable<string> Left() => Directory.EnumerateFiles(_folder["blobs/tmp"]);
}
