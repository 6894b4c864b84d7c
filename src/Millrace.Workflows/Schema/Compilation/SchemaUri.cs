namespace Millrace.Workflows.Schema.Compilation;

/// <summary>
/// Resolution of references (RFC 3986 §5.2), on text: two URIs are the same when their text is. The base may be empty,
/// for a document without <c>$id</c>.
/// </summary>
internal static class SchemaUri
{
    private readonly record struct Parts(string? Scheme, string? Authority, string Path, string? Query, string? Fragment);

    public static string Resolve(string @base, string reference)
    {
        if (@base.Length == 0) return reference;
        var r = Split(reference);
        if (r.Scheme is not null) return Join(r with { Path = WithoutDots(r.Path) });
        var b = Split(@base);
        if (r.Authority is not null) return Join(r with { Scheme = b.Scheme, Path = WithoutDots(r.Path) });
        if (r.Path.Length == 0) return Join(b with { Query = r.Query ?? b.Query, Fragment = r.Fragment });
        var path = r.Path.StartsWith('/') ? r.Path : Merge(b, r.Path);
        return Join(new Parts(b.Scheme, b.Authority, WithoutDots(path), r.Query, r.Fragment));
    }

    /// <returns>The fragment is null when there is no <c>#</c>.</returns>
    public static (string Uri, string? Fragment) SplitFragment(string uri)
    {
        var hash = uri.IndexOf('#', StringComparison.Ordinal);
        return hash < 0 ? (uri, null) : (uri[..hash], uri[(hash + 1)..]);
    }

    private static Parts Split(string text)
    {
        var (rest, fragment) = SplitFragment(text);
        string? scheme = null, authority = null, query = null;
        var colon = rest.AsSpan().IndexOfAny(':', '/', '?');
        if (colon > 0 && rest[colon] == ':' && char.IsAsciiLetter(rest[0]))
        {
            scheme = rest[..colon];
            rest = rest[(colon + 1)..];
        }
        var mark = rest.IndexOf('?', StringComparison.Ordinal);
        if (mark >= 0)
        {
            query = rest[(mark + 1)..];
            rest = rest[..mark];
        }
        if (rest.StartsWith("//", StringComparison.Ordinal))
        {
            var end = rest.IndexOf('/', 2);
            if (end < 0) end = rest.Length;
            authority = rest[2..end];
            rest = rest[end..];
        }
        return new Parts(scheme, authority, rest, query, fragment);
    }

    private static string Join(Parts parts) => string.Concat(
        parts.Scheme is null ? "" : parts.Scheme + ":",
        parts.Authority is null ? "" : "//" + parts.Authority,
        parts.Path,
        (parts.Query is null ? "" : "?" + parts.Query) + (parts.Fragment is null ? "" : "#" + parts.Fragment));

    private static string Merge(Parts @base, string path)
    {
        if (@base.Authority is not null && @base.Path.Length == 0) return "/" + path;
        return string.Concat(@base.Path.AsSpan(0, @base.Path.LastIndexOf('/') + 1), path);
    }

    private static string WithoutDots(string path)
    {
        if (!path.Contains('.', StringComparison.Ordinal)) return path;
        var kept = new List<string>();
        var segments = path.Split('/');
        for (var i = 0; i < segments.Length; i++)
        {
            var isLast = i == segments.Length - 1;
            switch (segments[i])
            {
                case ".":
                    if (isLast) kept.Add("");
                    break;
                case "..":
                    // The empty segment before a leading slash stays.
                    if (kept.Count > 1 || kept.Count == 1 && kept[0].Length > 0) kept.RemoveAt(kept.Count - 1);
                    if (isLast) kept.Add("");
                    break;
                default:
                    kept.Add(segments[i]);
                    break;
            }
        }
        return string.Join('/', kept);
    }
}
