using System.Diagnostics.Metrics;

namespace Millrace.Platform.Status;

/// <summary>What the platform counts besides the engine and storage. Requests are counted by the framework (<c>http.server.request.duration</c>).</summary>
public static class PlatformMetrics
{
    public const string MeterName = "Millrace.Platform";

    private static readonly Meter Meter = new(MeterName);

    internal static readonly UpDownCounter<int> Followers = Meter.CreateUpDownCounter<int>(
        "millrace.streams.followers", "{client}", "Clients that follow a stream of Server-Sent Events.");

    /// <summary>Shows the gauge before the first follower comes. Called when somebody listens.</summary>
    public static void Announce() => Followers.Add(0);
}
