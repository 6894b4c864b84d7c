namespace Millrace.Workflows.Documents;

/// <summary>Collects what is wrong with one document, each finding once, located in its source.</summary>
internal sealed class Findings(SourceMap map)
{
    /// <summary>Findings that are handed out at most.</summary>
    public const int Max = 100;

    private const int CollectedMax = 10 * Max;

    private readonly List<Diagnostic> _found = [];
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

    public void Add(Severity severity, string code, string pointer, string message, SourceMark at, string? expected)
    {
        if (severity == Severity.Error && code != Unsupported) _wrong.Add(pointer);
        if (_found.Count < CollectedMax && _known.Add((code, at.Line, at.Column, message)))
            _found.Add(new(severity, code, message, at.Line, at.Column, pointer, expected));
    }

    public const string Unsupported = "workflow.unsupported";

    /// <summary>True when an error (other than unsupported) was found at exactly this value; later checks leave it alone.</summary>
    public bool IsWrong(string pointer) => _wrong.Contains(pointer);

    /// <summary>True when the document cannot become a graph.</summary>
    public bool Any => _wrong.Count > 0;

    /// <summary>In the order of the text; errors before warnings where not all fit.</summary>
    public IReadOnlyList<Diagnostic> ToList() =>
        [.. _found.OrderBy(d => d.Severity).ThenBy(d => d.Line).ThenBy(d => d.Column).Take(Max).OrderBy(d => d.Line).ThenBy(d => d.Column)];
}
