using System.Globalization;
using System.Text;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Views;

/// <summary>Says in a sentence what a map or a swarm waits for.</summary>
internal static class SpawnWaits
{
    public static string Detail(string name, Window? window)
    {
        if (window is null) return $"'{name}' is about to start its children.";
        var p = window.Counts;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"'{name}' waits for its children: {p.Running} of {p.Total?.ToString(CultureInfo.InvariantCulture) ?? "a number not known yet"} are under way");
        if (p.Queued is { } queued) text.Append(CultureInfo.InvariantCulture, $", {queued} queued");
        text.Append(CultureInfo.InvariantCulture, $", {p.Completed} completed");
        if (p.Failed > 0) text.Append(CultureInfo.InvariantCulture, $", {p.Failed} failed (the first: {p.FirstError?.Title ?? p.FirstError?.Type})");
        if (p.Skipped > 0) text.Append(CultureInfo.InvariantCulture, $", {p.Skipped} skipped");
        return text.Append('.').ToString();
    }
}
