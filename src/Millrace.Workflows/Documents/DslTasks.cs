using Millrace.Jq;
using Millrace.Workflows.Graph;
using static Millrace.Workflows.Documents.Dsl;

namespace Millrace.Workflows.Documents;

/// <summary>What tasks may look like, by keyword (dsl-reference.md, Task).</summary>
internal static class DslTasks
{
    public static readonly Shape Task = new LaterShape("a task", () => AnyTask!);
    public static readonly Shape List = new NamedListShape("a list of named tasks", "a task", Task);

    private static readonly Shape Directive = new TextShape("continue, exit, end, or the name of a task", t => t.Length > 0);
    private static readonly Shape Content = new ChoiceShape("raw", "content", "response");
    private static readonly Shape Scalar = new AnyShape("a string, a number or a boolean", JsonKind.String, JsonKind.Number, JsonKind.True, JsonKind.False);
    private static readonly Shape Parameters = new EitherShape("an object or a runtime expression", AnyObject, Text);
    private static readonly Shape Environment = AnyObject;

    private static readonly Field[] Common =
    [
        May("if", Filter), May("input", Input), May("output", Output), May("export", Export), May("timeout", Dsl.Timeout),
        May("then", Directive), May("metadata", new ObjectShape("metadata", May("compensate", List)).Open()),
    ];

    /// <summary>Read after an event or a message has been consumed.</summary>
    private static readonly Shape Iterator = new ObjectShape("an iterator",
        May("item", Variable), May("at", Variable), May("do", List), May("output", Output), May("export", Export));

    private static readonly Shape Http = new ObjectShape("an http call",
        Must("method", Text), Must("endpoint", Endpoint),
        May("headers", new EitherShape("an object of strings, or a runtime expression", TextMap, Enclosed)),
        May("body", Any),
        May("query", new EitherShape("an object, or a runtime expression", new MapShape("an object", Scalar), Enclosed)),
        May("output", Content), May("redirect", Flag));

    private static readonly Shape OpenApi = new ObjectShape("an openapi call",
        Must("document", Resource), Must("operationId", Text), May("parameters", AnyObject), May("authentication", Authentication),
        May("output", Content), May("redirect", Flag));

    private static readonly Shape Grpc = new ObjectShape("a grpc call",
        Must("proto", Resource),
        Must("service", new ObjectShape("a grpc service", Must("name", Text), Must("host", new TextShape("the name of a host", IsHost)), May("port", new WholeShape(0, 65535)), May("authentication", Authentication))),
        Must("method", Text), May("arguments", AnyObject));

    private static readonly Shape AsyncApi = new ObjectShape("an asyncapi call",
        Must("document", Resource), May("channel", Text), May("operation", Text),
        May("server", new ObjectShape("a server", Must("name", Text), May("variables", AnyObject))),
        May("protocol", new ChoiceShape("amqp", "amqp1", "anypointmq", "googlepubsub", "http", "ibmmq", "jms", "kafka", "mercure", "mqtt", "mqtt5", "nats", "pulsar", "redis", "sns", "solace", "sqs", "stomp", "ws")),
        May("message", new ObjectShape("a message", May("payload", AnyObject), May("headers", AnyObject))),
        May("subscription", new ObjectShape("a subscription",
            May("filter", Enclosed),
            Must("consume", new ObjectShape("a policy of consumption", May("for", Dsl.Duration), May("amount", Whole), May("while", Enclosed), May("until", Enclosed)).ExactlyOne("amount", "while", "until")),
            May("foreach", Iterator))),
        May("authentication", Authentication))
        .ExactlyOne("operation", "channel").ExactlyOne("message", "subscription");

    private static readonly Shape A2A = new ObjectShape("an a2a call",
        May("agentCard", Resource), May("server", Endpoint),
        Must("method", new ChoiceShape("message/send", "message/stream", "tasks/get", "tasks/list", "tasks/cancel", "tasks/resubscribe", "tasks/pushNotificationConfig/set", "tasks/pushNotificationConfig/get", "tasks/pushNotificationConfig/list", "tasks/pushNotificationConfig/delete", "agent/getAuthenticatedExtendedCard")),
        May("parameters", new EitherShape("an object or a runtime expression", new MapShape("an object with at least one member", Any, 1), Text)));

