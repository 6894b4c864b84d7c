using System.Text.RegularExpressions;

namespace Millrace.Tidy.Tests;

/// <summary>What Millrace is compared with stays installable, listed and described.</summary>
public sealed partial class PeerTests
{
    private const string Folder = "benchmarks/peers/";

    /// <summary>Every folder of the peers but the one that they share.</summary>
    private static readonly string[] Peers =
        [.. Tree.Files.Where(f => f.StartsWith(Folder, StringComparison.Ordinal) && f.Count(c => c == '/') > 2).Select(f => f.Split('/')[2]).Distinct().Where(p => p != "common")];

    [Fact]
    public void The_bench_lists_every_peer()
    {
        var list = List().Match(Tree.Text($"{Folder}peers.mjs")).Groups[1].Value;
        var listed = Name().Matches(list).Select(m => m.Groups[1].Value);
        Assert.Equal(Peers.Order(), listed.Order());
    }

    [Fact]
    public void The_readme_and_the_table_name_every_peer()
    {
        Assert.All(Peers, peer => Assert.Contains($"`{peer}`", Tree.Text($"{Folder}README.md")));
        Assert.All(Peers, peer => Assert.Contains($"\"peers.{peer.Replace('-', '_')}.\"", Tree.Text($"{Folder}common/table.mjs")));
    }

    [Fact]
    public void Every_folder_installs_exact_versions_from_a_lock_that_names_no_host()
    {
        Assert.All(Peers.Append("common"), peer =>
        {
            var lockFile = $"{Folder}{peer}/package-lock.json";
            Assert.True(Tree.Files.Contains(lockFile), $"{lockFile} is missing: npm install --omit-lockfile-registry-resolved");
            Assert.DoesNotContain("\"resolved\"", Tree.Text(lockFile));
            Assert.DoesNotMatch(Range(), Tree.Text($"{Folder}{peer}/package.json"));
        });
    }

    [GeneratedRegex(@"^const peers = \[(.*)\];$", RegexOptions.Multiline)]
    private static partial Regex List();

    [GeneratedRegex("\"([^\"]+)\"")]
    private static partial Regex Name();

    [GeneratedRegex("\": \"[~^><*]")]
    private static partial Regex Range();
}
