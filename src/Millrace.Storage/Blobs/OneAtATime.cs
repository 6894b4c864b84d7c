using System.Collections.Concurrent;

namespace Millrace.Storage.Blobs;

/// <summary>
/// Whoever stores content that another is storing waits for it and then looks again: what is visible under a name may not be
/// whole or durable yet.
/// </summary>
internal sealed class OneAtATime
{
    private readonly ConcurrentDictionary<string, Task> _busy = new(StringComparer.Ordinal);

    public async Task RunAsync(BlobRef blob, Func<Task> store, CancellationToken cancel)
    {
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        while (_busy.GetOrAdd(blob.Sha256, mine.Task) is var owner && owner != mine.Task) await owner.WaitAsync(cancel);
        try
        {
            await store();
        }
        finally
        {
            _busy.TryRemove(blob.Sha256, out _);
            mine.SetResult();
        }
    }
}
