namespace Millrace.Cli.Tests;

/// <summary>What <c>millrace resources</c> and lists of runs ask of the server.</summary>
public sealed class ResourceCommandTests : IDisposable
{
    private const string Kept = """{"name": "protos/greet.proto", "address": "resource:///protos/greet.proto", "mediaType": "text/plain", "size": 12, "updatedAt": "2026-11-20T00:00:00Z"}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-cli-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Files_are_kept_each_under_its_name()
    {
        var (proto, document) = (Path.Combine(_folder, "greet.proto"), Path.Combine(_folder, "pets.yaml"));
        await File.WriteAllTextAsync(proto, "syntax = \"proto3\";");
        await File.WriteAllTextAsync(document, "openapi: 3.0.0");
        var server = new FakeServer().Json(Kept, 201).Json(Kept.Replace("greet.proto", "pets.yaml", StringComparison.Ordinal));
        var (exit, output) = await RunAsync(server, "resources", "push", proto, document, "--under", "protos/");
        Assert.Equal((Exit.Completed, "resource:///protos/greet.proto is kept\nresource:///protos/pets.yaml is changed\n"), (exit, output.ReplaceLineEndings("\n")));
        Assert.Equal(
            [("PUT", "/api/v1/resources/protos/greet.proto", "syntax = \"proto3\";"), ("PUT", "/api/v1/resources/protos/pets.yaml", "openapi: 3.0.0")],
            server.Requests.Select(r => (r.Method, r.Path, r.Body)));
        Assert.Equal(Exit.Refused, (await RunAsync(new FakeServer(), "resources", "push", proto, document, "--name", "one")).Exit);
        Assert.Equal(Exit.Refused, (await RunAsync(new FakeServer(), "resources", "push", Path.Combine(_folder, "none"))).Exit);
    }

    [Fact]
    public async Task They_are_listed_and_removed()
    {
        var server = new FakeServer().Json($$"""{"items": [{{Kept}}], "next": null}""").Json("", 204);
        Assert.Matches("resource:///protos/greet.proto +text/plain +12", (await RunAsync(server, "resources", "list")).Out);
        Assert.Contains("kept no longer", (await RunAsync(server, "resources", "remove", "protos/greet.proto")).Out, StringComparison.Ordinal);
        Assert.Equal(("DELETE", "/api/v1/resources/protos/greet.proto"), (server.Requests[1].Method, server.Requests[1].Path));
    }

    [Theory]
    [InlineData("?children=false&limit=50", "list")]
    [InlineData("?limit=50", "list", "--children")]
    [InlineData("?parent=p&limit=50", "list", "--parent", "p")]
    [InlineData("?state=faulted&children=false&limit=50", "list", "--state", "faulted")]
    public async Task Lists_of_runs_leave_out_children_unless_they_are_asked_for(string query, params string[] args)
    {
        var server = new FakeServer().Json("""{"items": [], "next": null}""");
        Assert.Equal(Exit.Completed, (await RunAsync(server, ["runs", .. args])).Exit);
        Assert.Equal($"/api/v1/runs{query}", server.Requests[0].Path);
    }

    private static async Task<(int Exit, string Out)> RunAsync(FakeServer server, params string[] args)
    {
        var output = new StringWriter();
        var terminal = new Terminal(TextReader.Null, output, new StringWriter()) { Http = address => new HttpClient(server, false) { BaseAddress = address } };
        return (await CommandLine.RunAsync(args, terminal, CancellationToken.None), output.ToString());
    }
}
