using System.Text.RegularExpressions;
using Cronos;
using Millrace.Jq;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Schedules;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Documents;

/// <summary>
/// Reads the document's <c>schedule</c> (dsl.md, Scheduling) and the policy that the language has no place for, <c>document.metadata.schedule</c>.
/// Metadata without a schedule is somebody else's and left alone.
/// </summary>
internal static partial class ScheduleCompiler
{
    /// <summary>Characters of the input's JSON: it stands in the first record of each run.</summary>
    private const int InputMax = 32 << 10;

    private static readonly TimeSpan JitterMax = TimeSpan.FromHours(1);
    private static readonly string[] Times = ["every", "cron", "after"];
    private static readonly string[] Kinds = [.. Times, "on"];

    private static readonly Shape Policy = new ObjectShape("a schedule's policy",
        Dsl.May("timeZone", new TextShape("an IANA time zone such as Europe/Berlin", IsZone)),
        Dsl.May("overlap", new ChoiceShape("allow", "skip", "bufferOne", "cancelOther")),
        Dsl.May("catchUp", new ObjectShape("a way to catch up", Dsl.May("window", Dsl.Duration), Dsl.May("mode", new ChoiceShape("all", "latest", "none")))),
        Dsl.May("jitter", Dsl.Duration), Dsl.May("input", Dsl.Any));

    /// <returns>Null when there is none, or none that this version can follow.</returns>
    public static WorkflowSchedule? Compile(Compilation of, Cursor schedule, Cursor policy, JsonSchema? input)
    {
        if (!schedule.Is(JsonKind.Object)) return null;
        if (!HasOneKind(of, schedule)) return null;
        // Started by events, perhaps besides: see Listening.Trigger.
        if (!Times.Any(k => !schedule[k].IsAbsent))
        {
            WarnOfPolicy(of, policy);
            return null;
        }
        if (!policy.IsAbsent) Policy.Check(policy.Value, policy.Pointer, of.Findings);
        foreach (var at in (Cursor[])[schedule["every"], schedule["after"], policy["jitter"], policy["catchUp"]["window"]]) CheckLiteral(of, at);
        if (of.Findings.Any) return null;
        var read = WorkflowSchedule.Of(schedule.Value, policy.Value);
        CheckTimes(of, schedule, read);
        CheckPolicy(of, policy, read);
        CheckInput(of, policy["input"].IsAbsent ? schedule : policy["input"], read, input);
        return of.Findings.Any ? null : read;
    }

    /// <summary>Events may start runs beside a time; two times would be two schedules.</summary>
    private static bool HasOneKind(Compilation of, Cursor schedule)
    {
        if (!Kinds.Any(k => !schedule[k].IsAbsent))
            of.Findings.AtKey("workflow.missing_property", schedule.Pointer, $"A schedule needs one of {string.Join(", ", Kinds)}.", $"one of {string.Join(", ", Kinds)}");
        var times = Times.Where(k => !schedule[k].IsAbsent).ToList();
        foreach (var extra in times.Skip(1))
            of.Findings.AtKey("workflow.conflict", schedule[extra].Pointer, $"'{extra}' cannot stand beside '{times[0]}': a definition has one schedule.", $"one of {string.Join(", ", Times)}");
        return times.Count <= 1;
    }

    /// <summary>
    /// A policy is about moments. Beside events alone it has no effect, and each part of it is told: a warning, since versions that were pushed with one go on.
    /// </summary>
    private static void WarnOfPolicy(Compilation of, Cursor policy)
    {
        foreach (var (name, part) in policy.Members)
        {
            var instead = name switch
            {
                "overlap" => "how many runs work at once, and what becomes of those that meet them, says metadata.flow.concurrency",
                "input" => "the input of its runs are the events",
                "timeZone" => "only a cron expression is read in a time zone",
                _ => "it names no moments",
            };
            of.Findings.Warn("workflow.no_effect", part.Pointer, $"'{name}' says nothing of a schedule of events: {instead}.", of.Findings.Map.Key(part.Pointer));
        }
    }

    /// <summary>Nothing is known yet that an expression could read.</summary>
    private static void CheckLiteral(Compilation of, Cursor duration)
    {
        if (duration.Text is { } text && text.Contains("${", StringComparison.Ordinal))
            of.Findings.AtValue("workflow.bad_value", duration.Pointer, "A schedule's durations are written out; there is no data yet that an expression could read.", "PT15M");
    }

