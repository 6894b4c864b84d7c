using System.CommandLine;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace dead-letters …</c>.</summary>
internal static class DeadLetterCommands
{
    private static readonly Argument<string> Id = new("id") { Description = "Id of the dead letter." };
    private static readonly Argument<string[]> Ids = new("ids") { Description = "Ids of dead letters; none: all that the options name.", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string?> Kind = new("--kind") { Description = "run, event or schedule.", HelpName = "kind" };
    private static readonly Option<string?> Reason = new("--reason") { Description = "Such as run.given_up.", HelpName = "code" };
    private static readonly Option<string?> Definition = new("--definition") { Description = "namespace/name.", HelpName = "name" };
    private static readonly Option<bool> All = new("--all") { Description = "All of them, when nothing else is named." };
    private static readonly Option<int> Lines = new("--limit") { Description = "Lines at most.", DefaultValueFactory = _ => 200, HelpName = "n" };

    public static Command Create(CommandLine line)
    {
        var group = new Verb("dead-letters", "See what could not be carried on or delivered, and try it again or forget it.",
            "millrace dead-letters list", "millrace dead-letters requeue --reason run.given_up", "millrace dead-letters discard --all");
        group.Add(line.With(new Verb("list", "List them.", "millrace dead-letters list --kind run") { Kind, Reason, Definition, Lines }, ListAsync));
        group.Add(line.With(new Verb("show", "Show one.", "millrace dead-letters show 1f0e…") { Id }, ShowAsync));
        group.Add(line.With(new Verb("requeue", "Try again.", "millrace dead-letters requeue --definition demo/orders") { Ids, Kind, Reason, Definition, All }, (s, p, c) => DealAsync(s, p, "requeue", c)));
        group.Add(line.With(new Verb("discard", "Forget.", "millrace dead-letters discard --kind event") { Ids, Kind, Reason, Definition, All }, (s, p, c) => DealAsync(s, p, "discard", c)));
        return group;
    }

    private static async Task<int> ListAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        string[] filter = [.. Filter(parse).Select(f => $"{f.Key}={Uri.EscapeDataString(f.Value)}")];
        var items = await session.Client.ListAsync($"api/v1/dead-letters{(filter.Length == 0 ? "" : $"?{string.Join('&', filter)}")}", parse.GetValue(Lines), cancel);
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(items)));
        else
            Columns.Write(session.Terminal, ["ID", "KIND", "SUBJECT", "DEFINITION", "REASON", "TIMES", "LAST", "ERROR"], items.Select(l => new[]
            {
                l["id"].StringOrNull ?? "", l["kind"].StringOrNull ?? "", l["subject"].StringOrNull ?? "", l["definition"].StringOrNull ?? "", l["reason"].StringOrNull ?? "",
                l["times"].ToString(), Times.Date(l["lastAt"].StringOrNull), l["error"]["title"].StringOrNull ?? "",
            }));
        return Exit.Completed;
    }

    private static async Task<int> ShowAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        session.Terminal.Print(await session.Client.GetAsync($"api/v1/dead-letters/{Uri.EscapeDataString(parse.GetRequiredValue(Id))}", cancel));
        return Exit.Completed;
    }

    private static async Task<int> DealAsync(Session session, ParseResult parse, string what, CancellationToken cancel)
    {
        var ids = parse.GetValue(Ids) ?? [];
        var filter = Filter(parse);
        if (ids.Length > 0 && filter.Count > 0) throw new UsageException("Name ids or a filter, not both.");
        if (ids.Length == 0 && filter.Count == 0 && !parse.GetValue(All)) throw new UsageException("Name ids or a filter, or say --all.");
        var body = new JsonObject.Builder();
        if (ids.Length > 0) body.Set("ids", JsonArray.Of(ids.Select(i => (Json)i).ToList()));
        foreach (var (key, value) in filter) body.Set(key, value);
        var request = (Json)body.Build();
        var (done, refused) = (0, new List<Json>());
        while (true)
        {
            var (_, answer) = await session.Client.PostAsync($"api/v1/dead-letters/{what}", request, null, cancel);
            done += (int)answer["done"].AsNumber();
            refused.AddRange(answer["refused"].ArrayOrNull ?? JsonArray.Empty);
            // From where it has come to on, so that what stays is met once.
            if (answer["next"].StringOrNull is { } next) request = request.AsObject().With("after", next);
            else if (!answer["more"].IsTruthy) break;
        }
        if (session.Json) session.Terminal.Print(Json.Object("done", done, "refused", JsonArray.Of(refused)));
        else
        {
            session.Terminal.Line($"{done} {(what == "requeue" ? "tried again" : "forgotten")}, {refused.Count} refused");
            foreach (var one in refused) session.Terminal.Line($"{one["id"].StringOrNull}  {Terminal.Clean(one["detail"].StringOrNull ?? "")}");
        }
        return refused.Count == 0 ? Exit.Completed : Exit.Refused;
    }

    private static Dictionary<string, string> Filter(ParseResult parse)
    {
        var filter = new Dictionary<string, string>();
        foreach (var (name, option) in ((string, Option<string?>)[])[("kind", Kind), ("reason", Reason), ("definition", Definition)])
            if (parse.GetValue(option) is { } value) filter[name] = value;
        return filter;
    }
}
