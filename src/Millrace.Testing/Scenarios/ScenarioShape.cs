using System.Globalization;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Testing.Scenarios;

/// <summary>What a scenario file may look like.</summary>
internal static class ScenarioShape
{
    private static readonly Shape Any = new AnyShape();
    private static readonly Shape Text = new TextShape();
    private static readonly Shape Name = new TextShape("a name", t => t.Trim().Length > 0);
    private static readonly Shape Person = new TextShape("a name of at most 200 characters", t => t.Trim().Length is > 0 and <= 200 && !t.Contains('\0'));
    private static readonly Shape Object = new AnyShape("an object", JsonKind.Object);
    private static readonly Shape Flag = new AnyShape("true or false", JsonKind.True, JsonKind.False);
    private static readonly Shape True = new AnyShape("true", JsonKind.True);
    private static readonly Shape Span = new TextShape("an ISO 8601 duration such as PT1M30S", t => Duration.TryParse(t, out _, out _));
    private static readonly Shape Moment = new TextShape("a time such as 2026-11-20T15:04:05Z", t => DateTimeOffset.TryParse(t, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _));
    private static readonly Shape Condition = new TextShape("a condition in ${ }", Expression.IsEnclosed);
    private static readonly Shape TextOrCondition = Text;
    private static readonly Shape Document = new EitherShape("a workflow: the path of its file, or the document itself", Name, Object);

    private static readonly Shape Error = new ObjectShape("an error", May("type", TextOrCondition), May("status", new EitherShape("a status", new WholeShape(), Condition)),
        May("title", TextOrCondition), May("detail", TextOrCondition), May("instance", TextOrCondition));

    private static readonly Shape Fault = new ObjectShape("an error", Must("type", Name), May("status", new WholeShape()), May("title", Text), May("detail", Text));
    private static readonly string[] Answers = ["returns", "outputs", "faults", "responds", "exits", "refuses", "hangs"];

    private static readonly string[] Processes = ["shell", "script", "container"];

    private static readonly Shape Mock = new ObjectShape("a mock",
            May("call", Name), May("request", new ObjectShape("a request", May("method", Text), May("uri", Text), May("headers", Object), May("body", Any))),
            May("task", Name), May("workflow", Name), May("input", Any), May("with", Any), May("returns", Any), May("outputs", Any), May("faults", Fault),
            May("responds", new ObjectShape("a response", May("status", new WholeShape(100, 599)), May("headers", Object), May("body", Any))),
            May("exits", new ObjectShape("the end of a process", May("code", new WholeShape(0, 255)), May("stdout", Text), May("stderr", Text))),
            May("refuses", True), May("hangs", True), May("after", Span), May("times", new WholeShape(1, 1_000_000)))
        .ExactlyOne("call", "request").ExactlyOne(Answers).Needs("responds", "request").Needs("refuses", "request").Needs("returns", "call").Needs("outputs", "call").Needs("outputs", "task").Needs("faults", "call").Needs("with", "call").Needs("exits", "call")
        .Rule((value, pointer, findings) =>
        {
            if (value.Has("exits") && value.TryGet("call", out var call) && !Processes.Contains(call.StringOrNull)) findings.AtKey("workflow.conflict", Pointer.Of(pointer, "exits"), $"{call.StringOrNull} is no process.");
        });

    private static readonly Shape Event = new ObjectShape("an event at its moment", May("at", Span), Must("event", new ObjectShape("an event", Must("type", Name)).Open()));

    private static readonly Shape Decision = new ObjectShape("a person's decision",
            Must("task", Name), May("show", Any), Must("by", Person), May("approve", True), May("reject", True), May("delegate", Person), May("comment", Text), May("form", Any))
        .ExactlyOne("approve", "reject", "delegate")
        .Rule((value, pointer, findings) =>
        {
            if (!value.TryGet("delegate", out var to)) return;
            if (value.Has("form")) findings.AtKey("workflow.conflict", Pointer.Of(pointer, "form"), "Who hands a vote on fills nothing in.");
            if (value.TryGet("by", out var by) && by == to) findings.AtValue("workflow.bad_value", Pointer.Of(pointer, "delegate"), "Nobody hands a vote to themselves.");
        });

