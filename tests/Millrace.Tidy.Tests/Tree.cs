namespace Millrace.Tidy.Tests;

/// <summary>The repository's own files, as paths from its root with slashes.</summary>
internal static class Tree
{
    private static readonly string[] Generated = ["bin", "obj", "node_modules", "dist", ".git", "data", "TestResults", "test-results", "playwright-report"];

    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<string> Files { get; } = [.. Walk(Root).Select(f => Path.GetRelativePath(Root, f).Replace('\\', '/')).Order(StringComparer.Ordinal)];

    public static IEnumerable<string> Sources(string under = "") => Files.Where(f => f.StartsWith(under, StringComparison.Ordinal) && f.EndsWith(".cs", StringComparison.Ordinal));

    public static string Text(string file) => File.ReadAllText(Path.Combine(Root, file));

    public static string[] Lines(string file) => File.ReadAllLines(Path.Combine(Root, file));

    private static IEnumerable<string> Walk(string folder)
    {
        // In a linked worktree .git is a file.
        foreach (var file in Directory.EnumerateFiles(folder).Where(f => Path.GetFileName(f) != ".git")) yield return file;
        foreach (var inner in Directory.EnumerateDirectories(folder).Where(d => !Generated.Contains(Path.GetFileName(d))))
            foreach (var file in Walk(inner)) yield return file;
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Millrace.slnx"))) return folder.FullName;
        throw new InvalidOperationException("The tests run outside the repository.");
    }
}
