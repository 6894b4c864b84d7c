using System.Globalization;
using System.Text;

namespace Millrace.Workflows.Schema.Keywords;

/// <summary>One step of a JSON pointer: a name, or a position; default is no step.</summary>
internal readonly record struct SchemaStep(string? Name, int Position)
{
    public bool IsNone => Name is null && Position == 0;

    public static implicit operator SchemaStep(string name) => new(name, 0);

    // Positions are kept from 1, so that default stays free.
    public static implicit operator SchemaStep(int position) => new(null, position + 1);

    public string Unexpected => Name is null ? "unexpected item" : $"unexpected property '{Name}'";

    public void AppendTo(StringBuilder pointer)
    {
        pointer.Append('/');
        if (Name is null) pointer.Append(CultureInfo.InvariantCulture, $"{Position - 1}");
        else pointer.Append(Graph.Pointer.Escape(Name));
    }
}

/// <summary>Where a collecting walk is.</summary>
internal sealed class SchemaPath
{
    private readonly List<SchemaStep> _steps = [];
    private readonly List<string> _keywords = [];

    /// <summary>The keyword entered last.</summary>
    public string Keyword => _keywords.Count == 0 ? "false" : _keywords[^1];

    public int Push(SchemaStep step)
    {
        _steps.Add(step);
        return _steps.Count - 1;
    }

    public int Push(string keyword, SchemaStep below)
    {
        var mark = Push(keyword);
        _keywords.Add(keyword);
        if (!below.IsNone) _steps.Add(below);
        return mark;
    }

    public void TakeBack(int mark)
    {
        _steps.RemoveRange(mark, _steps.Count - mark);
        if (_keywords.Count > 0) _keywords.RemoveAt(_keywords.Count - 1);
    }

    public override string ToString()
    {
        var pointer = new StringBuilder();
        foreach (var step in _steps) step.AppendTo(pointer);
        return pointer.ToString();
    }
}
