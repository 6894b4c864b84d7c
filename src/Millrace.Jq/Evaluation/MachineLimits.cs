using System.Runtime.CompilerServices;

namespace Millrace.Jq.Evaluation;

internal sealed partial class Machine
{
    /// <summary>Copying that many bytes counts as one step.</summary>
    private const int BytesPerStep = 256;

    /// <summary>With so little built, an output cannot stand for a tree much larger than the input.</summary>
    private const int PlainBytes = 1_024;

    private long _stepsLeft;
    private long _bytes;
    private long _bytesMax;
    private long _outputBytes;
    private TimeSpan _regexTime;

    /// <summary>Counts work done inside one step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Spend(long steps)
    {
        _stepsLeft -= steps;
        if (_stepsLeft < 0) throw StepsReached();
    }

    /// <summary>Counts memory taken by a new value; call before taking it when it may be large.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Charge(long bytes)
    {
        _bytes += bytes;
        if (_bytes > _bytesMax) Weigh(bytes);
    }

    /// <summary>Counts memory, and the time it takes to fill it.</summary>
    public void ChargeCopy(long bytes)
    {
        Charge(bytes);
        Spend(bytes / BytesPerStep);
    }

    public void ChargeItems(long count) => ChargeCopy(24 + count * 16);

    public void ChargeText(long length) => ChargeCopy(24 + length * 2);

    /// <summary>
    /// Everything built so far would be too much, but most of it may be garbage: weigh what is still reachable, and go on
    /// from there. The walk costs steps, so it cannot be repeated forever.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Weigh(long latest)
    {
        if (latest > _bytesMax) throw OutputReached();
        var scale = new Scale(_bytesMax);
        scale.Add(Value);
        scale.Add(Frame);
        if (Path is not null) scale.Add(Json.OfInternal(Path));
        foreach (ref readonly var fork in _forks.AsSpan(0, ForkCount))
        {
            scale.Add(fork.Value);
            scale.Add(fork.Frame);
            if (fork.Path is not null) scale.Add(Json.OfInternal(fork.Path));
            if (fork.State is not null) scale.Add(Json.OfInternal(fork.State));
        }
        var alive = scale.Weigh();
        Spend(scale.Visited / 8);
        _bytes = alive + latest;
        // Room for a sixteenth at least, or the walk would come round too often.
        if (_bytes > _bytesMax - _bytesMax / 16) throw OutputReached();
    }

    /// <summary>The longest text worth writing.</summary>
    public int BytesMax => (int)Math.Min(_bytesMax, int.MaxValue / 2);

    /// <summary>
    /// Counts an output handed out. A value that shares parts is small here and grows beyond measure where it is written
    /// out, so what was built in more than a few steps is counted as the tree it stands for.
    /// </summary>
    public void CountOutput(Json value)
    {
        if (!value.IsArray && !value.IsObject || _bytes <= PlainBytes) _outputBytes += 16;
        else _outputBytes += Scale.Tree(value, _bytesMax - _outputBytes);
        if (_outputBytes > _bytesMax) throw OutputReached();
    }

    /// <summary>Counts time spent on slow matches; all of them together have as long as one.</summary>
    public void SpendRegex(TimeSpan elapsed)
    {
        _regexTime += elapsed;
        if (_regexTime > Options.Limits.RegexTimeout) throw RegexReached(Options.Limits);
    }

    public static JqLimitException RegexReached(JqLimits limits) =>
        new("jq.limit.regex", $"The filter was stopped after {limits.RegexTimeout.TotalMilliseconds} ms of matching regular expressions.");

    private JqLimitException StepsReached() =>
        new("jq.limit.steps", $"The filter was stopped after {Options.Limits.StepsMax} steps.");

    private JqLimitException DepthReached() =>
        new("jq.limit.depth", $"The filter was stopped at {Options.Limits.DepthMax} nested calls.");

    private JqLimitException OutputReached() =>
        new("jq.limit.output", $"The filter was stopped when its values took more than {_bytesMax} bytes.");
}