    private static readonly Shape Signal = new ObjectShape("a wish at its moment",
            May("at", Span), May("workflow", Name), May("cancel", Text), May("suspend", Text), May("resume", Text), May("decide", Decision),
            May("signal", new ObjectShape("a signal", Must("name", Name), May("data", Any))), May("retry", Text), May("redrive", Name),
            May("concurrency", new ObjectShape("how many at once", Must("task", Name), Must("to", new WholeShape(1, ChildrenBody.ConcurrencyMax)))), May("hold", Text), May("release", Text))
        .ExactlyOne("cancel", "suspend", "resume", "decide", "signal", "retry", "redrive", "concurrency", "hold", "release")
        .Rule((value, pointer, findings) =>
        {
            if (!value.Has("workflow")) return;
            if (value.Has("decide")) findings.AtKey("workflow.conflict", Pointer.Of(pointer, "workflow"), "A decision is about a task, in whichever run it asks.");
            foreach (var name in (string[])["retry", "redrive", "concurrency"])
                if (value.Has(name)) findings.AtKey("workflow.conflict", Pointer.Of(pointer, "workflow"), $"'{name}' is about the scenario's own run.");
        });

    private static readonly Shape Restart = new EitherShape("everywhere, never, or where the process dies",
        new ChoiceShape("everywhere", "never"),
        new ObjectShape("where the process dies", May("after", new WholeShape(0)), May("at", Span), May("for", Span)).ExactlyOne("after", "at").Needs("for", "at"));

    private static readonly Shape Effect = new ObjectShape("a call", May("call", Text), May("task", Text), May("with", Any), May("idempotencyKey", Text));
    private static readonly Shape Request = new ObjectShape("a request", May("method", Text), May("uri", Text), May("headers", Object), May("body", Any));
    private static readonly Shape Waiting = new ObjectShape("what it waits for",
        May("on", new ChoiceShape([.. Enum.GetNames<WaitKind>().Select(k => k.ToLowerInvariant())])), May("task", Text), May("detail", Text), May("wakesIn", Text), May("events", Any));
    private static readonly Shape Run = new ObjectShape("a run", May("at", Text), May("workflow", Text), May("state", Text), May("input", Any), May("output", Any), May("error", Error));
    private static readonly Shape Finding = new ObjectShape("a finding", May("code", Text), May("pointer", Text), May("message", Text), May("line", new WholeShape()));

    private static readonly Shape Expect = new ObjectShape("an expectation",
        May("state", new ChoiceShape("pending", "running", "waiting", "suspended", "cancelled", "faulted", "completed")),
        May("output", Any), May("error", Error), May("steps", new ListShape("a list of tasks", new EitherShape("a task's name, or its state under its name", Name, Object))),
        May("never", new ListShape("a list of tasks' names", Name)), May("effects", ListOr("a list of calls", Effect)), May("requests", ListOr("a list of requests", Request)),
        May("events", ListOr("a list of events", Object)), May("took", Text), May("runs", ListOr("a list of runs", Run)), May("waiting", new ListShape("a list of what it waits for", Waiting)),
        May("refused", new EitherShape("true, or a list of findings", True, new ListShape("a list of findings", Finding, 1))))
        .Rule((value, pointer, findings) =>
        {
            if (value.Count == 0) findings.AtKey("workflow.bad_value", pointer, "Nothing is expected, so nothing could fail.", "state, output, error, …");
        });

    private static readonly Field[] Common =
    [
        May("spec", Name), May("workflow", Document), May("workflows", new ListShape("a list of workflows", Document)), May("input", Any), May("secrets", Object), May("now", Moment),
        May("until", Span), May("gap", Name), May("scheduled", True), May("mocks", new ListShape("a list of mocks", Mock)), May("restart", Restart),
    ];

    private static readonly Shape One = new ObjectShape("a scenario",
        [Must("name", Name), .. Common, May("events", new ListShape("a list of events", Event)), May("signals", new ListShape("a list of wishes", Signal)), Must("expect", Expect)]);

    /// <summary>A file: what is said at its top holds for all its scenarios that do not say otherwise.</summary>
    public static readonly ObjectShape File = new("a file of scenarios", [.. Common, Must("scenarios", new ListShape("a list of scenarios", One, 1))]);

    private static EitherShape ListOr(string expected, Shape item) => new($"{expected}, or a condition in ${{ }}", new ListShape(expected, item), Condition);

    private static Field Must(string name, Shape shape) => new(name, shape, Required: true);

    private static Field May(string name, Shape shape) => new(name, shape);
}
