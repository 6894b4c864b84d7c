using System.Net;
using System.Text;
using Millrace.Cli.Api;

namespace Millrace.Cli.Tests;

/// <summary>A server at the edge of the process: answers come from a script, requests are kept.</summary>
internal sealed class FakeServer : HttpMessageHandler
{
    private readonly Queue<Func<HttpRequestMessage, HttpResponseMessage>> _answers = new();

    public List<(string Method, string Path, string? LastEventId, string? Key, string Body)> Requests { get; } = [];

    public ServerClient Client => new(new HttpClient(this, false) { BaseAddress = new Uri("http://127.0.0.1:1/") });

    public FakeServer Stream(string text, Exception? broken = null)
    {
        _answers.Enqueue(_ => Ok(new StreamContent(broken is null ? new MemoryStream(Encoding.UTF8.GetBytes(text)) : new BrokenStream(text, broken)), "text/event-stream"));
        return this;
    }

    public FakeServer Json(string body, int status = 200, string type = "application/json")
    {
        _answers.Enqueue(_ => Ok(new StringContent(body), type, status));
        return this;
    }

    public FakeServer Down(string reason = "Connection refused")
    {
        _answers.Enqueue(_ => throw new HttpRequestException(reason));
        return this;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        Requests.Add((request.Method.Method, request.RequestUri!.PathAndQuery, Header(request, "Last-Event-ID"), Header(request, "Idempotency-Key"), body));
        return _answers.TryDequeue(out var answer) ? answer(request) : throw new HttpRequestException("The script has no more answers.");
    }

    private static string? Header(HttpRequestMessage request, string name) => request.Headers.TryGetValues(name, out var values) ? values.First() : null;

    private static HttpResponseMessage Ok(HttpContent content, string type, int status = 200)
    {
        content.Headers.ContentType = new(type);
        return new HttpResponseMessage((HttpStatusCode)status) { Content = content };
    }

    /// <summary>Gives its text and then fails, as a socket does whose other end has gone.</summary>
    private sealed class BrokenStream(string text, Exception broken) : MemoryStream(Encoding.UTF8.GetBytes(text))
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Position < Length ? base.ReadAsync(buffer, cancellationToken) : ValueTask.FromException<int>(broken);
    }
}

/// <summary>Short delays are over at once and move the clock; a limit against silence never strikes.</summary>
internal sealed class HurriedTime : TimeProvider
{
    private long _ticks = new DateTimeOffset(2026, 11, 20, 12, 0, 0, TimeSpan.Zero).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    public override long GetTimestamp() => Interlocked.Read(ref _ticks);
    public override DateTimeOffset GetUtcNow() => new(GetTimestamp(), TimeSpan.Zero);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime >= TimeSpan.Zero && dueTime < TimeSpan.FromSeconds(30))
        {
            Interlocked.Add(ref _ticks, dueTime.Ticks);
            ThreadPool.QueueUserWorkItem(_ => callback(state));
        }
        return new Timer();
    }

    private sealed class Timer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;
        public void Dispose() { }
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
