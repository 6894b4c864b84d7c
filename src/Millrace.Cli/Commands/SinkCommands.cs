using System.CommandLine;
using Millrace.Cli.Inputs;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace sinks …</c>.</summary>
internal static class SinkCommands
{
    private static readonly Argument<string> Which = new("sink") { Description = "Name or id of the sink." };
    private static readonly Argument<string> Name = new("name") { Description = "Its name, new in the workspace." };
    private static readonly Argument<string> Url = new("url") { Description = "Where events are sent: an http or https address." };
    private static readonly Option<string[]> Types = new("--type") { Description = "A type of events, or its beginning and a star; repeat for several. Without: every type.", HelpName = "type" };
    private static readonly Option<string?> Secret = new("--secret") { Description = "Name of the secret with a token, or with username and password.", HelpName = "name" };
    private static readonly Option<bool> Binary = new("--binary") { Description = "Send attributes as headers and data as content, instead of whole events as JSON." };
    private static readonly Option<long?> Patience = new("--patience") { Description = "Failing for so long it is given up; three days unless said.", HelpName = "seconds" };
    private static readonly Option<string?> NewName = new("--name") { Description = "Another name.", HelpName = "name" };
    private static readonly Option<string?> NewUrl = new("--url") { Description = "Another address.", HelpName = "url" };
    private static readonly Option<bool> EveryType = new("--every-type") { Description = "Send events of every type." };
    private static readonly Option<string?> NewSecret = new("--secret") { Description = "Name of another secret; '' for none.", HelpName = "name" };
    private static readonly Option<string?> Mode = new("--mode") { Description = "structured or binary.", HelpName = "mode" };
    private static readonly Option<int> Limit = new("--limit") { Description = "Lines at most.", DefaultValueFactory = _ => 200, HelpName = "n" };

    public static Command Create(CommandLine line)
    {
        var group = new Verb("sinks", "Send the workspace's events to addresses.",
            "millrace sinks add billing https://billing.example.com/events --type 'com.example.order.*'", "millrace sinks list", "millrace sinks test billing");
        group.Aliases.Add("sink");
        group.Add(line.With(new Verb("list", "List sinks and how far each has come.", "millrace sinks list --json") { Limit }, ListAsync));
        group.Add(line.With(new Verb("show", "Show one sink.", "millrace sinks show billing") { Which }, ShowAsync));
        group.Add(line.With(new Verb("add", "Send events from now on to an address.", "millrace sinks add ops https://ops.example.com/ --type 'io.serverlessworkflow.workflow.faulted.v1' --secret opsToken") { Name, Url, Types, Secret, Binary, Patience }, AddAsync));
        group.Add(line.With(new Verb("change", "Change a sink; what is not said stays, and one that was given up goes on.", "millrace sinks change ops --url https://ops.example.com/v2") { Which, NewName, NewUrl, Types, EveryType, NewSecret, Mode, Patience }, ChangeAsync));
        group.Add(line.With(new Verb("pause", "Send a sink nothing until it is resumed; its events wait.", "millrace sinks pause billing") { Which }, (s, p, c) => PauseAsync(s, p, true, c)));
        group.Add(line.With(new Verb("resume", "Let a sink go on from where it stands, also one that was given up.", "millrace sinks resume billing") { Which }, (s, p, c) => PauseAsync(s, p, false, c)));
        group.Add(line.With(new Verb("test", "Send one event to a sink at once and say what came of it.", "millrace sinks test billing") { Which }, TestAsync));
        group.Add(line.With(new Verb("remove", "Send a sink nothing more.", "millrace sinks remove billing") { Which }, RemoveAsync));
        return group;
    }

