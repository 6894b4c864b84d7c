using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Millrace.Platform.Http;
using Millrace.Platform.Status;

namespace Millrace.Platform.Streams;

/// <summary>
/// Writes one follower's stream: what it missed from the log, then what the broadcast brings, a heartbeat when nothing
/// does, and the end. A follower that cannot keep up is served from the log again; nothing waits for it.
/// </summary>
internal sealed class EventStream(Broadcasts broadcasts, TimeProvider time, IHostApplicationLifetime lifetime)
{
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(15);

    /// <summary>Where the follower wants to go on: <c>Last-Event-ID</c>, else <c>?after=</c>, else null.</summary>
    /// <exception cref="Problem">It is no position.</exception>
    public static long? After(HttpRequest request)
    {
        var query = new QueryReader(request);
        var after = query.Number("after", -1, long.MaxValue);
        query.NoMore();
        if (request.Headers["Last-Event-ID"] is not [{ Length: > 0 } id]) return after;
        return long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            ? position
            : throw Problem.Parameter("Last-Event-ID", "This is no position of the stream.", "the id of the last message received");
    }

    /// <param name="open">Opens the log after a position.</param>
    public async Task WriteAsync(HttpContext context, long after, Func<long, FollowedLog> open)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        PlatformMetrics.Followers.Add(1);
        try
        {
            await SendAsync(response, [new Frame(-1, Frames.Opening)], stop.Token);
            using var broadcast = broadcasts.Join(open(after));
            await FollowAsync(response, broadcast, after, open, stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The follower left, or the server stops; it connects again with the last id it saw.
        }
        finally
        {
            PlatformMetrics.Followers.Add(-1);
        }
    }

    private async Task FollowAsync(HttpResponse response, Broadcast broadcast, long position, Func<long, FollowedLog> open, CancellationToken cancel)
    {
        FollowedLog? replay = null;
        long? place = null;
        while (true)
        {
            if (place is null && (place = broadcast.Ring.Join(position)) is null)
            {
                replay ??= open(position);
                var missed = await replay.ReadAsync(cancel);
                await SendAsync(response, missed, cancel);
                position = replay.Position;
                continue;
            }
            replay = null;
            var (frames, closed, more) = broadcast.Ring.Read(place.Value);
            if (frames is null)
            {
                place = null;
                continue;
            }
            var unseen = frames.Where(f => f.Position < 0 || f.Position > position).ToList();
            await SendAsync(response, unseen, cancel);
            place += frames.Count;
            position = unseen.Aggregate(position, (seen, f) => Math.Max(seen, f.Position));
            if (frames.Count > 0) continue;
            if (closed)
            {
                if (broadcast.Ended) await SendAsync(response, [new Frame(-1, Frames.End)], cancel);
                return;
            }
            await WaitAsync(response, more, cancel);
        }
    }

    private async Task WaitAsync(HttpResponse response, Task more, CancellationToken cancel)
    {
        try
        {
            await more.WaitAsync(HeartbeatInterval, time, cancel);
        }
        catch (TimeoutException)
        {
            await SendAsync(response, [new Frame(-1, Frames.Heartbeat)], cancel);
        }
    }

    private static async Task SendAsync(HttpResponse response, IReadOnlyList<Frame> frames, CancellationToken cancel)
    {
        if (frames.Count == 0) return;
        foreach (var frame in frames) await response.Body.WriteAsync(frame.Bytes, cancel);
        await response.Body.FlushAsync(cancel);
    }
}