    private static readonly Shape Mcp = new ObjectShape("an mcp call",
        May("protocolVersion", Text),
        Must("method", new ChoiceShape("tools/list", "tools/call", "prompts/list", "prompts/get", "resources/list", "resources/read", "resources/templates/list")),
        May("parameters", Parameters), May("timeout", Dsl.Duration),
        Must("transport", new ObjectShape("a transport",
            May("http", new ObjectShape("an http transport", Must("endpoint", Endpoint), May("headers", TextMap))),
            May("stdio", new ObjectShape("a stdio transport", Must("command", Text), May("arguments", Texts), May("environment", TextMap))),
            May("options", TextMap)).ExactlyOne("http", "stdio")),
        May("client", new ObjectShape("a client", Must("name", Text), Must("version", Text))));

    private static readonly Dictionary<string, Shape> Calls = new(StringComparer.Ordinal)
    {
        ["http"] = Http,
        ["openapi"] = OpenApi,
        ["grpc"] = Grpc,
        ["asyncapi"] = AsyncApi,
        ["a2a"] = A2A,
        ["mcp"] = Mcp,
    };

    private static readonly Shape Container = new ObjectShape("a container",
        Must("image", Text), May("name", Text), May("command", Text), May("ports", AnyObject), May("volumes", AnyObject), May("environment", Environment),
        May("stdin", Text), May("arguments", Texts), May("pullPolicy", new ChoiceShape("ifNotPresent", "always", "never")),
        May("lifetime", new ObjectShape("a lifetime", Must("cleanup", new ChoiceShape("always", "never", "eventually")), May("after", Dsl.Duration)).Rule(CleanUpAfter)));

    private static readonly Shape Script = new ObjectShape("a script",
        Must("language", new ChoiceShape("js", "python")), May("code", Text), May("source", Resource), May("stdin", Text), May("arguments", Texts), May("environment", Environment))
        .ExactlyOne("code", "source");

    private static readonly Shape Shell = new ObjectShape("a shell command",
        Must("command", Text), May("stdin", Text), May("arguments", Texts), May("environment", Environment));

    /// <summary>The schema wants an object as input, the reference allows any value; the reference is followed.</summary>
    private static readonly Shape Child = new ObjectShape("a workflow to run",
        Must("namespace", Text), Must("name", Text), Must("version", SpawnShapes.Version), May("input", Any));

    private static readonly Shape Run = new ObjectShape("a run",
        May("container", Container), May("script", Script), May("shell", Shell), May("workflow", Child),
        May("await", Flag), May("return", new ChoiceShape("stdout", "stderr", "code", "all", "none")))
        .ExactlyOne("container", "script", "shell", "workflow");

    /// <summary>A filter on other members than an error has could match nothing.</summary>
    private static readonly Shape ErrorFilter = new ObjectShape("a filter of errors",
        May("type", Text), May("status", Whole), May("instance", Text), May("title", Text), May("detail", Text)).Rule(FilterNotEmpty);

    private static readonly Shape Catch = new ObjectShape("a catch clause",
        May("errors", new ObjectShape("a choice of errors", May("with", ErrorFilter))), May("as", Variable), May("when", Filter), May("exceptWhen", Filter),
        May("retry", new EitherShape("a retry policy, or the name of one", Name, Retry)), May("do", List), May("then", Directive));

    private static readonly Shape Case = new ObjectShape("a case", May("when", Filter), Must("then", Directive));

