namespace Millrace.Jq.Evaluation;

/// <summary>
/// One call of a function. Frames live on the heap: a fork keeps the frame it will go on in, so a generator may return
/// and be resumed later. A slot set before a fork stays as it is until evaluation backs up past its setting.
/// </summary>
internal sealed class Frame(Json[] slots, Frame? outer, Frame? caller, Op? resume, Closure[] arguments, int depth)
{
    public static readonly Frame Empty = new([], null, null, null, [], 0);

    public readonly Json[] Slots = slots;

    /// <summary>The frame of the function this one is defined in.</summary>
    public readonly Frame? Outer = outer;

    public readonly Frame? Caller = caller;
    public readonly Op? Return = resume;
    public readonly Closure[] Arguments = arguments;

    /// <summary>Calls that wait for this one; a call in tail position adds none.</summary>
    public readonly int Depth = depth;

    public Frame Up(int hops)
    {
        var frame = this;
        for (; hops > 0; hops--) frame = frame.Outer!;
        return frame;
    }
}

/// <summary>A filter handed to a function, with the frame its names belong to.</summary>
internal readonly record struct Closure(Function Code, Frame Outer);

/// <summary>The code of a function or of a filter argument, in the two ways it can run: for values, and for paths.</summary>
internal sealed class Function
{
    public int SlotCount;
    public Op? Values;
    public Op? Paths;

    /// <summary>Set when the filter has one output at most.</summary>
    public Expression? Single;

    /// <summary>The first output alone, when that can be had without steps.</summary>
    public Expression? First;
}

/// <summary>A step of a path under construction, and the value found there.</summary>
internal sealed class PathNode(PathNode? parent, Json key, Json value)
{
    public readonly PathNode? Parent = parent;
    public readonly Json Key = key;
    public readonly Json Value = value;
    public readonly int Length = parent is null ? 0 : parent.Length + 1;

    public Json ToJson()
    {
        var keys = new Json[Length];
        for (var node = this; node.Parent is { } up; node = up) keys[node.Length - 1] = node.Key;
        return JsonArray.Own(keys, keys.Length);
    }
}
