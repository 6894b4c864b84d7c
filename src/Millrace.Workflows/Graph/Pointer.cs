namespace Millrace.Workflows.Graph;

/// <summary>JSON pointers (RFC 6901) as text.</summary>
public static class Pointer
{
    public static string Of(string parent, string key) => $"{parent}/{Escape(key)}";

    public static string Of(string parent, int index) => $"{parent}/{index}";

    /// <summary>The keys on the way from the root, unescaped.</summary>
    public static IEnumerable<string> Keys(string pointer) =>
        pointer.Split('/').Skip(1).Select(Unescape);

    public static string Escape(string key) =>
        key.AsSpan().ContainsAny('~', '/') ? key.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal) : key;

    public static string Unescape(string token) => token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
}
