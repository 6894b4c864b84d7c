using System.Text.RegularExpressions;
using Millrace.Jq;

namespace Millrace.Cli.Inputs;

/// <summary><c>namespace/name</c> or <c>namespace/name:version</c>; without a version the latest is meant.</summary>
internal sealed partial record DefinitionReference(string Namespace, string Name, string? Version)
{
    public static DefinitionReference? TryParse(string text)
    {
        var match = Pattern().Match(text);
        if (!match.Success) return null;
        var version = match.Groups["version"];
        return new DefinitionReference(match.Groups["namespace"].Value, match.Groups["name"].Value, version.Success ? version.Value : null);
    }

    /// <exception cref="UsageException">The text names no definition.</exception>
    public static DefinitionReference Parse(string text) =>
        TryParse(text) ?? throw new UsageException($"'{text}' names no definition: expected namespace/name or namespace/name:version.");

    public static DefinitionReference Of(Json id) => new(id["namespace"].StringOrNull ?? "", id["name"].StringOrNull ?? "", id["version"].StringOrNull);

    public string Path => $"api/v1/definitions/{Uri.EscapeDataString(Namespace)}/{Uri.EscapeDataString(Name)}";

    public string VersionPath => $"{Path}/versions/{Uri.EscapeDataString(Version ?? "latest")}";

    public Json ToJson()
    {
        var json = JsonObject.Empty.With("namespace", Namespace).With("name", Name);
        return Version is null ? json : json.With("version", Version);
    }

    public override string ToString() => Version is null ? $"{Namespace}/{Name}" : $"{Namespace}/{Name}:{Version}";

    [GeneratedRegex(@"^(?<namespace>[a-zA-Z0-9-]+)/(?<name>[a-zA-Z0-9-]+)(?::(?<version>[0-9A-Za-z.+-]+))?$", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
