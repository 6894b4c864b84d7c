namespace Millrace.Jq.Evaluation;

/// <summary>Weighs the values reachable from what is added, each storage once; roughly, and without recursion.</summary>
internal sealed class Scale(long enough)
{
    private readonly HashSet<object> _seen = new(ReferenceEqualityComparer.Instance);
    private readonly Stack<Json> _values = new();
    private readonly Stack<Frame> _frames = new();
    private long _bytes;

    public long Visited { get; private set; }

    /// <summary>The size of the tree a value stands for, parts that are shared counted each time; stops at <paramref name="enough"/>.</summary>
    public static long Tree(Json value, long enough)
    {
        var open = new Stack<(Json Container, int At)>();
        open.Push((value, 0));
        var bytes = 16L;
        while (bytes <= enough && open.TryPop(out var level))
        {
            var items = level.Container.ArrayOrNull;
            var count = items?.Count ?? level.Container.AsObject().Count;
            for (var i = level.At; i < count && bytes <= enough; i++)
            {
                var item = items is null ? level.Container.AsObject().Members[i].Value : items[i];
                bytes += item.StringOrNull is { } text ? 24 + 2L * text.Length : 16;
                if (!item.IsArray && !item.IsObject) continue;
                open.Push((level.Container, i + 1));
                open.Push((item, 0));
                break;
            }
        }
        return bytes;
    }

    public void Add(Json value)
    {
        if (value.Internal is not null) _values.Push(value);
    }

    public void Add(Frame? frame)
    {
        if (frame is not null) _frames.Push(frame);
    }

    /// <summary>Stops early once there is <c>enough</c>.</summary>
    public long Weigh()
    {
        while (_bytes <= enough)
        {
            if (_values.TryPop(out var value)) Visit(value);
            else if (_frames.TryPop(out var frame)) Visit(frame);
            else break;
        }
        return _bytes;
    }

    private void Visit(Frame frame)
    {
        if (!_seen.Add(frame)) return;
        _bytes += 80 + 16L * frame.Slots.Length;
        Add(frame.Outer);
        Add(frame.Caller);
        foreach (var slot in frame.Slots) Add(slot);
        _bytes += 16L * frame.Arguments.Length;
        foreach (var closure in frame.Arguments) Add(closure.Outer);
    }

    private void Visit(Json value)
    {
        Visited++;
        switch (value.Internal)
        {
            case string text when _seen.Add(text):
                _bytes += 24 + 2L * text.Length;
                break;
            case JsonArray array when _seen.Add(array.Storage):
                _bytes += 32 + 16L * array.Count;
                foreach (var item in array.Span) Add(item);
                break;
            case JsonObject members when _seen.Add(members.Storage):
                _bytes += 48 + 24L * members.Count;
                foreach (var (_, member) in members.Members) Add(member);
                break;
            case Gathering gathering when _seen.Add(gathering):
                _bytes += 32 + 16L * gathering.Count;
                foreach (var item in gathering.Span) Add(item);
                break;
            case PathNode node when _seen.Add(node):
                _bytes += 64;
                Add(node.Key);
                Add(node.Value);
                if (node.Parent is not null) _values.Push(Json.OfInternal(node.Parent));
                break;
            case NumberLiteral literal:
                _bytes += 64 + 2L * literal.Text.Length;
                break;
        }
    }
}
