using System.Text.RegularExpressions;

namespace Millrace.Tidy.Tests;

/// <summary>Where things stand, and what may use what.</summary>
public sealed partial class HouseTests
{
    /// <summary>What each project may refer to. A project exists only for a dependency that must be kept out of the others, or for a deployable.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Millrace.Jq"] = [],
        ["Millrace.Workflows"] = ["Millrace.Jq"],
        ["Millrace.Storage"] = [],
        ["Millrace.Engine"] = ["Millrace.Workflows", "Millrace.Storage"],
        ["Millrace.Connectors"] = ["Millrace.Engine"],
        ["Millrace.Platform"] = ["Millrace.Engine", "Millrace.Connectors"],
        ["Millrace.Server"] = ["Millrace.Platform"],
        ["Millrace.Testing"] = ["Millrace.Engine", "Millrace.Connectors"],
        ["Millrace.Cli"] = ["Millrace.Jq", "Millrace.Testing"],
    };

    private static readonly string[] Root =
    [
        ".ci", ".editorconfig", ".gitignore", "Directory.Build.props", "Directory.Packages.props", "Millrace.slnx", "README.md", "CHANGELOG.md", "LICENSE",
        "bench", "benchmarks", "db", "deploy", "docs", "global.json", "lint", "millrace", "run", "samples", "src", "test", "tests", "tools", "web",
    ];

    [Fact]
    public void Projects_point_only_to_what_they_may_use()
    {
        foreach (var project in Tree.Files.Where(f => f.StartsWith("src/", StringComparison.Ordinal) && f.EndsWith(".csproj", StringComparison.Ordinal)))
        {
            var name = Path.GetFileNameWithoutExtension(project);
            Assert.True(Arrows.ContainsKey(name), $"{name} is not on the map; see docs/architecture.md");
            var uses = Reference().Matches(Tree.Text(project)).Select(m => m.Groups[1].Value);
            Assert.All(uses, used => Assert.True(Arrows[name].Contains(used), $"{name} must not use {used}"));
        }
    }

    [Fact]
    public void Database_clients_are_named_only_in_storage()
    {
        var offenders = Tree.Sources("src/").Where(f => !f.StartsWith("src/Millrace.Storage/", StringComparison.Ordinal))
            .Where(f => Client().IsMatch(Tree.Text(f)));
        Assert.Empty(offenders);
    }

    [Fact]
    public void Statements_stand_only_in_stores()
    {
        var offenders = Tree.Sources("src/").Where(f => !f.StartsWith("src/Millrace.Storage/", StringComparison.Ordinal) && !f.EndsWith("Store.cs", StringComparison.Ordinal))
            .Where(f => Statement().IsMatch(Tree.Text(f)));
        Assert.Empty(offenders);
    }

    [Fact]
    public void The_root_holds_only_what_belongs_there()
    {
        var found = Tree.Files.Select(f => f.Split('/')[0]).Distinct();
        Assert.Empty(found.Except(Root));
    }

    [Fact]
    public void Migrations_are_numbered_without_gaps()
    {
        var numbers = Tree.Files.Where(f => f.StartsWith("db/migrations/sqlite/", StringComparison.Ordinal))
            .Select(f => int.Parse(Path.GetFileName(f)[..4], System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(Enumerable.Range(1, numbers.Count), numbers);
    }

    /// <summary>A build of either shape can then work beside a newer one in the same cases.</summary>
    [Fact]
    public void Both_databases_have_the_same_migrations_and_say_the_same_of_older_builds()
    {
        static List<string> Of(string database) => [.. Tree.Files.Where(f => f.StartsWith($"db/migrations/{database}/", StringComparison.Ordinal))
            .Select(f => $"{Path.GetFileName(f)}: {string.Join(' ', Tree.Lines(f).Where(l => l.Contains("compatible", StringComparison.OrdinalIgnoreCase)))}")];
        Assert.Equal(Of("sqlite"), Of("postgres"));
    }

    [Fact]
    public void No_text_names_a_registry_or_a_place_on_a_machine()
    {
        var offenders = Tree.Files.Where(f => !f.StartsWith("tests/Millrace.Tidy.Tests/", StringComparison.Ordinal) && !Binary().IsMatch(f))
            .Where(f => Place().IsMatch(Tree.Text(f)));
        Assert.Empty(offenders);
    }

    [Fact]
    public void Nothing_is_left_half_done()
    {
        var offenders = Tree.Files.Where(f => Code().IsMatch(f) && !f.StartsWith("tests/Millrace.Tidy.Tests/", StringComparison.Ordinal))
            .Where(f => Mark().IsMatch(Tree.Text(f)));
        Assert.Empty(offenders);
    }

    [GeneratedRegex(@"<ProjectReference Include=""[^""]*/(Millrace\.\w+)\.csproj""")]
    private static partial Regex Reference();

    [GeneratedRegex(@"\b(SQLitePCL|Npgsql|StackExchange\.Redis|Amazon\.S3)\b")]
    private static partial Regex Client();

    [GeneratedRegex(@"""\s*(select \S.* from |insert into |update \w+ set |delete from )", RegexOptions.IgnoreCase)]
    private static partial Regex Statement();

    [GeneratedRegex(@"\.(png|ico|woff2?)$")]
    private static partial Regex Binary();

    [GeneratedRegex(@"registry\.npmjs|api\.nuget\.org|/work/(main|wt|shared)|/root/")]
    private static partial Regex Place();

    [GeneratedRegex(@"\.(cs|ts|tsx|mjs)$")]
    private static partial Regex Code();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException")]
    private static partial Regex Mark();
}
