using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>
/// Compiles calls of asyncapi. What a subscription evaluates while messages come goes along as text, with the variables it reads: each becomes
/// <c>{source, variables}</c> in the arguments.
/// </summary>
internal static class AsyncApiCompiler
{
    private static readonly string[] Spoken = ["http", "ws", "mqtt", "mqtt5", "redis"];

    public static CallBody Call(Compilation of, Cursor task, IReadOnlyList<string> names)
    {
        var with = task["with"];
        var protocol = with["protocol"];
        if (protocol.Text is { } named && !Spoken.Contains(named) && with["server"].IsAbsent && !of.Findings.IsWrong(protocol.Pointer))
            of.Findings.AtValue(Findings.Unsupported, protocol.Pointer, $"The protocol '{TextShape.Shorten(named)}' is part of the language and not spoken in this version.", $"one of {string.Join(", ", Spoken)}");
        var rest = with.Value.ObjectOrNull is { } members ? with with { Value = members.Without("subscription") } : with;
        var arguments = CallCompiler.Arguments(of, rest, names);
        if (with["subscription"].Is(JsonKind.Object)) arguments = With(arguments, "subscription", Subscription(of, with["subscription"], names));
        return new CallBody("asyncapi", arguments) { Keyword = "call" };
    }

    private static Template.Members Subscription(Compilation of, Cursor subscription, IReadOnlyList<string> names)
    {
        var (consume, each) = (subscription["consume"], subscription["foreach"]);
        List<KeyValuePair<string, Template>> lasts = [];
        if (consume["amount"].Is(JsonKind.Number)) lasts.Add(new("amount", Template.Of(consume["amount"].Value)));
        if (of.Duration(consume["for"], names) is { } length) lasts.Add(new("for", length));
        foreach (var key in (string[])["while", "until"])
            if (Late(of, consume[key], names, names) is { } condition) lasts.Add(new(key, condition));
        List<KeyValuePair<string, Template>> made = [new("consume", new Template.Members([.. lasts]))];
        if (Late(of, subscription["filter"], names, names) is { } filter) made.Add(new("filter", filter));
        // Compiled for their errors; tasks for each message need the run while the call is under way.
        of.Aside(() => Listening.Iterator(of, each, names));
        foreach (var key in (string[])["do", "export"])
            if (!each[key].IsAbsent) of.Unsupported(each[key], key == "do" ? "Carrying out tasks for each message" : "Exporting for each message");
        var (item, index) = (each["item"].Text ?? "item", each["at"].Text ?? "index");
        var own = Variables.With(names, item, index);
        if (each["output"]["as"].Is(JsonKind.String) && Late(of, each["output"]["as"], own, [.. names.Where(n => n != item && n != index)]) is { } output)
        {
            made.Add(new("output", output));
            made.Add(new("names", Template.Of(Json.Array(item, index))));
        }
        else if (!each["output"]["as"].IsAbsent && !each["output"]["as"].Is(JsonKind.String)) of.Unsupported(each["output"]["as"], "An object as the output of each message");
        return new Template.Members([.. made]);
    }

    /// <param name="scope">What the expression may read; of it, <paramref name="outside"/> is known when the call begins.</param>
    private static Template.Members? Late(Compilation of, Cursor at, IReadOnlyList<string> scope, IReadOnlyList<string> outside)
    {
        if (of.Filter(at, scope, Place.Definition) is not { } expression) return null;
        var variables = expression.Variables.Where(outside.Contains).Select(v => KeyValuePair.Create(v, Template.Of(Expression.Compile($"${v}", outside, at.Pointer)))).ToArray();
        return new Template.Members([new("source", Template.Of(expression.Source)), new("variables", new Template.Members(variables))]);
    }

    private static Template.Members With(Template arguments, string key, Template value)
    {
        var members = arguments is Template.Members some ? some.All
            : [.. (arguments.ConstantValue?.ObjectOrNull ?? JsonObject.Empty).Select(m => KeyValuePair.Create(m.Key, Template.Of(m.Value)))];
        return new Template.Members([.. members, new(key, value)]);
    }
}
