using Millrace.Jq;

namespace Millrace.Workflows.Documents;

/// <summary>Something outside of a document that it is compiled with: a function of a catalog, a schema.</summary>
/// <param name="Address">An absolute URI: http, https, file, or resource for what the workspace keeps.</param>
/// <param name="Pointer">Where the document names it first.</param>
/// <param name="Authentication">How to authenticate there, as the document says it; null for nothing.</param>
/// <param name="Secrets">Names the document lists under <c>use.secrets</c>.</param>
public sealed record ImportNeed(string Address, string Pointer, Json Authentication, IReadOnlyCollection<string> Secrets);

/// <summary>What was found there: a text, or why there is none.</summary>
public sealed record Imported(string Address, string? Text, string? Failure = null)
{
    /// <summary>Texts that one document is compiled with at most, and bytes of each.</summary>
    public const int CountMax = 64, BytesMax = 256 << 10;
}

/// <summary>The imports of one compilation: those that are there, and those that are still to be fetched.</summary>
internal sealed class Imports(IReadOnlyDictionary<string, Imported>? known)
{
    private readonly Dictionary<string, ImportNeed> _missing = new(StringComparer.Ordinal);

    public IReadOnlyList<ImportNeed> Missing => [.. _missing.Values];

    /// <param name="at">Where the document names it.</param>
    /// <returns>Null when it is not there, which is reported.</returns>
    public string? Text(Compilation of, Cursor at, string what, string address, Json authentication)
    {
        if (known?.TryGetValue(address, out var imported) == true)
        {
            if (imported.Failure is { } failure) of.Findings.AtValue("workflow.import_failed", at.Pointer, $"{what} cannot be read from {TextShape.Shorten(address)}: {failure}");
            return imported.Text;
        }
        _missing.TryAdd(address, new(address, of.Prefix + at.Pointer, authentication, of.Secrets));
        of.Findings.AtValue(Findings.Unsupported, at.Pointer, $"{what} is fetched from {TextShape.Shorten(address)} when the document is pushed; it cannot be executed without.");
        return null;
    }

    /// <summary>The constant address and the authentication of an endpoint; null when it is none, which is reported.</summary>
    public static (string Address, Json Authentication)? Endpoint(Compilation of, Cursor endpoint)
    {
        var uri = endpoint.Is(JsonKind.String) ? endpoint : endpoint["uri"];
        if (uri.Text is not { } text || of.Findings.IsWrong(uri.Pointer)) return null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https" or "file" or "resource") || text.Contains('{'))
        {
            of.Findings.AtValue("workflow.bad_value", uri.Pointer, "What a document is compiled with stands at one address, known before any run.", "a constant URI with http, https, file or resource");
            return null;
        }
        if (address.UserInfo.Length > 0)
        {
            of.Findings.AtValue("workflow.bad_value", uri.Pointer, "Credentials do not belong into an address.", "authentication.basic");
            return null;
        }
        return (text, Policy(of, endpoint["authentication"]));
    }

    private static Json Policy(Compilation of, Cursor authentication)
    {
        if (!authentication.Is(JsonKind.Object)) return Json.Null;
        if (authentication["use"].Is(JsonKind.String))
        {
            if (of.Find("authentications", "authentication", authentication["use"]) is not { } found) return Json.Null;
            authentication = found;
        }
        Authentications.Check(of, authentication);
        if (authentication.Value.ToString().Contains("${", StringComparison.Ordinal))
            of.Findings.AtValue("workflow.bad_value", authentication.Pointer, "This is needed before any run, so it cannot hold expressions.", "constants, or use: the name of a secret");
        return authentication.Value;
    }
}
