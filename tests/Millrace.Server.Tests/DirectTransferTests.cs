using System.Net;
using System.Security.Cryptography;
using System.Text;
using Millrace.Platform.Http;
using Millrace.Server.Tests.Support;
using Millrace.Tests.Servers;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

/// <summary>What clients fetch from the bucket and send to it by themselves, past the server.</summary>
public sealed class DirectTransferTests(S3Gate bucket) : IClassFixture<S3Gate>, IAsyncLifetime
{
    private const string Start = """{"definition": {"namespace": "test", "name": "counts"}, "upload": """;

    private readonly TestServer _server = new();
    private readonly HttpClient _client = new(new HttpClientHandler { AllowAutoRedirect = false });

    public async ValueTask InitializeAsync()
    {
        var place = bucket.NewPlace();
        _server.Settings = s => s with { Blobs = place, S3AccessKey = bucket.AccessKey, S3SecretKey = bucket.SecretKey };
        await _server.InitializeAsync();
        var pushed = await _server.PushAsync(TestServer.Document("counts", "  - count: { set: { n: '${ .items | length }' } }", head: "input: { schema: { document: { type: object, required: [items] } } }\n"));
        Assert.True(pushed.Status == 201, pushed.Text);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task An_artifact_is_fetched_from_the_bucket_by_whoever_asks_for_that()
    {
        var run = await _server.StartAsync("files", "  - keep: { call: 'artifact:1.0.0@default', with: { name: 'März.html', content: '<b>on</b>' } }");
        Assert.Equal(RunPhase.Completed, await _server.EndAsync(run));
        var href = new Uri(_server.Address, (await _server.GetAsync($"/api/v1/runs/{run}/artifacts")).Body["items"][0]["href"].AsString());

        using var redirect = await _client.GetAsync($"{href}?direct=true");
        Assert.Equal((HttpStatusCode.Found, bucket.Address.Authority), (redirect.StatusCode, redirect.Headers.Location?.Authority));
        Assert.Equal("no-store", redirect.Headers.CacheControl?.ToString());
        using var there = await _client.GetAsync(redirect.Headers.Location);
        Assert.Equal("<b>on</b>", await there.Content.ReadAsStringAsync());
        Assert.Equal(("application/octet-stream", "attachment", "März.html"),
            (there.Content.Headers.ContentType?.MediaType, there.Content.Headers.ContentDisposition?.DispositionType, there.Content.Headers.ContentDisposition?.FileNameStar));

        foreach (var address in new[] { $"{href}", $"{href}?direct=false" })
        {
            using var here = await _client.GetAsync(address);
            Assert.Equal((HttpStatusCode.OK, "<b>on</b>"), (here.StatusCode, await here.Content.ReadAsStringAsync()));
        }
    }

    [Fact]
    public async Task Where_files_are_files_whoever_asks_for_the_bucket_gets_the_bytes()
    {
        await using var files = new TestServer();
        await files.InitializeAsync();
        var run = await files.StartAsync("files", "  - keep: { call: 'artifact:1.0.0@default', with: { name: a.txt, content: on } }");
        Assert.Equal(RunPhase.Completed, await files.EndAsync(run));
        Assert.Equal((200, "on"), await files.GetAsync($"/api/v1/runs/{run}/artifacts/a.txt?direct=true") is var a ? (a.Status, a.Text) : default);
    }

    [Fact]
    public async Task A_run_is_started_with_an_input_that_no_request_holds_and_the_upload_is_gone()
    {
        var input = Encoding.UTF8.GetBytes($$"""{"items": ["{{new string('x', 17 << 20)}}", 2, 3]}""");
        var name = await UploadAsync(input);
        Assert.InRange(input.Length, RequestBody.JsonBytesMax + 1, int.MaxValue);

        var started = await _server.PostAsync("/api/v1/runs", $"{Start}{name}}}", key: "once");
        Assert.True(started.Status == 201, started.Text);
        var run = Guid.Parse(started.Body["id"].AsString());
        Assert.Equal(RunPhase.Completed, await _server.EndAsync(run));
        Assert.Equal("""{"n":3}""", (await _server.GetAsync($"/api/v1/runs/{run}/output")).Text);
        Assert.Equal(3, (await _server.GetAsync($"/api/v1/runs/{run}/input")).Body["items"].AsArray().Count);

        // What started a run is gone; the same key still finds that run.
        var again = await _server.PostAsync("/api/v1/runs", $"{Start}{name}}}", key: "once");
        Assert.Equal((200, run.ToString()), (again.Status, again.Body["id"].StringOrNull));
        Assert.Equal("404 upload.not_found", Code(await _server.PostAsync("/api/v1/runs", $"{Start}{name}}}")));
        Assert.Equal("409 run.idempotency_conflict", Code(await _server.PostAsync("/api/v1/runs", $"{Start}{await UploadAsync("{}"u8.ToArray())}}}", key: "once")));
    }

    [Fact]
    public async Task An_upload_that_is_no_input_starts_nothing_and_may_be_mended()
    {
        var before = await _server.HoldsAsync();
        Assert.Equal("400 request.malformed", Code(await _server.PostAsync("/api/v1/runs", $"{Start}{await UploadAsync("{\"items\": "u8.ToArray())}}}")));
        var misses = await UploadAsync("""{"item": []}"""u8.ToArray());
        Assert.Equal("422 run.input_invalid", Code(await _server.PostAsync("/api/v1/runs", $"{Start}{misses}}}")));
        Assert.Equal("422 run.input_invalid", Code(await _server.PostAsync("/api/v1/runs", $"{Start}{misses}}}")));
        Assert.Equal(before, await _server.HoldsAsync());
    }

    [Fact]
    public async Task An_address_takes_no_other_content_than_was_said()
    {
        var offer = (await _server.PostAsync("/api/v1/uploads", Name("{}"u8.ToArray()))).Body;
        Assert.Equal("PUT", offer["method"].AsString());
        using var refused = await _client.PutAsync(offer["href"].AsString(), new ByteArrayContent("[]"u8.ToArray()));
        Assert.False(refused.IsSuccessStatusCode);
    }

    private static string Name(byte[] content) => $$"""{"sha256": "{{Convert.ToHexStringLower(SHA256.HashData(content))}}", "size": {{content.Length}}}""";

    private static string Code(Answer answer) => $"{answer.Status} {answer.Body["code"].StringOrNull}";

    private async Task<string> UploadAsync(byte[] content)
    {
        var offer = await _server.PostAsync("/api/v1/uploads", Name(content));
        Assert.True(offer.Status == 200, offer.Text);
        using var sent = await _client.PutAsync(offer.Body["href"].AsString(), new ByteArrayContent(content));
        Assert.True(sent.IsSuccessStatusCode, await sent.Content.ReadAsStringAsync());
        return Name(content);
    }
}
