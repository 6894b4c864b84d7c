using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Views;

/// <summary>Says for which events a step waits, and what has come.</summary>
internal static class EventWait
{
    /// <returns>A sentence.</returns>
    public static string Of(Step step, ListenBody listen)
    {
        var (to, heard) = (listen.To, step.Listener!);
        var events = to.Filters.Count == 0 ? "any event" : $"{Amount(to)} of {Kinds(to)}";
        var until = to.UntilCondition is { } condition ? $", until {condition.Source}"
            : to.UntilEvents is { } ends ? $", until {Amount(ends)} of {Kinds(ends)}"
            : "";
        var come = heard.Consumed switch { 0 => "none has come yet", 1 => "one has come", _ => $"{heard.Consumed} have come" };
        var waiting = heard.Waiting > 0 ? $", {heard.Waiting} of them to be looked at" : "";
        return $"'{step.Node.Name}' listens for {events}{until}; {come}{waiting}.";
    }

    private static string Amount(EventStrategy to) => to.Kind == StrategyKind.All && to.Filters.Count > 1 ? "one event each" : "an event";

    private static string Kinds(EventStrategy to) => to.Filters.Count == 0
        ? "any type"
        : string.Join(to.Kind == StrategyKind.All ? " and " : " or ", to.Filters.Select(f => f.Key.ToString()).Distinct().Take(5)) + (to.Filters.Count > 5 ? ", …" : "");
}