    /// <exception cref="UsageException">There is no sink of that name.</exception>
    private static async Task<string> PathAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var which = parse.GetRequiredValue(Which);
        if (Guid.TryParseExact(which, "D", out var id)) return $"api/v1/sinks/{id}";
        foreach (var sink in await session.Client.ListAsync("api/v1/sinks", 1000, cancel))
            if (sink["name"].StringOrNull == which) return $"api/v1/sinks/{sink["id"].StringOrNull}";
        throw new UsageException($"There is no sink named '{which}'; 'millrace sinks list' shows them.");
    }

    private static async Task<int> ListAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var items = await session.Client.ListAsync("api/v1/sinks", parse.GetValue(Limit), cancel);
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(items)));
        else
            Columns.Write(session.Terminal, ["NAME", "STATE", "DELIVERED", "PENDING", "URL", "ERROR"], items.Select(s => new[]
            {
                s["name"].StringOrNull ?? "", s["state"].StringOrNull ?? "", s["delivered"].ToString(), s["pending"].ToString(), s["url"].StringOrNull ?? "", s["error"].StringOrNull ?? "",
            }));
        return Exit.Completed;
    }

    private static async Task<int> ShowAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        session.Terminal.Print(await session.Client.GetAsync(await PathAsync(session, parse, cancel), cancel));
        return Exit.Completed;
    }

    private static async Task<int> AddAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var body = new JsonObject.Builder().Set("name", parse.GetRequiredValue(Name)).Set("url", parse.GetRequiredValue(Url)).Set("mode", parse.GetValue(Binary) ? "binary" : "structured");
        if (parse.GetValue(Types) is { Length: > 0 } types) body.Set("types", JsonArray.Of(types.Select(t => (Json)t).ToList()));
        if (parse.GetValue(Secret) is { } secret) body.Set("secret", secret);
        if (parse.GetValue(Patience) is { } patience) body.Set("patienceSeconds", patience);
        var (_, sink) = await session.Client.PostAsync("api/v1/sinks", body.Build(), null, cancel);
        if (session.Json) session.Terminal.Print(sink);
        else session.Terminal.Line($"sink {Terminal.Clean(sink["name"].StringOrNull ?? "")} {sink["id"].StringOrNull}");
        return Exit.Completed;
    }

    private static async Task<int> ChangeAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var body = new JsonObject.Builder();
        if (parse.GetValue(NewName) is { } name) body.Set("name", name);
        if (parse.GetValue(NewUrl) is { } url) body.Set("url", url);
        var types = parse.GetValue(Types) ?? [];
        if (types.Length > 0 && parse.GetValue(EveryType)) throw new UsageException("Either --type or --every-type, not both.");
        if (types.Length > 0 || parse.GetValue(EveryType)) body.Set("types", JsonArray.Of(types.Select(t => (Json)t).ToList()));
        if (parse.GetValue(NewSecret) is { } secret) body.Set("secret", secret);
        if (parse.GetValue(Mode) is { } mode) body.Set("mode", mode);
        if (parse.GetValue(Patience) is { } patience) body.Set("patienceSeconds", patience);
        var change = body.Build();
        if (change.Count == 0) throw new UsageException("Say what to change; see 'millrace sinks change --help'.");
        Tell(session, await session.Client.PatchAsync(await PathAsync(session, parse, cancel), change, cancel));
        return Exit.Completed;
    }

    private static async Task<int> PauseAsync(Session session, ParseResult parse, bool paused, CancellationToken cancel)
    {
        Tell(session, await session.Client.PatchAsync(await PathAsync(session, parse, cancel), Json.Object("paused", paused), cancel));
        return Exit.Completed;
    }

    private static void Tell(Session session, Json sink)
    {
        if (session.Json) session.Terminal.Print(sink);
        else session.Terminal.Line($"{Terminal.Clean(sink["name"].StringOrNull ?? "")} is {sink["state"].StringOrNull}, {sink["pending"]} pending");
    }

    private static async Task<int> TestAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var (_, end) = await session.Client.PostAsync($"{await PathAsync(session, parse, cancel)}/test", Json.EmptyObject, null, cancel);
        if (session.Json) session.Terminal.Print(end);
        else session.Terminal.Line(end["taken"].IsTruthy ? $"taken ({end["status"]})" : $"not taken: {Terminal.Clean(end["error"].StringOrNull ?? "")}");
        return end["taken"].IsTruthy ? Exit.Completed : Exit.Refused;
    }

    private static async Task<int> RemoveAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        await session.Client.DeleteAsync(await PathAsync(session, parse, cancel), cancel);
        if (!session.Json) session.Terminal.Line("removed");
        return Exit.Completed;
    }
}
