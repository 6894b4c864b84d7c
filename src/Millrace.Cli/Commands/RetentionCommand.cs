using System.CommandLine;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace retention</c>.</summary>
internal static class RetentionCommand
{
    private static readonly string[] Ends = ["completed", "faulted", "cancelled"];

    private static readonly Option<string?>[] Times =
        [.. Ends.Select(e => new Option<string?>($"--{e}") { Description = $"For how long {e} runs are kept, such as P30D, or forever.", HelpName = "time" })];

    public static Command Create(CommandLine line)
    {
        var verb = new Verb("retention", "See or set for how long runs are kept whose definition says nothing.", "millrace retention", "millrace retention --completed P7D --faulted P30D --cancelled P7D");
        foreach (var option in Times) verb.Add(option);
        line.Does(verb, DoAsync);
        return verb;
    }

    private static async Task<int> DoAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var retention = await session.Client.GetAsync("api/v1/retention", cancel);
        if (Array.Exists(Times, t => parse.GetValue(t) is not null))
        {
            var body = new JsonObject.Builder();
            for (var i = 0; i < Ends.Length; i++)
                body.Set(Ends[i], parse.GetValue(Times[i]) is { } time ? time == "forever" ? Json.Null : time : retention[Ends[i]]);
            (_, retention) = await session.Client.PutAsync("api/v1/retention", (Json)body.Build(), cancel);
        }
        if (session.Json) session.Terminal.Print(retention);
        else
            foreach (var end in Ends) session.Terminal.Line($"{end}: {retention[end].StringOrNull ?? "forever"}");
        return Exit.Completed;
    }
}
