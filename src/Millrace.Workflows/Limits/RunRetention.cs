using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Limits;

/// <summary>For how long runs are kept after they have ended, by how they ended; null: nothing is said of that end.</summary>
public sealed record RunRetention(TimeSpan? Completed, TimeSpan? Faulted, TimeSpan? Cancelled)
{
    public static readonly TimeSpan Min = TimeSpan.FromSeconds(1), Max = TimeSpan.FromDays(3650);

    public static readonly RunRetention None = new(null, null, null);

    /// <param name="source">An object of durations by <c>completed</c>, <c>faulted</c>, <c>cancelled</c> that was checked.</param>
    public static RunRetention Of(Json source) => new(Time(source["completed"]), Time(source["faulted"]), Time(source["cancelled"]));

    private static TimeSpan? Time(Json value) => !value.IsNull && Duration.TryParse(value, out var time, out _) ? time : null;
}
