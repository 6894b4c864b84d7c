namespace Millrace.Connectors.Http;

/// <summary>A time limit that can be told apart from the caller's own cancellation.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;
    private readonly CancellationToken _outer;
    private readonly TimeProvider _time;

    public Deadline(TimeSpan limit, TimeProvider time, CancellationToken outer)
    {
        Limit = limit;
        _time = time;
        _outer = outer;
        _timer = new CancellationTokenSource(limit, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, outer);
    }

    public TimeSpan Limit { get; }

    public CancellationToken Token => _either.Token;

    /// <summary>The caller gave up.</summary>
    public bool Cancelled => _outer.IsCancellationRequested;

    /// <summary>The time is over.</summary>
    public bool Expired => _timer.IsCancellationRequested;

    /// <summary>A shorter limit inside this one.</summary>
    public Deadline Within(TimeSpan limit) => new(limit, _time, Token);

    public void Dispose()
    {
        _either.Dispose();
        _timer.Dispose();
    }
}
