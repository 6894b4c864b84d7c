using Millrace.Jq;

namespace Millrace.Workflows.Tests.Schema;

/// <summary>The official suite, which lies beside the repository and is never part of it.</summary>
internal static class SuiteFolder
{
    public const string Absent =
        "The JSON Schema suite is not here: put json-schema-org/JSON-Schema-Test-Suite into a folder 'json-schema' and name its parent in MILLRACE_CONFORMANCE.";

    private static readonly Lazy<string?> Found = new(Find);

    private static readonly Lazy<Dictionary<string, Json>> RemoteDocuments = new(ReadRemotes);

    public static bool IsPresent => Found.Value is not null;

    /// <summary>Paths below draft2020-12, of the files right in that folder.</summary>
    public static IEnumerable<string> Files(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Tests, folder), "*.json").Order(StringComparer.Ordinal).Select(f => Path.GetRelativePath(Tests, f));

    public static JsonArray Groups(string file) => JsonText.Parse(File.ReadAllBytes(Path.Combine(Tests, file))).AsArray();

    /// <summary>The documents the suite serves at localhost:1234.</summary>
    public static IReadOnlyDictionary<string, Json> Remotes => RemoteDocuments.Value;

    private static string Tests => Path.Combine(Found.Value!, "tests", "draft2020-12");

    private static string? Find()
    {
        var named = Environment.GetEnvironmentVariable("MILLRACE_CONFORMANCE");
        var root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "Millrace.slnx"))) root = Path.GetDirectoryName(root);
        var shared = named ?? (root is null ? null : Path.Combine(root, "..", "shared", "conformance"));
        if (shared is null) return null;
        var folder = Path.Combine(shared, "json-schema");
        return Directory.Exists(folder) ? folder : null;
    }

    private static Dictionary<string, Json> ReadRemotes()
    {
        var folder = Path.Combine(Found.Value!, "remotes");
        return Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories).ToDictionary(
            file => "http://localhost:1234/" + Path.GetRelativePath(folder, file).Replace('\\', '/'),
            file => JsonText.Parse(File.ReadAllBytes(file)));
    }
}
