using Millrace.Engine.Functions;

namespace Millrace.Engine.Execution;

/// <summary>How many effects run at once, by lane.</summary>
internal sealed class Lanes(EngineSettings settings)
{
    private readonly Slots _io = new(settings.IoMax);
    private readonly Slots _cpu = new(settings.CpuMax);
    private readonly Slots _sandbox = new(settings.SandboxMax);

    public Slots Of(Lane lane) => lane switch
    {
        Lane.Cpu => _cpu,
        Lane.Sandbox => _sandbox,
        _ => _io,
    };
}

/// <summary>
/// So many at once; who comes later stands in line. Whoever stood in line goes on where it awaited, which a semaphore with a token
/// does not. A slot must be given back on every way out.
/// </summary>
internal sealed class Slots(int max)
{
    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource> _line = new();
    private int _free = max;

    public int Free
    {
        get
        {
            lock (_lock) return _free;
        }
    }

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
        return new ValueTask(StandAsync(turn, cancel));
    }

    public void GiveBack()
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

    private static async Task StandAsync(TaskCompletionSource turn, CancellationToken cancel)
    {
        await using var _ = cancel.UnsafeRegister(static (turn, token) => ((TaskCompletionSource)turn!).TrySetCanceled(token), turn);
        await turn.Task;
    }
}