    /// <summary>In the order in which a task's keyword is looked for: <c>for</c> stands beside <c>do</c>.</summary>
    private static readonly (string Keyword, ObjectShape Shape)[] Tasks =
    [
        Of("for", "a for task", Must("for", new ObjectShape("a loop", May("each", Variable), May("at", Variable),
            Must("in", new EitherShape("a runtime expression or a list of objects", Filter, new ListShape("a list of objects", AnyObject))))), May("while", Filter), Must("do", List)),
        Of("do", "a do task", Must("do", List)),
        Of("call", "a call task", Must("call", Name), May("with", Any)),
        Of("fork", "a fork task", Must("fork", new ObjectShape("a fork", Must("branches", List), May("compete", Flag)))),
        Of("emit", "an emit task", Must("emit", new ObjectShape("an emission", Must("event", new ObjectShape("an event to emit", Must("with", Event)).Open())))),
        Of("listen", "a listen task", Must("listen", new ObjectShape("a listener", Must("to", Strategy), May("read", new ChoiceShape("data", "envelope", "raw")))), May("foreach", Iterator)),
        Of("raise", "a raise task", Must("raise", new ObjectShape("a raise", Must("error", new EitherShape("an error, or the name of one", Name, Error))))),
        Of("run", "a run task", Must("run", Run)),
        Of("set", "a set task", Must("set", new EitherShape("an object with at least one member, or a runtime expression", new MapShape("an object with at least one member", Any, 1), Filter))),
        Of("switch", "a switch task", Must("switch", new NamedListShape("a list of at least one case", "a case", Case, 1))),
        Of("try", "a try task", Must("try", List), Must("catch", Catch)),
        Of("wait", "a wait task", Must("wait", Dsl.Duration)),
    ];

    private static readonly string[] Keywords = ["call", "do", "emit", "for", "fork", "listen", "raise", "run", "set", "switch", "try", "wait"];

    private static readonly Shape AnyTask = new TaskShape();

    /// <summary>The names of the language's own functions.</summary>
    public static IEnumerable<string> Functions => Calls.Keys;

    /// <returns>The task's keyword, or null when it has none.</returns>
    public static string? KeywordOf(JsonObject task) => Array.Find(Tasks, t => task.Has(t.Keyword)).Keyword;

    private static (string, ObjectShape) Of(string keyword, string noun, params Field[] own) => (keyword, new ObjectShape(noun, [.. own, .. Common]));

    private static void CleanUpAfter(JsonObject lifetime, string pointer, Findings findings)
    {
        var eventually = lifetime.TryGet("cleanup", out var cleanup) && cleanup.StringOrNull == "eventually";
        if (eventually && !lifetime.Has("after")) findings.AtKey("workflow.missing_property", pointer, "Cleaning up eventually needs 'after'.", "after: a duration");
        if (!eventually && lifetime.Has("after")) findings.AtKey("workflow.conflict", Pointer.Of(pointer, "after"), "'after' stands only beside cleanup: eventually.", "cleanup: eventually");
    }

    private static void FilterNotEmpty(JsonObject filter, string pointer, Findings findings)
    {
        if (filter.Count == 0) findings.AtKey("workflow.bad_value", pointer, "A filter of errors needs at least one member.", "type, status, instance, title or detail");
    }

    private sealed class TaskShape() : Shape("a task")
    {
        public override bool Fits(Json value) => value.IsObject;

        protected override void CheckInside(Json value, string pointer, Findings findings)
        {
            var task = value.AsObject();
            var keyword = KeywordOf(task);
            if (keyword is null)
            {
                Unknown(task, pointer, findings);
                return;
            }
            Array.Find(Tasks, t => t.Keyword == keyword).Shape.Check(value, pointer, findings);
            if (keyword == "call" && value["call"].StringOrNull is { } function) CheckArguments(task, function, pointer, findings);
        }

        private static void Unknown(JsonObject task, string pointer, Findings findings)
        {
            var expected = $"one of {string.Join(", ", Keywords)}";
            foreach (var (key, _) in task.Members)
            {
                if (Array.Exists(Common, f => f.Name == key) || Nearest.To(key, Keywords) is not { } near) continue;
                findings.AtKey("workflow.unknown_property", Pointer.Of(pointer, key), $"A task has no property '{key}'; did you mean '{near}'?", expected);
                return;
            }
            findings.AtKey("workflow.unknown_task", pointer, "It cannot be told what this task does.", expected);
        }

        private static void CheckArguments(JsonObject task, string function, string pointer, Findings findings)
        {
            var has = task.TryGet("with", out var with);
            var at = Pointer.Of(pointer, "with");
            if (!Calls.TryGetValue(function, out var shape))
            {
                if (has) AnyObject.Check(with, at, findings);
            }
            else if (has) shape.Check(with, at, findings);
            else findings.AtKey("workflow.missing_property", pointer, $"A call of {function} needs the property 'with'.", $"with: {shape.Expected}");
        }
    }
}
