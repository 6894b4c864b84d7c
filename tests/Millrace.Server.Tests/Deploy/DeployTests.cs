using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Jq;
using Millrace.Server.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace Millrace.Server.Tests.Deploy;

/// <summary>What stands in deploy/ fits the server it deploys. None of it can be started here, so it is read and checked.</summary>
public sealed partial class DeployTests(TestServer server) : IClassFixture<TestServer>
{
    private const string Operations = "docs/operations.md";

    public static TheoryData<string> YamlFiles => [.. DeployFiles.All.Where(f => f.EndsWith(".yaml", StringComparison.Ordinal))];
    public static TheoryData<string> Units => [.. DeployFiles.All.Where(f => f.EndsWith(".service", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(YamlFiles))]
    public void Every_yaml_file_parses(string file) => Assert.All(DeployFiles.Yaml(file), n => Assert.IsType<YamlMappingNode>(n));

    [Fact]
    public void Every_setting_is_one_that_the_page_on_operations_describes()
    {
        var described = Setting().Matches(DeployFiles.Text(Operations)).Select(m => m.Value).ToHashSet();
        var named = from file in DeployFiles.All.Append("tools/cluster.sh")
                    from Match match in Setting().Matches(DeployFiles.Text(file))
                    select (file, Name: match.Value);

        Assert.True(named.Select(n => n.Name).Distinct().Count() >= 14);
        Assert.All(named, n => Assert.True(described.Contains(n.Name) || n.Name.StartsWith("MILLRACE_SECRET_", StringComparison.Ordinal), $"{n.file}: {n.Name} is described nowhere"));
    }

    [Fact]
    public void Every_setting_that_the_page_describes_is_one_the_server_knows()
    {
        var options = Option().Matches(DeployFiles.Text(Operations)).Select(m => m.Groups[1].Value).ToList();

        Assert.True(options.Count >= 13, $"{options.Count}");
        Assert.All(options, option => Assert.Contains("needs a value", Assert.Throws<SettingsException>(() => ServerSettings.Parse([option], _ => null)).Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_default_that_the_page_tells_is_the_servers()
    {
        var told = Default().Matches(DeployFiles.Text(Operations)).Select(m => (Option: m.Groups[1].Value, Value: m.Groups[2].Value)).ToList();

        Assert.True(told.Count >= 9, $"{told.Count}");
        Assert.All(told, t => Assert.Equal(ServerSettings.Parse([], _ => null), ServerSettings.Parse([t.Option, t.Value], _ => null)));
    }

    /// <summary>pg_dump refuses a newer server, and what a newer pg_restore sends is refused by an older one.</summary>
    [Fact]
    public void The_image_has_the_programs_for_the_server_that_the_compose_file_runs()
    {
        var server = Postgres().Match(DeployFiles.Text("deploy/compose.yaml")).Groups[1].Value;
        Assert.Contains($"\nARG POSTGRES_MAJOR={server}\n", DeployFiles.Text("deploy/Dockerfile"), StringComparison.Ordinal);
        Assert.Contains("postgresql-client-$POSTGRES_MAJOR", DeployFiles.Text("deploy/Dockerfile"), StringComparison.Ordinal);
    }

    /// <summary>A dead worker is found after one and a half leases at the latest; half a second is left for taking its runs up.</summary>
    [Fact]
    public void Everywhere_the_runs_of_a_worker_that_died_go_on_within_ten_seconds()
    {
        var deployed = from file in DeployFiles.All.Append("tools/cluster.sh").Append("run")
                       from Match match in Lease().Matches(DeployFiles.Text(file))
                       select (File: file, Seconds: int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));

        Assert.All(deployed.Append((File: "the default", Seconds: ServerSettings.Parse([], _ => null).LeaseSeconds)), d => Assert.True(d.Seconds * 1.5 <= 9.5, $"{d.File}: {d.Seconds} s"));
    }

    [Fact]
    public async Task Every_path_that_is_asked_is_answered()
    {
        var asked = from file in DeployFiles.All.Append("tools/cluster.sh")
                    from Match match in HealthPath().Matches(DeployFiles.Text(file))
                    select match.Value;

        Assert.Superset(new HashSet<string> { "/health/live", "/health/ready", "/metrics" }, asked.ToHashSet());
        foreach (var path in asked.Distinct()) Assert.Equal((path, 200), (path, (await server.GetAsync(path)).Status));
    }

    [Fact]
    public async Task Every_metric_that_a_panel_or_an_alert_asks_for_is_measured()
    {
        await server.EndAsync(await server.StartAsync("measured", "  - a: {set: {x: 1}}"));
        var measured = (await PrometheusText.FetchAsync(server.Http)).Types;
        var names = (from file in (string[])["deploy/grafana/millrace.json", "deploy/prometheus/alerts.yaml", Operations]
                     from Match match in Metric().Matches(DeployFiles.Text(file))
                     select match.Value).Distinct().ToList();

        Assert.True(names.Count >= 30, $"{names.Count}");
        Assert.All(names, name => Assert.True(
            measured.ContainsKey(name) || measured.GetValueOrDefault(Series().Replace(name, "")) == "histogram", $"{name} is not measured"));
        var described = Metric().Matches(DeployFiles.Text(Operations)).Select(m => m.Value).ToHashSet();
        Assert.All(measured.Keys.Where(m => m.StartsWith("millrace_", StringComparison.Ordinal)), m => Assert.True(described.Contains(m), $"{m} is described nowhere"));
    }

    [Fact]
    public void The_dashboard_has_what_a_dashboard_needs_to_load()
    {
        var board = JsonText.Parse(DeployFiles.Text("deploy/grafana/millrace.json"));
        var panels = board["panels"].AsArray().ToList();
        var places = new HashSet<(int, int)>();

        Assert.Equal(("millrace", true), (board["uid"].AsString(), board["schemaVersion"].AsNumber() >= 36));
        Assert.Equal(panels.Count, panels.Select(p => p["id"].AsNumber()).Distinct().Count());
        foreach (var panel in panels)
        {
            var (place, title) = (panel["gridPos"], panel["title"].AsString());
            Assert.InRange(place["x"].AsNumber() + place["w"].AsNumber(), 1, 24);
            for (var x = 0; x < place["w"].AsNumber(); x++)
                for (var y = 0; y < place["h"].AsNumber(); y++)
                    Assert.True(places.Add(((int)place["x"].AsNumber() + x, (int)place["y"].AsNumber() + y)), $"{title} lies on another panel");
            if (panel["type"].AsString() == "row") continue;
            Assert.Equal("${datasource}", panel["datasource"]["uid"].AsString());
            var targets = panel["targets"].AsArray().ToList();
            Assert.Equal(targets.Count, targets.Select(t => t["refId"].AsString()).Distinct().Count());
            Assert.All(targets, t => Assert.Contains("job=~\"$job\"", t["expr"].AsString(), StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Each_alert_says_what_it_means_and_the_page_says_what_to_do()
    {
        var rules = ((YamlSequenceNode)DeployFiles.Yaml("deploy/prometheus/alerts.yaml").Single().At("groups", 0, "rules")!).Children;

        Assert.True(rules.Count >= 8);
        Assert.All(rules, rule =>
        {
            Assert.NotNull(rule.Scalar("expr"));
            Assert.Contains(rule.Scalar("labels", "severity"), (string[])["warning", "critical"]);
            Assert.NotNull(rule.Scalar("annotations", "summary"));
            Assert.Contains($"`{rule.Scalar("alert")}`", DeployFiles.Text(Operations), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task The_compose_file_is_one()
    {
        var (code, said) = await DeployFiles.RunAsync("docker-compose", ["-f", "deploy/compose.yaml", "config"], DeployFiles.Root,
            ("POSTGRES_PASSWORD", "a"), ("S3_ACCESS_KEY", "b"), ("S3_SECRET_KEY", "c"));
        Assert.True(code == 0, said);

        var services = DeployFiles.Yaml("deploy/compose.yaml").Single().At("services")!;
        var roles = ((YamlMappingNode)services).Children.Keys.Select(k => services.Scalar(k.ToString(), "environment", "MILLRACE_ROLE")).Where(r => r is not null).GroupBy(r => r!).ToDictionary(g => g.Key, g => g.Count());
        Assert.Equal((2, 3, 1), (roles["api"], roles["worker"], roles["scheduler"]));
        Assert.All(services.Walk().OfType<YamlMappingNode>().Where(n => n.At("ports") is not null),
            n => Assert.StartsWith("127.0.0.1:", n.Scalar("ports", 0), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_words_of_its_own_the_compose_file_starts_nothing()
    {
        var (code, said) = await DeployFiles.RunAsync("docker-compose", ["-f", "deploy/compose.yaml", "config"], DeployFiles.Root, ("POSTGRES_PASSWORD", ""));

        Assert.NotEqual(0, code);
        Assert.Contains("set it in deploy/.env", said, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Units))]
    public async Task Every_unit_is_understood_by_systemd(string file)
    {
        // It only warns of a key it does not know, so it has to be silent. The files it starts need not be on this machine.
        var folder = Directory.CreateTempSubdirectory("millrace-unit-").FullName;
        var unit = Path.Combine(folder, Path.GetFileName(file));
        await File.WriteAllTextAsync(unit, DeployFiles.Text(file).Replace("/usr/bin/dotnet", "/bin/true", StringComparison.Ordinal));

        var (code, said) = await DeployFiles.RunAsync("systemd-analyze", ["verify", "--man=no", unit], folder);

        Directory.Delete(folder, recursive: true);
        Assert.Equal((0, ""), (code, said));
    }

    [Theory]
    [MemberData(nameof(Units))]
    public void Every_unit_runs_as_nobody_in_particular_and_is_given_time_to_drain(string file)
    {
        var text = DeployFiles.Text(file);

        foreach (var line in (string[])["User=millrace", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "CapabilityBoundingSet=", "KillMode=mixed"])
            Assert.Contains($"\n{line}\n", text, StringComparison.Ordinal);
        var drain = int.Parse(Drain().Match(DeployFiles.Text("deploy/systemd/millrace.env.example")).Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.True(int.Parse(StopLimit().Match(text).Groups[1].Value, CultureInfo.InvariantCulture) > drain);
    }

    [Fact]
    public void No_file_holds_a_secret()
    {
        foreach (var file in DeployFiles.All)
            Assert.All(Secret().Matches(DeployFiles.Text(file)), m => Assert.True(Placeholder().IsMatch(m.Groups[1].Value), $"{file}: {m.Value}"));
        Assert.DoesNotContain(DeployFiles.Manifests(), m => m.Object.Scalar("kind") == "Secret");
    }

    [GeneratedRegex(@"\bMILLRACE_[A-Za-z0-9_]*[A-Za-z0-9]")]
    private static partial Regex Setting();

    [GeneratedRegex(@"^\| `(--[a-z-]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Option();

    /// <summary>A row whose last cell is one value and nothing else.</summary>
    [GeneratedRegex(@"^\| `(--[a-z-]+)` \|.*\| `([^`|]+)` \|$", RegexOptions.Multiline)]
    private static partial Regex Default();

    [GeneratedRegex(@"(?:MILLRACE_LEASE_SECONDS|--lease-seconds)[\s:=""']+(\d+)")]
    private static partial Regex Lease();

    [GeneratedRegex(@"(?<![\w.:])(/health/\w+|/metrics\b)")]
    private static partial Regex HealthPath();

    [GeneratedRegex(@"\b(millrace|http_server|dotnet)_[a-z0-9_]*[a-z0-9]\b")]
    private static partial Regex Metric();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Series();

    [GeneratedRegex(@"MILLRACE_DRAIN_SECONDS=(\d+)")]
    private static partial Regex Drain();

    [GeneratedRegex(@"image: postgres:(\d+)-")]
    private static partial Regex Postgres();

    [GeneratedRegex(@"\nTimeoutStopSec=(\d+)\n")]
    private static partial Regex StopLimit();

    [GeneratedRegex(@"(?:PASSWORD|SECRET_KEY|ACCESS_KEY)[=:][ \t]*([^\s'""]*)")]
    private static partial Regex Secret();

    [GeneratedRegex(@"^(\$.*|\?set|…|)$")]
    private static partial Regex Placeholder();
}