    private static void CheckTimes(Compilation of, Cursor schedule, WorkflowSchedule read)
    {
        foreach (var (name, value) in ((string, TimeSpan?)[])[("every", read.Every), ("after", read.After)])
        {
            if (value is not { } duration) continue;
            if (duration < Ticks.IntervalMin) of.Findings.AtValue("workflow.bad_value", schedule[name].Pointer, "A schedule is at least one second long.", "PT1S or more");
            else if (duration.Ticks % TimeSpan.TicksPerMicrosecond != 0) of.Findings.AtValue("workflow.bad_value", schedule[name].Pointer, "A schedule counts whole microseconds.");
        }
        if (read.Cron is not { } cron) return;
        var at = schedule["cron"].Pointer;
        try
        {
            if (!cron.Any(char.IsWhiteSpace) && !cron.StartsWith('@')) throw new CronFormatException("it has one field");
            Ticks.Parse(cron);
            if (new Ticks(read, 0).Next(0) is null) of.Findings.AtValue("workflow.bad_value", at, $"'{TextShape.Shorten(cron)}' names no moment that ever comes.");
        }
        catch (CronFormatException e)
        {
            of.Findings.AtValue("workflow.bad_value", at, $"'{TextShape.Shorten(cron)}' is no cron expression: {e.Message.TrimEnd('.')}.",
                "minute hour day-of-month month day-of-week, with seconds before them when there are six");
        }
    }

    private static void CheckPolicy(Compilation of, Cursor policy, WorkflowSchedule read)
    {
        if (of.Findings.Any) return;
        if (read.After is not null)
            foreach (var name in (string[])["overlap", "catchUp"])
                if (!policy[name].IsAbsent) of.Findings.AtKey("workflow.conflict", policy[name].Pointer, $"'{name}' says nothing beside 'after': each run waits for the end of the one before.");
        if (read.Cron is null && !policy["timeZone"].IsAbsent && read.TimeZone != "UTC")
            of.Findings.Warn("workflow.no_effect", policy["timeZone"].Pointer, "Only a cron expression is read in a time zone; an interval counts seconds.");
        if (read.Jitter > JitterMax) of.Findings.AtValue("workflow.bad_value", policy["jitter"].Pointer, "The jitter is at most one hour.", "PT1H or less");
        else if (read.Jitter > Gap(read)) of.Findings.AtValue("workflow.bad_value", policy["jitter"].Pointer, "The jitter is longer than the time from one tick to the next.");
    }

    /// <summary>The shortest time between two ticks, as far as the next few tell.</summary>
    private static TimeSpan Gap(WorkflowSchedule read)
    {
        if (read.After is not null) return TimeSpan.MaxValue;
        var ticks = new Ticks(read, 0).Between(0, long.MaxValue / 1000, 50).ToList();
        return ticks.Count < 2 ? TimeSpan.MaxValue : TimeSpan.FromMicroseconds(ticks.Zip(ticks.Skip(1), (a, b) => b - a).Min());
    }

    private static void CheckInput(Compilation of, Cursor at, WorkflowSchedule read, JsonSchema? schema)
    {
        var length = read.Input.ToString().Length;
        if (length > InputMax) of.Findings.AtKey("workflow.too_large", at.Pointer, $"The input has {length} characters; at most {InputMax} are taken.");
        else if (schema?.Validate(read.Input, 5) is { Count: > 0 } errors)
        {
            var causes = string.Join("; ", errors.Select(e => $"{(e.Instance.Length == 0 ? "/" : e.Instance)}: {e.Message}"));
            of.Findings.AtKey("workflow.bad_value", at.Pointer, $"The input of the schedule's runs does not fit the workflow's schema: {causes}.", "document.metadata.schedule.input");
        }
    }

    private static bool IsZone(string name) => ZoneName().IsMatch(name) && TimeZoneInfo.TryFindSystemTimeZoneById(name, out _);

    /// <summary>Names of zones are looked up as files; nothing else may be.</summary>
    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9+_-]{0,40}(/[A-Za-z0-9+_-]{1,40}){0,2}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ZoneName();
}
