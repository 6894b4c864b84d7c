namespace Millrace.Tests;

/// <summary>
/// Public conformance suites are not part of this repository. They are looked for in the folder the environment variable
/// MILLRACE_CONFORMANCE names, else in <c>shared/conformance</c> beside the repository's root.
/// </summary>
internal static class Conformance
{
    /// <param name="suite">The suite's folder, such as <c>jq</c>.</param>
    /// <returns>Its full path, or null where it is absent.</returns>
    public static string? Folder(string suite)
    {
        if (Environment.GetEnvironmentVariable("MILLRACE_CONFORMANCE") is { Length: > 0 } named) return Existing(Path.Combine(named, suite));
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at?.Parent is not null; at = at.Parent)
        {
            if (Existing(Path.Combine(at.Parent.FullName, "shared", "conformance", suite)) is { } found) return found;
        }
        return null;
    }

    /// <summary>Why a suite's tests are skipped, and where it can be had.</summary>
    public static string Skipped(string suite, string source) =>
        $"The conformance suite '{suite}' is not here. It is public: {source}. Put it into a folder '{suite}' below the one MILLRACE_CONFORMANCE names.";

    private static string? Existing(string folder) => Directory.Exists(folder) ? folder : null;
}
