using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>Puts the policies that <c>use</c> names in place of the references to them, in the arguments of a call.</summary>
internal static class Authentications
{
    /// <summary>Where a call's arguments may hold an authentication.</summary>
    private static readonly string[][] Places =
    [
        ["authentication"], ["endpoint", "authentication"], ["document", "endpoint", "authentication"], ["source", "endpoint", "authentication"],
        ["proto", "endpoint", "authentication"], ["service", "authentication"], ["server", "authentication"], ["agentCard", "endpoint", "authentication"],
        ["transport", "http", "endpoint", "authentication"],
    ];

    /// <returns>The arguments, and how pointers into them map to where the text stands in the document.</returns>
    public static (Cursor Arguments, Func<string, string> Moved) Resolve(Compilation of, Cursor arguments)
    {
        var value = arguments.Value;
        var moves = new List<(string From, string To)>();
        foreach (var place in Places)
        {
            var at = place.Aggregate(arguments, (cursor, key) => cursor[key]);
            if (!at.Is(JsonKind.Object)) continue;
            if (at["use"].Is(JsonKind.String))
            {
                if (of.Find("authentications", "authentication", at["use"]) is not { } policy) continue;
                value = Replace(value, place, policy.Value);
                moves.Add((at.Pointer + "/", policy.Pointer + "/"));
                at = policy;
            }
            Check(of, at);
        }
        return (new(value, arguments.Pointer), pointer => moves.Find(m => pointer.StartsWith(m.From, StringComparison.Ordinal)) is { From: { } from } move ? string.Concat(move.To, pointer.AsSpan(from.Length)) : pointer);
    }

    /// <summary>The policy that a call's arguments hold, compiled; it cannot read what it gives itself. Null when there is none.</summary>
    public static Template? PolicyOf(Compilation of, Cursor arguments, IReadOnlyList<string> names)
    {
        foreach (var place in Places)
        {
            var at = place.Aggregate(arguments, (cursor, key) => cursor[key]);
            if (!at.Is(JsonKind.Object)) continue;
            if (at["use"].Text is { } name && of.Root["use"]["authentications"][name] is { IsAbsent: false } policy) at = policy;
            return of.Template(at, [.. names.Where(n => n != "authorization")], Place.Definition);
        }
        return null;
    }

    /// <summary>What OAuth2 needs, and secrets that the document does not list.</summary>
    public static void Check(Compilation of, Cursor policy)
    {
        foreach (var (scheme, parameters) in policy.Members)
        {
            if (scheme is "oauth2" or "oidc") OAuth2Rules.Check(of, parameters);
            if (parameters["use"] is { Text: { } secret } reference && !of.Secrets.Contains(secret))
                of.Findings.AtValue("workflow.unknown_reference", reference.Pointer,
                    $"No secret '{TextShape.Shorten(secret)}' is listed under use.secrets{of.Findings.Hint(secret, of.Secrets)}", "a name listed under use.secrets");
        }
    }

    private static Json Replace(Json value, ReadOnlySpan<string> path, Json policy) =>
        path.Length == 0 ? policy : value.AsObject().With(path[0], Replace(value[path[0]], path[1..], policy));
}
