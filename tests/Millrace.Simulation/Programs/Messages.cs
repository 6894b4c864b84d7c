using Millrace.Jq;

namespace Millrace.Simulation.Programs;

/// <summary>The messages that come to whoever subscribes: a small number each, which follows from what the subscription was asked with.</summary>
internal static class Messages
{
    /// <summary>Numbers are 0 and up to this.</summary>
    public const int Numbers = 5;

    /// <summary>The function that subscribes.</summary>
    public const string Function = "asyncapi";

    public static int Number(int n, int tag, int message) => ((n * 3) + tag + message) % Numbers;

    /// <summary>The same, by the arguments of the effect.</summary>
    public static int Number(Json arguments, int message)
    {
        var asked = arguments["server"]["variables"];
        return Number((int)asked["n"].AsNumber(), (int)asked["tag"].AsNumber(), message);
    }
}

/// <summary>Takes messages one by one and does something for each; what that gives is added.</summary>
/// <param name="Counts">It wants so many; else there is no end to them, and it says after each whether that was enough, so it takes one at least.</param>
internal sealed record SubscribeNode(string Name, int Count, bool Counts, int Tag) : Node(Name)
{
    protected override string Body => Inv($$"""
        "call": "{{Messages.Function}}", "with": { "document": { "endpoint": "https://sim.example/messages" }, "operation": "hear", "server": { "name": "sim", "variables": { "n": "${ .n }", "tag": {{Tag}} } },
          "subscription": { "consume": { {{(Counts ? Inv($"\"amount\": {Count}") : Inv($"\"until\": \"${{ length >= {Count} }}\""))}} },
            "foreach": { "item": "message", "do": [ { "{{Name}}each": { "call": "count:1.0.0@default", "with": { "n": "${ $message.n }", "tag": {{Tag}} } } } ] } } },
        "output": { "as": "${ { n: (([.[].n] | add // 0) % {{Modulus}}) } }" }
        """);

    protected override Outcomes Does(Library library, int n) =>
        Outcomes.Of(Outcome.Value(Enumerable.Range(0, Counts ? Count : Math.Max(1, Count)).Sum(i => CallNode.Answer(Messages.Number(n, Tag, i), Tag)) % Modulus));
}
