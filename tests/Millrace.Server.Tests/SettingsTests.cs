using Millrace.Platform.Definitions;

namespace Millrace.Server.Tests;

public sealed class SettingsTests
{
    private static ServerSettings Parse(string[] args, params (string, string)[] variables) =>
        ServerSettings.Parse(args, name => variables.FirstOrDefault(v => v.Item1 == name).Item2);

    [Fact]
    public void Without_settings_it_serves_on_8000_with_the_folder_data()
    {
        var settings = Parse([]);

        Assert.Equal((8000, Path.GetFullPath("data")), (settings.Port, settings.Data));
    }

    [Fact]
    public void An_option_wins_over_a_variable() =>
        Assert.Equal((81, "/v"), Parse(["--port", "81"], ("MILLRACE_PORT", "82"), ("MILLRACE_DATA", "/v")) is var s ? (s.Port, s.Data) : default);

    [Theory]
    [InlineData("--host=0.0.0.0")]
    [InlineData("--host=192.168.1.5")]
    [InlineData("--host=example.com")]
    [InlineData("--host=::")]
    public void An_address_others_can_reach_is_refused_and_says_why(string argument) =>
        Assert.Contains("no login", Assert.Throws<SettingsException>(() => Parse([argument])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("http://0.0.0.0:80")]
    [InlineData("http://*:80")]
    [InlineData("http://127.0.0.1:80;http://+:81")]
    public void An_address_from_the_frameworks_own_variables_is_refused_too(string urls) =>
        Assert.Contains("no login", Assert.Throws<SettingsException>(() => Parse([], ("ASPNETCORE_URLS", urls))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("--host=127.0.0.1")]
    [InlineData("--host=localhost")]
    [InlineData("--host=[::1]")]
    public void An_address_of_this_machine_is_taken(string argument) => Assert.Equal(8000, Parse([argument]).Port);

    [Fact]
    public void Roles_lanes_and_times_of_a_cluster_are_read()
    {
        var settings = Parse(["--role=api, worker", "--lanes=io=5,sandbox=2", "--lease-seconds=7"], ("MILLRACE_DATABASE", "postgres://host/name"), ("MILLRACE_DRAIN_SECONDS", "0"));

        Assert.Equal((Roles.Api | Roles.Worker, 7, 0), (settings.Roles, settings.LeaseSeconds, settings.DrainSeconds));
        Assert.Equal((5, 2, Math.Max(2, Environment.ProcessorCount)), (settings.Lanes!.Io, settings.Lanes.Sandbox, settings.Lanes.Cpu));
    }

    [Theory]
    [InlineData("--role=worker", "needs a database that others can use")]
    [InlineData("--role=chief", "is no role")]
    [InlineData("--lanes=io=0", "is no lane")]
    [InlineData("--lanes=disk=3", "is no lane")]
    [InlineData("--lease-seconds=0", "is no lease-seconds")]
    [InlineData("--drain-seconds=1.5", "is no drain-seconds")]
    [InlineData("--prot=80", "is no setting")]
    [InlineData("--port=-1", "is no port")]
    [InlineData("--port=65536", "is no port")]
    [InlineData("--port", "needs a value")]
    [InlineData("--web=/no/such/folder", "There is no folder")]
    [InlineData("--authorities=/no/such/file", "cannot be read")]
    [InlineData("--authorities=/etc/passwd", "holds no certificate")]
    public void A_wrong_setting_is_refused_by_name(string argument, string said) =>
        Assert.Contains(said, Assert.Throws<SettingsException>(() => Parse([argument])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("1.0.0-alpha", "1.0.0-alpha.1")]
    [InlineData("1.0.0-alpha.1", "1.0.0-alpha.beta")]
    [InlineData("1.0.0-alpha.beta", "1.0.0-beta")]
    [InlineData("1.0.0-beta", "1.0.0-beta.2")]
    [InlineData("1.0.0-beta.2", "1.0.0-beta.11")]
    [InlineData("1.0.0-beta.11", "1.0.0-rc.1")]
    [InlineData("1.0.0-rc.1", "1.0.0")]
    [InlineData("1.9.0", "1.10.0")]
    [InlineData("2.0.0", "10.0.0")]
    [InlineData("1.0.0-alpha.beta", "1.0.0-alpha-x")]
    public void Versions_sort_by_precedence(string lower, string higher) =>
        Assert.True(string.CompareOrdinal(SemanticVersion.Precedence(lower), SemanticVersion.Precedence(higher)) < 0);
}
