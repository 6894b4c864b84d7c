namespace Millrace.Storage;

/// <summary>
/// Who lends a thread to work that nobody awaits. In production the thread pool; a simulation has a queue of its own, so that it
/// decides what happens next and everything can be repeated.
/// </summary>
public abstract class WorkPool
{
    public static WorkPool Threads { get; } = new ThreadWorkPool();

    /// <summary>False where everything happens on one thread: then nobody starts a thread of their own or waits for one.</summary>
    public virtual bool HasThreads => false;

    /// <param name="preferLocal">The caller is about to wait for it.</param>
    public abstract void Queue(IThreadPoolWorkItem work, bool preferLocal = false);

    private sealed class ThreadWorkPool : WorkPool
    {
        public override bool HasThreads => true;

        public override void Queue(IThreadPoolWorkItem work, bool preferLocal = false) => ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal);
    }
}
