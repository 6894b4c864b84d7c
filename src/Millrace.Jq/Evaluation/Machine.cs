using System.Runtime.CompilerServices;

namespace Millrace.Jq.Evaluation;

/// <summary>
/// Runs compiled steps: the current value and frame, the forks evaluation can back up to, and what it may still use.
/// Everything lives on the heap, so how deep a filter recurses is a matter of limits and never of the thread's stack.
/// </summary>
internal sealed partial class Machine
{
    private const int ForksPerDepth = 100;

    private Fork[] _forks = new Fork[16];
    private int _forksMax;
    private int _peak;
    private Json _uncaught;

    public Json Value;
    public Frame Frame = null!;

    /// <summary>In a path expression: where <see cref="Value"/> was found.</summary>
    public PathNode? Path;

    /// <summary>In a path expression: the value is the one found at the path, not one made up since.</summary>
    public bool IsAtPath => Path is { } path && path.Value.SameReference(Value);

    public bool HasOutput;
    public Json[] Globals = [];
    public JqOptions Options = JqOptions.Default;

    public int ForkCount { get; private set; }

    public void Start(JqOptions options)
    {
        Options = options;
        var limits = options.Limits;
        _stepsLeft = limits.StepsMax;
        _bytes = 0;
        _outputBytes = 0;
        _regexTime = default;
        _bytesMax = limits.OutputBytesMax;
        _forksMax = (int)Math.Min(int.MaxValue / 2, (long)limits.DepthMax * ForksPerDepth);
    }

    /// <summary>Runs from a step to the next output.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="JqException">An error that no try caught.</exception>
    public bool Advance(Op? op)
    {
        HasOutput = false;
        while (true)
        {
            try
            {
                while (op is not null)
                {
                    if (--_stepsLeft < 0) throw StepsReached();
                    op = op.Run(this);
                }
                if (!HasOutput && _uncaught.IsSignal) break;
                return HasOutput;
            }
            catch (JqException e)
            {
                op = Raise(e.Value);
            }
        }
        var error = Signal.Of(_uncaught).Value;
        _uncaught = default;
        throw Fault.Uncaught(error);
    }

    /// <summary>Backs up to the last fork and runs to the next output.</summary>
    public bool Retry() => Advance(Backtrack());

    public ref Fork Push(Op op, Json value)
    {
        if (ForkCount == _forks.Length) Grow();
        if (ForkCount >= _peak) _peak = ForkCount + 1;
        ref var fork = ref _forks[ForkCount++];
        fork.Op = op;
        fork.Frame = Frame;
        fork.Value = value;
        fork.Path = Path;
        fork.State = null;
        return ref fork;
    }

    public void Pop() => ForkCount--;

    /// <summary>Forgets the forks made since there were that many: no more outputs are wanted from them.</summary>
    public void Cut(int count) => ForkCount = count;

    public Op? Backtrack()
    {
        if (ForkCount == 0) return null;
        ref var fork = ref _forks[ForkCount - 1];
        Frame = fork.Frame;
        Path = fork.Path;
        return fork.Op.Resume(this, ref fork);
    }

    /// <summary>What follows when an expression yields no value.</summary>
    public Op? Handle(Json value)
    {
        var signal = Signal.Of(value);
        switch (signal.Kind)
        {
            case SignalKind.Empty:
                return Backtrack();
            case SignalKind.Error:
                return Raise(signal.Value);
            default:
                Cut((int)Frame.Up(signal.Label!.Hops).Slots[signal.Label.Slot].AsNumber());
                return Backtrack();
        }
    }

    /// <summary>Backs up to the nearest try that is being evaluated.</summary>
    public Op? Raise(Json error)
    {
        while (ForkCount > 0)
        {
            ref var fork = ref _forks[ForkCount - 1];
            if (fork.Op is CatchOp handler)
            {
                Frame = fork.Frame;
                Path = fork.Path;
                var input = fork.Value;
                Pop();
                return handler.Caught(this, input, error);
            }
            // Past the end of a try, errors are none of its business: its forks go as well.
            ForkCount = fork.Op is ShieldOp ? (int)fork.Number : ForkCount - 1;
        }
        _uncaught = Signal.Error(error);
        return null;
    }

    /// <summary>Goes one key further down the path.</summary>
    public void Extend(Json key, Json value)
    {
        Charge(64);
        Path = new PathNode(Path, key, value);
    }

    public Op? Call(Function function, Op? entry, Frame outer, Closure[] arguments, Op next)
    {
        var slots = function.SlotCount == 0 ? [] : new Json[function.SlotCount];
        Charge(96 + 16 * (slots.Length + arguments.Length));
        if (next is ReturnOp)
        {
            Frame = new Frame(slots, outer, Frame.Caller, Frame.Return, arguments, Frame.Depth);
            return entry;
        }
        var depth = Frame.Depth + 1;
        if (depth > Options.Limits.DepthMax) throw DepthReached();
        Frame = new Frame(slots, outer, Frame, next, arguments, depth);
        return entry;
    }

    /// <summary>Lets go of every value, so that an idle machine keeps none alive.</summary>
    public void Clear()
    {
        Value = default;
        Frame = null!;
        Path = null;
        Globals = [];
        ForkCount = 0;
        if (_forks.Length > 1024) _forks = new Fork[16];
        else Array.Clear(_forks, 0, _peak);
        _peak = 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow()
    {
        if (ForkCount >= _forksMax) throw DepthReached();
        Array.Resize(ref _forks, _forks.Length * 2);
    }
}
