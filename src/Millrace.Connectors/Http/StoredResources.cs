namespace Millrace.Connectors.Http;

/// <summary>Gives a text that a workspace keeps under a name; null when it keeps none.</summary>
public delegate Task<ReadOnlyMemory<byte>?> StoredResources(Guid organisation, Guid workspace, string name, CancellationToken cancel);

/// <summary>Addresses of stored resources: <c>resource:///name</c>. A relative address is relative to that, so that a proto's imports are found beside it.</summary>
public static class ResourceAddress
{
    public const string Scheme = "resource";

    /// <summary>Characters of a name.</summary>
    public const int NameMax = 200;

    private const string Start = $"{Scheme}:///";

    /// <summary>Parts of letters, digits, '.', '_' and '-', divided by '/'; none of them is '.' or '..'.</summary>
    public static bool IsName(string name) => name.Length is > 0 and <= NameMax
        && name.Split('/').All(part => part is not ("" or "." or "..") && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'));

    internal static bool Is(Uri address) => address.Scheme == Scheme;

    /// <returns>Null when the text is none.</returns>
    internal static Uri? Parse(string text) =>
        text.StartsWith(Start, StringComparison.Ordinal) && IsName(text[Start.Length..]) && Uri.TryCreate(text, UriKind.Absolute, out var address) ? address : null;

    internal static string NameOf(Uri address) => Uri.UnescapeDataString(address.AbsolutePath).TrimStart('/');
}
