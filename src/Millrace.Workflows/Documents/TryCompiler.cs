using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>Compiles what has to do with errors: try, catch, retry policies, raise.</summary>
internal static class TryCompiler
{
    public static RaiseBody Raise(Compilation of, Cursor error, IReadOnlyList<string> names)
    {
        var definition = error.Is(JsonKind.String) ? of.Find("errors", "error", error) : error;
        return new(definition is { } found ? of.Template(found, names, Place.Kept) : Template.Of(Json.EmptyObject)) { Keyword = "raise" };
    }

    public static TryBody Try(Compilation of, Cursor task, Dictionary<string, int> targets, IReadOnlyList<string> names)
    {
        var tasks = TaskCompiler.Scope(of, task["try"], names);
        var clause = task["catch"];
        var error = clause["as"].Text ?? "error";
        var inside = Variables.With(names, error);
        var filter = clause["errors"]["with"];
        return new(tasks, new CatchClause
        {
            With = filter.Is(JsonKind.Object) ? of.Template(filter, names, Place.Definition) : null,
            As = error,
            When = of.Filter(clause["when"], inside, Place.Definition),
            ExceptWhen = of.Filter(clause["exceptWhen"], inside, Place.Definition),
            Retry = Retry(of, clause["retry"], inside),
            Do = clause["do"].Is(JsonKind.Array) ? TaskCompiler.Scope(of, clause["do"], inside) : null,
            Then = clause["then"].IsAbsent ? null : TaskCompiler.Flow(of, clause["then"], targets),
        })
        { Keyword = "try" };
    }

    private static RetryPolicy? Retry(Compilation of, Cursor retry, IReadOnlyList<string> names)
    {
        if (retry.Is(JsonKind.String))
        {
            if (of.Find("retries", "retry policy", retry) is not { } found) return null;
            retry = found;
        }
        return retry.Is(JsonKind.Object) ? Policy(of, retry, names) : null;
    }

    /// <summary>Compiles a policy; those under <c>use.retries</c> that no task names are compiled for their errors only.</summary>
    public static RetryPolicy Policy(Compilation of, Cursor policy, IReadOnlyList<string> names)
    {
        var (kind, step) = Backoff(of, policy["backoff"], names);
        var limit = policy["limit"];
        var count = limit["attempt"]["count"].Value;
        return new()
        {
            When = of.Filter(policy["when"], names, Place.Definition),
            ExceptWhen = of.Filter(policy["exceptWhen"], names, Place.Definition),
            Delay = of.Duration(policy["delay"], names),
            Backoff = kind,
            BackoffStep = step,
            JitterFrom = of.Duration(policy["jitter"]["from"], names),
            JitterTo = of.Duration(policy["jitter"]["to"], names),
            AttemptsMax = count.IsNumber ? (int)Math.Clamp(count.AsNumber(), 0, int.MaxValue) : null,
            AttemptDurationMax = of.Duration(limit["attempt"]["duration"], names),
            DurationMax = of.Duration(limit["duration"], names),
        };
    }

    /// <summary>
    /// The language leaves the options of a backoff to the runtime. Here: <c>linear: {increment: duration}</c> and
    /// <c>exponential: {factor: number}</c>.
    /// </summary>
    private static (BackoffKind, Template?) Backoff(Compilation of, Cursor backoff, IReadOnlyList<string> names)
    {
        var (kind, option, name) = backoff switch
        {
            _ when backoff["linear"].Is(JsonKind.Object) => (BackoffKind.Linear, backoff["linear"], "increment"),
            _ when backoff["exponential"].Is(JsonKind.Object) => (BackoffKind.Exponential, backoff["exponential"], "factor"),
            _ => (BackoffKind.Constant, backoff["constant"], ""),
        };
        foreach (var (key, value) in option.Members)
            if (key != name) of.Findings.Warn("workflow.ignored_property", value.Pointer, $"'{key}' is no option of this backoff and has no effect.", of.Findings.Map.Key(value.Pointer), name.Length == 0 ? null : name);
        var step = option[name];
        if (step.IsAbsent) return (kind, null);
        if (kind == BackoffKind.Linear)
        {
            Dsl.Duration.Check(step.Value, step.Pointer, of.Findings);
            return (kind, of.Duration(step, names));
        }
        if (!(step.Value.IsNumber && step.Value.AsNumber() >= 1) && !(step.Text is { } text && Expression.IsEnclosed(text)))
            of.Findings.AtValue("workflow.bad_value", step.Pointer, "The factor of an exponential backoff is a number of at least 1.", "a number of at least 1");
        return (kind, of.Template(step, names, Place.Definition));
    }
}
