using System.CommandLine;
using System.Globalization;
using Millrace.Cli.Inputs;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace events …</c>: send events to the workspace, and look at those that came.</summary>
internal static class EventsCommands
{
    private const int BatchMax = 1000;

    private static readonly Argument<string?> Type = new("type") { Description = "Type of the event, such as com.example.order.placed.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string[]> Members = new("key=value") { Description = "Members of the event's data.", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string> Source = new("--source") { Description = "Where it comes from: a URI reference.", HelpName = "uri", DefaultValueFactory = _ => "/millrace/cli" };
    private static readonly Option<string?> Id = new("--id") { Description = "The same id from the same source again is the same event. Default: a new one.", HelpName = "id" };
    private static readonly Option<string?> Subject = new("--subject") { Description = "What it is about.", HelpName = "text" };
    private static readonly Option<string?> Data = new("--data") { Description = "The event's data: JSON text, @file, or - for the standard input.", HelpName = "json" };
    private static readonly Option<string[]> Attribute = new("--attribute", "-a") { Description = "A further attribute; may be repeated.", HelpName = "name=value" };
    private static readonly Option<string?> Files = new("--file") { Description = "Send the CloudEvents of this JSON file instead: one, or an array of at most 1000.", HelpName = "file" };

    private static readonly Option<string?> OfType = new("--type") { Description = "Only events of this type.", HelpName = "type" };
    private static readonly Option<string?> OfSource = new("--source") { Description = "Only events from this source.", HelpName = "uri" };
    private static readonly Option<string?> OfSubject = new("--subject") { Description = "Only events about this subject.", HelpName = "text" };
    private static readonly Option<int> Limit = new("--limit") { Description = "Lines at most.", DefaultValueFactory = _ => 50, HelpName = "n" };
    private static readonly Argument<long> Position = new("position") { Description = "The event's position, as the list shows it." };

    public static Command Create(CommandLine line)
    {
        var group = new Verb("events", "Send events to runs that listen, and look at those that came.",
            "millrace events send com.example.order.placed order=17", "millrace events list --type com.example.order.placed");
        group.Add(line.With(new Verb("send", "Send events; each run that listens for them hears them.",
            "millrace events send com.example.order.placed order=17 --subject 17", "millrace events send --file events.json") { Type, Members, Source, Id, Subject, Data, Attribute, Files }, SendAsync));
        group.Add(line.With(new Verb("list", "List events, newest first.", "millrace events list --limit 20") { OfType, OfSource, OfSubject, Limit }, ListAsync));
        group.Add(line.With(new Verb("get", "Show one event as a whole.", "millrace events get 17") { Position }, GetAsync));
        group.Add(line.With(new Verb("runs", "List the runs that heard an event, oldest first.", "millrace events runs 17") { Position, Limit }, RunsAsync));
        return group;
    }

    private static async Task<int> SendAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var events = parse.GetValue(Files) is { } file ? OfFile(file, parse) : Json.Array(OfOptions(session, parse));
        var (_, kept) = await session.Client.PostAsync("api/v1/events", events, null, cancel, "application/cloudevents-batch+json");
        if (session.Json) session.Terminal.Print(kept);
        else
            foreach (var one in kept["items"].ArrayOrNull ?? JsonArray.Empty)
                session.Terminal.Line($"event {one["position"]} {one["id"].StringOrNull}{(one["duplicate"].IsTruthy ? " was there already" : " sent")}");
        return Exit.Completed;
    }

    private static Json OfFile(string file, ParseResult parse)
    {
        if (parse.GetValue(Type) is not null) throw new UsageException("--file holds whole events; a type beside it means nothing.");
        Json json;
        try
        {
            json = JsonText.Parse(TextFile.Read(file, InputArguments.BytesMax));
        }
        catch (JsonTextException e)
        {
            throw new UsageException($"{file} is no JSON: line {e.Line}, column {e.Column}: {e.Message}");
        }
        if (json.ArrayOrNull is { Count: > BatchMax } many) throw new UsageException($"{file} holds {many.Count} events; at most {BatchMax} are sent at once.");
        return json.IsArray ? json : Json.Array(json);
    }

    private static Json OfOptions(Session session, ParseResult parse)
    {
        var type = parse.GetValue(Type) ?? throw new UsageException("A type is needed, such as com.example.order.placed, or --file with whole events.");
        var built = new JsonObject.Builder().Set("specversion", "1.0").Set("id", parse.GetValue(Id) ?? Guid.CreateVersion7().ToString())
            .Set("source", parse.GetValue(Source)!).Set("type", type)
            .Set("time", session.Terminal.Time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
        if (parse.GetValue(Subject) is { } subject) built.Set("subject", subject);
        foreach (var attribute in parse.GetValue(Attribute) ?? [])
        {
            if (attribute.Split('=', 2) is not [{ Length: > 0 } name, var value]) throw new UsageException($"'{attribute}' is no attribute: expected name=value.");
            built.Set(name, value);
        }
        if (InputArguments.Read(parse.GetValue(Data), parse.GetValue(Members) ?? [], session.Terminal.In, "--data") is { } data) built.Set("data", data);
        return built.Build();
    }

    private static async Task<int> ListAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var query = new List<string>();
        foreach (var (name, value) in new[] { ("type", parse.GetValue(OfType)), ("source", parse.GetValue(OfSource)), ("subject", parse.GetValue(OfSubject)) })
            if (value is not null) query.Add($"{name}={Uri.EscapeDataString(value)}");
        var items = await session.Client.ListAsync($"api/v1/events{(query.Count == 0 ? "" : $"?{string.Join('&', query)}")}", parse.GetValue(Limit), cancel);
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(items)));
        else
            Columns.Write(session.Terminal, ["EVENT", "RECEIVED", "TYPE", "SOURCE", "SUBJECT", "ID"], items.Select(e => new[]
            {
                e["position"].ToString(), Times.Date(e["receivedAt"].StringOrNull), e["type"].StringOrNull ?? "", e["source"].StringOrNull ?? "",
                e["subject"].StringOrNull ?? "", e["id"].StringOrNull ?? "",
            }));
        return Exit.Completed;
    }

    private static async Task<int> GetAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var found = await session.Client.GetAsync($"api/v1/events/{parse.GetValue(Position)}", cancel);
        if (session.Json) session.Terminal.Print(found);
        else session.Terminal.PrintIndented(found["event"]);
        return Exit.Completed;
    }

    private static async Task<int> RunsAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var items = await session.Client.ListAsync($"api/v1/events/{parse.GetValue(Position)}/runs", parse.GetValue(Limit), cancel);
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(items)));
        else
            Columns.Write(session.Terminal, ["RUN", "STATE", "DEFINITION", "CREATED", "HOW"], items.Select(heard => new[]
            {
                heard["run"]["id"].StringOrNull ?? "", heard["run"]["state"].StringOrNull ?? "", DefinitionReference.Of(heard["run"]["definition"]).ToString(),
                Times.Date(heard["run"]["createdAt"].StringOrNull), heard["started"].IsTruthy ? "started by it" : "listened",
            }));
        return Exit.Completed;
    }
}
