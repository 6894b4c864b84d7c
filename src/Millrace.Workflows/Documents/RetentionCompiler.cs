using Millrace.Jq;
using Millrace.Workflows.Limits;
using static Millrace.Workflows.Documents.Dsl;

namespace Millrace.Workflows.Documents;

/// <summary>Reads <c>document.metadata.retention</c>, and whether faulted runs are dead letters.</summary>
internal static class RetentionCompiler
{
    private static readonly string[] Ends = ["completed", "faulted", "cancelled"];

    private static readonly Shape Policy = new ObjectShape("a retention", May("completed", Dsl.Duration), May("faulted", Dsl.Duration), May("cancelled", Dsl.Duration));

    /// <returns>Null when there is none, or something is wrong with it.</returns>
    public static RunRetention? Compile(Compilation of, Cursor retention)
    {
        if (retention.IsAbsent) return null;
        Policy.Check(retention.Value, retention.Pointer, of.Findings);
        if (of.Findings.Any) return null;
        foreach (var end in Ends)
        {
            var at = retention[end];
            if (at.IsAbsent) continue;
            if (!Graph.Duration.TryParse(at.Value, out var time, out _)) of.Findings.AtValue("workflow.bad_value", at.Pointer, "A retention is written out: it is the same for all runs.", "P30D");
            else if (time < RunRetention.Min || time > RunRetention.Max) of.Findings.AtValue("workflow.bad_value", at.Pointer, "A retention is one second to 3650 days.", "P30D");
        }
        return of.Findings.Any ? null : RunRetention.Of(retention.Value);
    }

    public static bool DeadLetters(Compilation of, Cursor flag)
    {
        if (!flag.IsAbsent) Flag.Check(flag.Value, flag.Pointer, of.Findings);
        return flag.Value.IsTruthy;
    }
}
