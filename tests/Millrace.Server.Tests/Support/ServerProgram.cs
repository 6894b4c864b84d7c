using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Millrace.Jq;

namespace Millrace.Server.Tests.Support;

/// <summary>The server as a process of its own: with an environment of its own, counters that nobody else counts, and a log to read.</summary>
public sealed class ServerProgram : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-program-test-").FullName;
    private readonly ConcurrentQueue<string> _said = new();
    private readonly TaskCompletionSource<Uri> _serves = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Process? _process;

    public string Data => Path.Combine(_folder, "data");

    public HttpClient Http { get; } = new() { Timeout = TestServer.Patience };

    /// <summary>Lines of its standard output so far; all of them once it has stopped.</summary>
    public IReadOnlyList<string> Said => [.. _said];

    public static async Task<ServerProgram> StartAsync(string[]? options = null, params (string Name, string Value)[] environment)
    {
        var program = new ServerProgram();
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Millrace.Server.dll"), "--port", "0", "--data", program.Data, .. options ?? []])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = program._folder,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        program._process = Process.Start(start)!;
        program._process.OutputDataReceived += (_, line) => program.Hear(line.Data);
        program._process.ErrorDataReceived += (_, line) => program.Hear(line.Data);
        program._process.BeginOutputReadLine();
        program._process.BeginErrorReadLine();
        program.Http.BaseAddress = await program._serves.Task.WaitAsync(TestServer.Patience);
        return program;
    }

    /// <summary>Pushes tasks as test/<paramref name="name"/> and starts a run of it.</summary>
    public async Task<string> RunAsync(string name, string tasks, string? traceParent = null, string head = "")
    {
        using var pushed = await Http.PostAsync("/api/v1/definitions", new StringContent(TestServer.Document(name, tasks, head: head), Encoding.UTF8, "application/yaml"));
        Assert.True(pushed.IsSuccessStatusCode, await pushed.Content.ReadAsStringAsync());
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/runs")
        {
            Content = new StringContent($$"""{"definition": {"namespace": "test", "name": "{{name}}"} }""", Encoding.UTF8, "application/json"),
        };
        if (traceParent is not null) request.Headers.TryAddWithoutValidation("traceparent", traceParent);
        using var started = await Http.SendAsync(request);
        Assert.True(started.IsSuccessStatusCode, await started.Content.ReadAsStringAsync());
        return JsonText.Parse(await started.Content.ReadAsByteArrayAsync())["id"].AsString();
    }

    /// <summary>Follows the run's stream to its end.</summary>
    public async Task<string> EndAsync(string run)
    {
        await using var stream = await EventStreamReader.OpenAsync(Http, $"/api/v1/runs/{run}/stream");
        await stream.ReadToEndAsync();
        return JsonText.Parse(await Http.GetByteArrayAsync($"/api/v1/runs/{run}"))["state"].AsString();
    }

    /// <summary>Asks it to stop, as an operator does, and waits until it has.</summary>
    public async Task StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process!.Id}"]);
        await kill.WaitForExitAsync();
        using var patience = new CancellationTokenSource(TestServer.Patience);
        await _process.WaitForExitAsync(patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void Hear(string? line)
    {
        if (line is null)
        {
            _serves.TrySetException(new InvalidOperationException(string.Join('\n', _said)));
            return;
        }
        _said.Enqueue(line);
        if (line.Split("millrace serves ") is [_, var rest]) _serves.TrySetResult(new Uri(rest.Split(' ')[0]));
    }
}
