using System.Text;
using Millrace.Jq;
using Millrace.Server.Tests.Support;

namespace Millrace.Server.Tests.Telemetry;

public sealed class LogTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";

    [Fact]
    public async Task As_json_every_line_is_one_object_that_names_the_run()
    {
        await using var server = await ServerProgram.StartAsync(["--log", "json"]);
        var emits = await server.RunAsync("emits", "  - tell: {emit: {event: {with: {type: com.example.told, source: 'https://example.com'}}}}");
        Assert.Equal("completed", await server.EndAsync(emits));
        var faults = await server.RunAsync("faults", "  - fail: {raise: {error: {type: 'https://example.com/errors/odd', status: 418, title: 'a \"quoted\"\ntitle'}}}", $"00-{Trace}-b7ad6b7169203331-01");
        Assert.Equal("faulted", await server.EndAsync(faults));
        await server.StopAsync();

        var lines = server.Said.Select(line => JsonText.Parse(line)).ToList();
        Assert.All(lines, line =>
        {
            Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", line["time"].AsString());
            Assert.Contains(line["level"].AsString(), (string[])["information", "warning", "error"]);
            Assert.StartsWith("Millrace", line["category"].AsString(), StringComparison.Ordinal);
            Assert.NotEmpty(line["message"].AsString());
        });
        var told = lines.Single(l => l["type"].StringOrNull == "com.example.told");
        Assert.Equal((emits, 1), (told["run"].AsString(), (int)told["step"].AsNumber()));
        Assert.True(Guid.TryParse(told["workspace"].AsString(), out _));
        var faulted = lines.Single(l => l["run"].StringOrNull == faults);
        Assert.Equal((Trace, "/do/0/fail", 418, "test/faults:1.0.0"),
            (faulted["traceId"].AsString(), faulted["task"].AsString(), (int)faulted["status"].AsNumber(), faulted["definition"].AsString()));
        Assert.True(Guid.TryParse(faulted["workspace"].AsString(), out _));
    }

    [Fact]
    public async Task A_secret_is_in_no_line_of_a_run_that_used_it_and_failed()
    {
        const string secret = "sesame-5f1c";
        await using var service = await CallDouble.StartAsync();
        await using var server = await ServerProgram.StartAsync(["--log=json"], ("MILLRACE_SECRET_word", secret));
        var run = await server.RunAsync("secretive", $$"""
              - call: {call: http, with: {method: get, endpoint: '{{service.Base}}fails', headers: {X-Word: '${ $secrets.word }'} } }
            """, head: "use: {secrets: [word]}\n");
        Assert.Equal("faulted", await server.EndAsync(run));
        await server.StopAsync();

        Assert.Equal(secret, service.Arrived.Single().Headers["X-Word"]);
        Assert.Contains(server.Said, l => l.Contains(run, StringComparison.Ordinal));
        Assert.DoesNotContain(server.Said, l => l.Contains(secret, StringComparison.Ordinal));
    }

    /// <summary>A process that is given a secret and shows it: whole, in an error, and in two pieces of a line that is too long to be waited for.</summary>
    [Fact]
    public async Task Fault_26_a_secret_is_in_no_stream_no_metric_no_answer_no_event_no_file_and_no_line()
    {
        const string secret = "sesame-5f1c-open";
        await using var server = await ServerProgram.StartAsync(["--log=json"], ("MILLRACE_SECRET_word", secret));
        var go = Path.Combine(server.Data, "go");
        var run = await server.RunAsync("shows", $$"""
              - caught:
                  try:
                    - show:
                        run:
                          shell:
                            command: |
                              until [ -e "$GO" ]; do sleep 0.05; done
                              echo "begin $WORD end"
                              head -c 9000 /dev/zero | tr '\0' x
                              printf '%s' "$(echo "$WORD" | cut -c 1-9)"
                              sleep 0.3
                              echo "$WORD" | cut -c 10-
                              echo "failed with $WORD" >&2
                              printf 'sesa'
                              exit 3
                            environment: { WORD: '${ $secrets.word }', GO: '{{go}}' }
                  catch:
                    as: error
                    do:
                      - tell: { emit: { event: { with: { type: com.example.failed, source: 'https://example.com', data: '${ $error }' } } } }
                      - ask: { call: 'approve:1.0.0@default', with: { title: 'Go on?', show: { error: '${ $error }' }, expire: { after: PT0.1S, outcome: approve } } }
                      - fail: { raise: { error: { type: 'https://example.com/failed', status: 500, detail: '${ $error.detail }' } } }
            """, head: "use: {secrets: [word]}\n");
        using var workspace = await server.Http.GetAsync("/api/v1/stream", HttpCompletionOption.ResponseHeadersRead);
        var shown = new List<string>();
        await using (var follows = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream"))
        {
            await follows.ReadAsync();
            await File.WriteAllTextAsync(go, "");
            shown.Add(string.Join('\n', (await follows.ReadToEndAsync()).Select(m => m.Data.ToString())));
        }

        Assert.Contains("begin *** end", shown[0], StringComparison.Ordinal);
        Assert.Contains("\"***\\n", shown[0], StringComparison.Ordinal);
        Assert.Contains("failed with ***", shown[0], StringComparison.Ordinal);
        Assert.Contains("\"sesa\"", shown[0], StringComparison.Ordinal);
        foreach (var path in new[] { "", "/steps", "/steps/1", "/journal", "/waiting" }) shown.Add(await server.Http.GetStringAsync($"/api/v1/runs/{run}{path}"));
        foreach (var path in new[] { "/metrics", "/api/v1/runs", "/api/v1/system", "/api/v1/definitions", "/api/v1/events", "/api/v1/approvals" }) shown.Add(await server.Http.GetStringAsync(path));
        await server.StopAsync();
        shown.Add(await workspace.Content.ReadAsStringAsync());
        shown.AddRange(server.Said);
        foreach (var part in new[] { "5f1c", "sesame-5f", "1c-open" }) Assert.All(shown, text => Assert.DoesNotContain(part, text, StringComparison.Ordinal));
        // The database with what it freed, its log, and blobs.
        var files = await Task.WhenAll(Directory.EnumerateFiles(server.Data, "*", SearchOption.AllDirectories).Select(async file => Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file))));
        Assert.Contains(files, f => f.Contains("com.example.failed", StringComparison.Ordinal) && f.Contains("failed with ***", StringComparison.Ordinal));
        foreach (var part in new[] { "sesame-5f", "1c-open" }) Assert.All(files, text => Assert.DoesNotContain(part, text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task As_text_it_stays_what_people_read()
    {
        await using var server = await ServerProgram.StartAsync(null, ("MILLRACE_LOG", "text"));

        Assert.StartsWith("millrace serves http://127.0.0.1:", server.Said[^1], StringComparison.Ordinal);
    }
}
