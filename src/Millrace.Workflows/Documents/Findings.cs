namespace Millrace.Workflows.Documents;

/// <summary>Collects what is wrong with one document, each finding once, located in its source.</summary>
internal sealed class Findings(SourceMap map)
{
    /// <summary>Findings that are handed out at most.</summary>
    public const int Max = 100;

    /// <summary>Kept of each severity, so that many warnings do not hide an error.</summary>
    private const int KeptMax = 3 * Max;

    private readonly List<Diagnostic> _found = [];
    private readonly int[] _counts = new int[2];
    private readonly HashSet<(string Code, int Line, int Column, string Message)> _known = [];
    private readonly HashSet<string> _wrong = new(StringComparer.Ordinal);

    public SourceMap Map => map;

    /// <summary>At the value itself.</summary>
    public void AtValue(string code, string pointer, string message, string? expected = null) =>
        Add(Severity.Error, code, pointer, message, map.Value(pointer), expected);

    /// <summary>At the key before the value.</summary>
    public void AtKey(string code, string pointer, string message, string? expected = null) =>
        Add(Severity.Error, code, pointer, message, map.Key(pointer), expected);

    public void Warn(string code, string pointer, string message, SourceMark? at = null, string? expected = null) =>
        Add(Severity.Warning, code, pointer, message, at ?? map.Value(pointer), expected);

    /// <summary>Inside a string, at an index of its value.</summary>
    public void Inside(Severity severity, string code, string pointer, string message, int offset)
    {
        // Finding the place reads the string again, so it is left out when the finding would be.
        if (_counts[(int)severity] < KeptMax) Add(severity, code, pointer, message, map.Inside(pointer, offset), null);
        else if (severity == Severity.Error) _wrong.Add(pointer);
    }

    public void Add(Severity severity, string code, string pointer, string message, SourceMark at, string? expected)
    {
        if (severity == Severity.Error && code != Unsupported) _wrong.Add(pointer);
        if (_counts[(int)severity] >= KeptMax || !_known.Add((code, at.Line, at.Column, message))) return;
        _counts[(int)severity]++;
        _found.Add(new(severity, code, message, at.Line, at.Column, pointer, expected));
    }

    /// <summary>True when no further error will be handed out.</summary>
    public bool IsFull => _counts[(int)Severity.Error] >= KeptMax;

    public const string Unsupported = "workflow.unsupported";

    /// <summary>True when an error (other than unsupported) was found at exactly this value; later checks leave it alone.</summary>
    public bool IsWrong(string pointer) => _wrong.Contains(pointer);

    /// <summary>True when the document cannot become a graph.</summary>
    public bool Any => _wrong.Count > 0;

    /// <summary>In the order of the text; errors before warnings where not all fit.</summary>
    public IReadOnlyList<Diagnostic> ToList() =>
        [.. _found.OrderBy(d => d.Severity).ThenBy(d => d.Line).ThenBy(d => d.Column).Take(Max).OrderBy(d => d.Line).ThenBy(d => d.Column)];
}
