namespace Millrace.Workflows.Graph;

/// <summary>JSON pointers (RFC 6901) as text.</summary>
internal static class Pointer
{
    public static string Of(string parent, string key) =>
        key.AsSpan().ContainsAny('~', '/') ? $"{parent}/{key.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}" : $"{parent}/{key}";

    public static string Of(string parent, int index) => $"{parent}/{index}";

    /// <summary>The keys on the way from the root, unescaped.</summary>
    public static IEnumerable<string> Keys(string pointer) =>
        pointer.Split('/').Skip(1).Select(k => k.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal));
}
