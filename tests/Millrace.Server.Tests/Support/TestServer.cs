using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests.Support;

/// <summary>What came back: the status and the body as JSON, when it is JSON.</summary>
public sealed record Answer(int Status, Json Body, string Text, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders);

/// <summary>The real server on a temporary folder and a free port, spoken to over HTTP.</summary>
public class TestServer : IAsyncLifetime
{
    /// <summary>No test waits longer than this for anything.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-server-test-").FullName;
    private MillraceServer? _server;

    public GateFunction Gate { get; } = new();
    public HttpClient Http { get; private set; } = new();
    public Uri Address => _server!.Address;
    public string Folder => _folder;
    public IServiceProvider Services => _server!.Services;
    public DurableEngine Engine => Services.GetRequiredService<DurableEngine>();
    public Database Database => Services.GetRequiredService<Database>();

    /// <summary>Set before the start to change how the server is made.</summary>
    public Func<ServerSettings, ServerSettings> Settings { get; set; } = s => s;

    public virtual async ValueTask InitializeAsync()
    {
        var settings = Settings(new ServerSettings(0, Path.Combine(_folder, "data"), null));
        _server = await MillraceServer.StartAsync(settings, new ServerParts { Functions = [Gate, new LackingFunction()] });
        Http = new HttpClient { BaseAddress = Address, Timeout = Patience };
    }

    public async Task RestartAsync()
    {
        Http.Dispose();
        await _server!.DisposeAsync();
        await InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_server is not null) await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using var response = await Http.SendAsync(request);
        var bytes = await response.Content.ReadAsByteArrayAsync();
        var isJson = response.Content.Headers.ContentType?.MediaType is "application/json" or "application/problem+json";
        return new Answer((int)response.StatusCode, isJson && bytes.Length > 0 ? JsonText.Parse(bytes) : Json.Null, Encoding.UTF8.GetString(bytes), response.Headers, response.Content.Headers);
    }

    public Task<Answer> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    public Task<Answer> PostAsync(string path, string body, string type = "application/json", string? key = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, type) };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        return SendAsync(request);
    }

    public Task<Answer> PushAsync(string document) => PostAsync("/api/v1/definitions", document, "application/yaml");

    /// <summary>Pushes tasks as test/<paramref name="name"/> and starts a run of it.</summary>
    public async Task<Guid> StartAsync(string name, string tasks, string input = "{}")
    {
        var pushed = await PushAsync(Document(name, tasks));
        Assert.True(pushed.Status is 200 or 201, pushed.Text);
        var started = await PostAsync("/api/v1/runs", $$"""{"definition": {"namespace": "test", "name": "{{name}}"}, "input": {{input}}}""");
        Assert.True(started.Status == 201, started.Text);
        return Guid.Parse(started.Body["id"].AsString());
    }

    public Task<RunPhase> EndAsync(Guid run) => Engine.EndAsync(Tenant.Default, run).WaitAsync(Patience);

    public static string Document(string name, string tasks, string version = "1.0.0", string head = "") =>
        $"document: {{dsl: '1.0.3', namespace: test, name: {name}, version: '{version}'}}\n{head}do:\n{tasks}\n";

    /// <summary>How much the database holds: what a refused request must leave as it was.</summary>
    public Task<string> HoldsAsync() => Database.ReadAsync(db => string.Join(' ', new[]
    {
        db.First("select 'definitions ' || count(*) from definition_version", r => r.Text(0), ""),
        db.First("select 'runs ' || count(*) || ' at ' || coalesce(max(updated_at), 0) from run", r => r.Text(0), ""),
        db.First("select 'journal ' || coalesce(max(position), 0) from journal", r => r.Text(0), ""),
        db.First("select 'signals ' || count(*) from signal", r => r.Text(0), ""),
        db.First("select 'keys ' || count(*) from start_key", r => r.Text(0), ""),
        db.First("select 'events ' || count(*) from event", r => r.Text(0), ""),
        db.First("select 'artifacts ' || count(*) from artifact", r => r.Text(0), ""),
    }));
}
