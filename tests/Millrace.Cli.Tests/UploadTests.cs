using Millrace.Jq;
using Millrace.Server;
using Millrace.Tests.Servers;

namespace Millrace.Cli.Tests;

/// <summary>An input that no request may hold, given to a server with a bucket and to one without.</summary>
public sealed class UploadTests(S3Gate bucket) : IClassFixture<S3Gate>, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-cli-upload-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_large_input_goes_to_the_bucket_where_there_is_one(bool has)
    {
        var settings = new ServerSettings(0, Path.Combine(_folder, "data"), null);
        if (has) settings = settings with { Blobs = bucket.NewPlace(), S3AccessKey = bucket.AccessKey, S3SecretKey = bucket.SecretKey };
        await using var server = await MillraceServer.StartAsync(settings);
        var (file, input) = (Path.Combine(_folder, "large.yaml"), Path.Combine(_folder, "large.json"));
        await File.WriteAllTextAsync(file, "document: {dsl: '1.0.3', namespace: test, name: large, version: '1.0.0'}\ndo:\n  - count: { set: { n: '${ .text | length }' } }\n");
        await File.WriteAllTextAsync(input, $$"""{"text": "{{new string('x', 17 << 20)}}"}""");

        var (output, error) = (new StringWriter(), new StringWriter());
        using var patience = new CancellationTokenSource(Patience);
        var exit = await CommandLine.RunAsync(["run", file, "--input", $"@{input}", "--json", "--server", $"{server.Address}"], new Terminal(TextReader.Null, output, error), patience.Token);
        if (has) Assert.Equal((Exit.Completed, $"{17 << 20}"), (exit, JsonText.Parse(output.ToString())["output"]["n"].ToString()));
        else Assert.Equal((Exit.Refused, "upload.not_offered"), (exit, JsonText.Parse(error.ToString())["code"].StringOrNull));
    }
}
