using Millrace.Engine.Functions;

namespace Millrace.Engine.Execution;

/// <summary>How many effects run at once, by lane.</summary>
internal sealed class Lanes(EngineSettings settings)
{
    private readonly Slots _io = new(settings.IoMax);
    private readonly Slots _cpu = new(settings.CpuMax);
    private readonly Slots _sandbox = new(settings.SandboxMax);

    /// <summary>Effects that are under way or wait for a slot.</summary>
    public int Busy => _io.Used + _io.Waiting + _cpu.Used + _cpu.Waiting + _sandbox.Used + _sandbox.Waiting;

    public Slots Of(Lane lane) => lane switch
    {
        Lane.Cpu => _cpu,
        Lane.Sandbox => _sandbox,
        _ => _io,
    };
}

/// <summary>
/// The slots of one lane; who comes when there is none stands in line, and goes on where it awaited, which a semaphore with a token
/// does not do. A slot that was taken is given back on every way out.
/// </summary>
internal sealed class Slots
{
    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource> _line = new();
    private int _free;
    private int _waiting;

    public Slots(int max) => _free = Max = max;

    public int Max { get; }
    public int Used => Max - Volatile.Read(ref _free);

    /// <summary>Effects that wait for one.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <exception cref="OperationCanceledException">Cancelled while it stood in line: it has no slot.</exception>
    public ValueTask TakeAsync(CancellationToken cancel)
    {
        TaskCompletionSource turn;
        lock (_lock)
        {
            if (_free > 0)
            {
                _free--;
                return ValueTask.CompletedTask;
            }
            turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _line.Enqueue(turn);
        }
        return WaitAsync(turn, cancel);
    }

    public void Give()
    {
        lock (_lock)
        {
            // Who was cancelled has left the line without a word.
            while (_line.TryDequeue(out var turn))
            {
                if (turn.TrySetResult()) return;
            }
            _free++;
        }
    }

    private async ValueTask WaitAsync(TaskCompletionSource turn, CancellationToken cancel)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await using (cancel.UnsafeRegister(static (turn, token) => ((TaskCompletionSource)turn!).TrySetCanceled(token), turn)) await turn.Task;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
