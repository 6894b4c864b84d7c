namespace Millrace.Platform.Definitions;

/// <summary>The functions that documents may call here, by the name documents use.</summary>
public sealed record FunctionNames(IReadOnlySet<string> All)
{
    public bool Has(string name) => All.Contains(name);
}
