using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Millrace.Tests.Doubles;

/// <summary>
/// What goes wrong between two machines: <c>/hang</c> never answers, <c>/stall</c> stops amid its content, <c>/huge</c> never ends, <c>/bomb</c> is small until it is
/// unpacked, <c>/abort</c> drops the connection, <c>/cut</c> drops it amid its content, <c>/headers</c> sends too many, <c>/loop</c> redirects to itself.
/// </summary>
internal sealed class TroubleDouble : ServiceDouble
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _reached = new();
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static async Task<TroubleDouble> StartAsync()
    {
        var service = new TroubleDouble();
        await service.RunAsync();
        return service;
    }

    /// <summary>Completes when a request has arrived at that path.</summary>
    public Task Reached(string path) => Signal(path).Task;

    /// <summary>Completes when a client has left a request that hangs.</summary>
    public Task Left => _left.Task;

    protected override void Map(WebApplication app)
    {
        app.Map("/hang", async (HttpContext http) =>
        {
            Signal("/hang").TrySetResult();
            await UntilGoneAsync(http);
        });
        app.MapGet("/stall", async (HttpContext http) =>
        {
            http.Response.ContentLength = 1000;
            await http.Response.WriteAsync("some");
            await http.Response.Body.FlushAsync();
            Signal("/stall").TrySetResult();
            await UntilGoneAsync(http);
        });
        app.MapGet("/huge", async (HttpContext http) =>
        {
            http.Response.ContentType = "text/plain";
            var block = new byte[64 << 10];
            while (!http.RequestAborted.IsCancellationRequested && !Stopping.IsCancellationRequested)
                await http.Response.Body.WriteAsync(block, http.RequestAborted);
        });
        app.MapGet("/large", (int bytes) => Results.Bytes(new byte[bytes], "application/octet-stream"));
        app.MapGet("/bomb", async (HttpContext http) =>
        {
            http.Response.ContentType = "text/plain";
            http.Response.Headers.ContentEncoding = "gzip";
            await using var packed = new System.IO.Compression.GZipStream(http.Response.Body, System.IO.Compression.CompressionLevel.Fastest);
            var block = new byte[64 << 10];
            for (var i = 0; i < 64; i++) await packed.WriteAsync(block);
        });
        app.MapGet("/abort", (HttpContext http) => http.Abort());
        app.MapGet("/cut", async (HttpContext http) =>
        {
            http.Response.ContentLength = 1000;
            await http.Response.WriteAsync("some");
            await http.Response.Body.FlushAsync();
            http.Abort();
        });
        app.MapGet("/headers", (HttpContext http) =>
        {
            for (var i = 0; i < 30; i++) http.Response.Headers[$"X-Long-{i}"] = new string('x', 4000);
        });
        app.MapGet("/loop", (HttpContext http) => http.Response.Redirect("/loop"));
    }

    private TaskCompletionSource Signal(string path) => _reached.GetOrAdd(path, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private async Task UntilGoneAsync(HttpContext http)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, Stopping);
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = either.Token.Register(gone.SetResult);
        await gone.Task;
        _left.TrySetResult();
    }
}
