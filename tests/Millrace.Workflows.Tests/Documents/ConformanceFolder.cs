namespace Millrace.Workflows.Tests.Documents;

internal static class ConformanceFolder
{
    public static string? Find(string name)
    {
        if (Environment.GetEnvironmentVariable("MILLRACE_CONFORMANCE") is { Length: > 0 } set) return Path.Combine(set, name);
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var beside = Path.Combine(at.FullName, "..", "shared", "conformance", name);
            if (Directory.Exists(beside)) return beside;
        }
        return null;
    }
}
