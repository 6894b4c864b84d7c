using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Millrace.Platform.Http;
using Millrace.Platform.Status;

namespace Millrace.Platform.Streams;

/// <summary>A stream of Server-Sent Events as an answer to a request.</summary>
internal sealed class EventStream(Broadcasts broadcasts, IHostApplicationLifetime lifetime)
{
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
            await response.Body.WriteAsync(Frames.Opening, stop.Token);
            await response.Body.FlushAsync(stop.Token);
            await broadcasts.FollowAsync(response.Body, after, open, stop.Token);
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
}
