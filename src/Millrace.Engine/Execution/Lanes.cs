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

/// <summary>Who asks for a slot.</summary>
/// <param name="Weight">The workspace's share, from 1; read when it begins to stand in line.</param>
/// <param name="Priority">Of those of one workspace, the highest goes first.</param>
internal readonly record struct SlotClaim(Guid Workspace, int Weight, int Priority);

/// <summary>The slot of one attempt at an effect. It is given back once, on whatever way out.</summary>
internal sealed class LaneSlot(RunActor actor, Lane lane)
{
    private readonly Slots _slots = actor.Worker.Lanes.Of(lane);
    private bool _isHeld;

    /// <exception cref="OperationCanceledException">Cancelled while it stood in line: it has none.</exception>
    public async ValueTask TakeAsync(CancellationToken cancel)
    {
        await _slots.TakeAsync(new SlotClaim(actor.Tenant.Workspace, actor.Worker.Limits.OfWorkspace(actor.Tenant.Workspace).Weight, actor.Limits.Plan?.Priority ?? 0), cancel);
        _isHeld = true;
    }

    public void Give()
    {
        if (!_isHeld) return;
        _isHeld = false;
        _slots.Give();
    }

    /// <summary>Waits without it: what is waited for may need slots of the same lane, and would stand in line behind whoever waits for it.</summary>
    public async ValueTask<T> WithoutAsync<T>(Func<ValueTask<T>> wait, CancellationToken cancel)
    {
        Give();
        var found = await wait();
        await TakeAsync(cancel);
        return found;
    }
}

/// <summary>
/// The slots of one lane; who comes when there is none stands in line, and goes on where it awaited, which a semaphore with a token
/// does not do. Workspaces take turns by their weights, so that the crowd of one delays another's by no more than a slot's time; within one the
/// urgent go first, else who came first. A slot that was taken is given back on every way out.
/// </summary>
internal sealed class Slots
{
    /// <summary>What a turn costs a workspace of weight 1.</summary>
    private const long Stride = 5040;

    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, Line> _lines = [];

    /// <summary>Workspaces with somebody in line, by what they have had.</summary>
    private readonly PriorityQueue<Line, long> _turns = new();

    private long _had, _came;
    private int _free;
    private int _waiting;

    public Slots(int max) => _free = Max = max;

    public int Max { get; }
    public int Used => Max - Volatile.Read(ref _free);

    /// <summary>Effects that wait for one.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <exception cref="OperationCanceledException">Cancelled while it stood in line: it has no slot.</exception>
    public ValueTask TakeAsync(SlotClaim claim, CancellationToken cancel)
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
            if (!_lines.TryGetValue(claim.Workspace, out var line))
            {
                // Who comes anew has had as much as those who are served now: it owes nothing, and nothing is owed to it.
                _lines[claim.Workspace] = line = new Line(claim.Workspace);
                _turns.Enqueue(line, _had);
            }
            line.Weight = Math.Max(1, claim.Weight);
            line.Turns.Enqueue(turn, (-claim.Priority, _came++));
        }
        return WaitAsync(turn, cancel);
    }

    public void Give()
    {
        lock (_lock)
        {
            while (_turns.TryDequeue(out var line, out var had))
            {
                // Who was cancelled has left the line without a word, and has had nothing.
                var served = false;
                while (!served && line.Turns.TryDequeue(out var turn, out _)) served = turn.TrySetResult();
                if (line.Turns.Count > 0) _turns.Enqueue(line, had + (Stride / line.Weight));
                else _lines.Remove(line.Workspace);
                if (!served) continue;
                _had = had;
                return;
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

    private sealed class Line(Guid workspace)
    {
        public Guid Workspace => workspace;
        public int Weight { get; set; } = 1;
        public PriorityQueue<TaskCompletionSource, (int, long)> Turns { get; } = new();
    }
}
