using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>
/// Compiles calls of asyncapi. What the function evaluates while messages come goes along as text, with the variables it reads: each becomes
/// <c>{source, variables}</c> in the arguments.
/// </summary>
internal static class AsyncApiCompiler
{
    private static readonly string[] Spoken = ["amqp", "amqp1", "http", "kafka", "mqtt", "mqtt5", "nats", "redis", "sqs", "ws"];

    public static CallBody Call(Compilation of, Cursor task, IReadOnlyList<string> names)
    {
        var with = task["with"];
        CheckProtocol(of, with);
        var rest = with.Value.ObjectOrNull is { } members ? with with { Value = members.Without("subscription") } : with;
        var arguments = CallCompiler.Arguments(of, rest, names);
        var subscription = with["subscription"];
        if (!subscription.Is(JsonKind.Object)) return new CallBody("asyncapi", arguments) { Keyword = "call" };
        var consume = subscription["consume"];
        // What is done for each message needs the run, and so do conditions on what came of it.
        var each = Listening.Iterator(of, subscription["foreach"], names) is { } iterator
            ? new ItemLoop(iterator, of.Filter(consume["while"], names, Place.Definition), of.Filter(consume["until"], names, Place.Definition)) : null;
        return new CallBody("asyncapi", With(arguments, "subscription", Subscription(of, subscription, each is null, names))) { Keyword = "call", Each = each };
    }

    /// <summary>Where a server is named, the document that is read when the call is made says which protocol it speaks.</summary>
    private static void CheckProtocol(Compilation of, Cursor with)
    {
        var protocol = with["protocol"];
        if (protocol.Text is not { } named || !with["server"].IsAbsent || of.Findings.IsWrong(protocol.Pointer)) return;
        if (!Spoken.Contains(named))
            of.Findings.AtValue(Findings.Unsupported, protocol.Pointer, $"The protocol '{TextShape.Shorten(named)}' is part of the language and not spoken in this version.", $"one of {string.Join(", ", Spoken)}");
        else if (named == "http" && !with["subscription"].IsAbsent)
            of.Findings.AtValue(Findings.Unsupported, with["subscription"].Pointer, "Nothing can be subscribed to by http. Let the sender post CloudEvents to this server, and listen for them.", "a message, or another protocol");
    }

    private static Template.Members Subscription(Compilation of, Cursor subscription, bool decides, IReadOnlyList<string> names)
    {
        var consume = subscription["consume"];
        List<KeyValuePair<string, Template>> lasts = [];
        if (consume["amount"].Is(JsonKind.Number)) lasts.Add(new("amount", Template.Of(consume["amount"].Value)));
        if (of.Duration(consume["for"], names) is { } length) lasts.Add(new("for", length));
        foreach (var key in decides ? (string[])["while", "until"] : [])
            if (Late(of, consume[key], names) is { } condition) lasts.Add(new(key, condition));
        List<KeyValuePair<string, Template>> made = [new("consume", new Template.Members([.. lasts]))];
        if (Late(of, subscription["filter"], names) is { } filter) made.Add(new("filter", filter));
        return new Template.Members([.. made]);
    }

    private static Template.Members? Late(Compilation of, Cursor at, IReadOnlyList<string> names)
    {
        if (of.Filter(at, names, Place.Definition) is not { } expression) return null;
        var variables = expression.Variables.Where(names.Contains).Select(v => KeyValuePair.Create(v, Template.Of(Expression.Compile($"${v}", names, at.Pointer)))).ToArray();
        return new Template.Members([new("source", Template.Of(expression.Source)), new("variables", new Template.Members(variables))]);
    }

    private static Template.Members With(Template arguments, string key, Template value)
    {
        var members = arguments is Template.Members some ? some.All
            : [.. (arguments.ConstantValue?.ObjectOrNull ?? JsonObject.Empty).Select(m => KeyValuePair.Create(m.Key, Template.Of(m.Value)))];
        return new Template.Members([.. members, new(key, value)]);
    }
}
