using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Platform.Streams;
using Millrace.Server.Tests.Support;
using Millrace.Storage.Bus;

namespace Millrace.Server.Tests;

/// <summary>Followers of a log of which parts are removed.</summary>
public sealed class FollowerTests : IDisposable
{
    private readonly EventBus _bus = new();
    private readonly Broadcasts _broadcasts;
    private readonly SortedSet<long> _log = [.. Enumerable.Range(1, 10).Select(i => (long)i)];
    private readonly CancellationTokenSource _patience = new(TestServer.Patience);
    private int _reads;

    public FollowerTests() => _broadcasts = new Broadcasts(_bus, TimeProvider.System, NullLogger<Broadcasts>.Instance);

    public void Dispose() => _patience.Dispose();

    [Fact]
    public async Task What_was_removed_is_not_looked_for_again_and_again()
    {
        var ahead = Follow(after: 10);
        lock (_log) _log.RemoveWhere(p => p > 5);
        var behind = Follow(after: 3);

        Assert.Equal(("4", "5"), (await behind.ReadLineAsync(_patience.Token), await behind.ReadLineAsync(_patience.Token)));
        Add(11);
        Assert.Equal(("11", "11"), (await ahead.ReadLineAsync(_patience.Token), await behind.ReadLineAsync(_patience.Token)));
        // The broadcast at its beginning and when it was told, who is behind until it found no more; half a page is read again.
        Assert.InRange(Volatile.Read(ref _reads), 1, 10);
    }

    [Fact]
    public async Task Who_saw_what_was_removed_goes_on_with_what_comes()
    {
        var behind = Follow(after: 3);
        Assert.Equal("4", await behind.ReadLineAsync(_patience.Token));
        lock (_log) _log.Clear();
        var ahead = Follow(after: 10);
        Add(11);
        Assert.Equal("11", await ahead.ReadLineAsync(_patience.Token));
        while (await behind.ReadLineAsync(_patience.Token) != "11") { }
    }

    private StreamReader Follow(long after)
    {
        var pipe = new Pipe();
        _ = _broadcasts.FollowAsync(pipe.Writer.AsStream(), after, from => new ShortLog(this, from), _patience.Token);
        return new StreamReader(pipe.Reader.AsStream());
    }

    private void Add(long position)
    {
        lock (_log) _log.Add(position);
        _bus.Publish("short", new BusMessage(position, null!));
    }

    private sealed class ShortLog(FollowerTests test, long after) : FollowedLog(after)
    {
        public override string Topic => "short";

        public override Task<IReadOnlyList<Frame>> ReadAsync(CancellationToken cancel)
        {
            Interlocked.Increment(ref test._reads);
            List<long> page;
            lock (test._log) page = [.. test._log.Where(p => p > Position).Take(2)];
            if (page.Count > 0) Position = page[^1];
            return Task.FromResult<IReadOnlyList<Frame>>([.. page.Select(p => new Frame(p, Encoding.UTF8.GetBytes($"{p}\n")))]);
        }
    }
}
