using System.CommandLine;
using Millrace.Cli.Inputs;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace definitions …</c> and <c>millrace validate</c>.</summary>
internal static class DefinitionCommands
{
    private static readonly Argument<string> Reference = new("definition") { Description = "namespace/name, or namespace/name:version; without a version the latest." };
    private static readonly Argument<string[]> Files = new("file") { Description = "Documents, YAML or JSON.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string?> Query = new("--query", "-q") { Description = "Only definitions whose name, title or summary holds this text, or whose document has all of its words.", HelpName = "text" };
    private static readonly Option<int> Limit = new("--limit") { Description = "Lines at most.", DefaultValueFactory = _ => 200, HelpName = "n" };

    public static Command Create(CommandLine line)
    {
        var group = new Verb("definitions", "Push definitions and look at them.",
            "millrace definitions push samples/*.yaml", "millrace definitions list", "millrace definitions graph demo/release-notes");
        group.Aliases.Add("definition");
        group.Add(line.With(new Verb("push", "Push documents to the server. A version, once pushed, keeps its text for ever.", "millrace definitions push flow.yaml") { Files }, PushAsync));
        group.Add(line.With(new Verb("list", "List the latest version of each definition.", "millrace definitions list --query release") { Query, Limit }, ListAsync));
        group.Add(line.With(new Verb("versions", "List the versions of one definition, newest first.", "millrace definitions versions demo/release-notes") { Reference, Limit }, VersionsAsync));
        group.Add(CreateValidate(line));
        group.Add(line.With(new Verb("show", "Show one version.", "millrace definitions show demo/release-notes:1.0.0") { Reference }, ShowAsync));
        group.Add(line.With(new Verb("source", "Print the text as it was pushed.", "millrace definitions source demo/release-notes > flow.yaml") { Reference }, SourceAsync));
        group.Add(line.With(new Verb("graph", "Print the tasks and how they follow each other.", "millrace definitions graph demo/release-notes") { Reference }, GraphAsync));
        foreach (var verb in HoldCommands.OfDefinitions(line)) group.Add(verb);
        return group;
    }

    public static Command CreateValidate(CommandLine line) =>
        line.With(new Verb("validate", "Check documents without pushing them; errors are shown where they stand.", "millrace validate samples/*.yaml", "millrace validate flow.yaml --json") { Files }, ValidateAsync);

    /// <summary>Says what became of a pushed file, and its warnings.</summary>
    public static void Report(Session session, Pushed pushed)
    {
        if (session.Json) return;
        session.Terminal.Line($"{(pushed.Created ? "pushed" : "unchanged")} {pushed.Definition} from {pushed.File}");
        new FindingView(session.Terminal, session.Terminal.Error).Draw(pushed.Warnings, pushed.File, pushed.Text);
    }

    private static async Task<int> PushAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var files = new DefinitionFiles(session.Client);
        var done = new List<Json>();
        foreach (var file in parse.GetRequiredValue(Files))
        {
            var pushed = await files.PushAsync(file, cancel);
            Report(session, pushed);
            done.Add(pushed.Body);
        }
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(done)));
        return Exit.Completed;
    }

    private static async Task<int> ValidateAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var files = new DefinitionFiles(session.Client);
        var results = new List<Json>();
        var allValid = true;
        foreach (var file in parse.GetRequiredValue(Files))
        {
            var found = await files.CheckAsync(file, cancel);
            allValid &= found.Valid;
            results.Add(found.Body.AsObject().With("file", file));
            if (session.Json) continue;
            new FindingView(session.Terminal, session.Terminal.Out).Draw(found.Findings, file, found.Text);
            session.Terminal.Line(found.Valid ? $"{file}: valid{(found.Definition is null ? "" : $", {found.Definition}")}" : $"{file}: {found.Findings.Count(f => f.IsError)} error(s)");
        }
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(results)));
        return allValid ? Exit.Completed : Exit.Refused;
    }

    private static Task<int> ListAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var query = parse.GetValue(Query);
        return PrintListAsync(session, query is null ? "api/v1/definitions" : $"api/v1/definitions?q={Uri.EscapeDataString(query)}", parse.GetValue(Limit), cancel);
    }

    private static Task<int> VersionsAsync(Session session, ParseResult parse, CancellationToken cancel) =>
        PrintListAsync(session, $"{DefinitionReference.Parse(parse.GetRequiredValue(Reference)).Path}/versions", parse.GetValue(Limit), cancel);

    private static async Task<int> PrintListAsync(Session session, string path, int limit, CancellationToken cancel)
    {
        var items = await session.Client.ListAsync(path, limit, cancel);
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(items)));
        else
            Columns.Write(session.Terminal, ["DEFINITION", "CREATED", "TITLE"],
                items.Select(i => new[] { DefinitionReference.Of(i).ToString(), Times.Date(i["createdAt"].StringOrNull), i["title"].StringOrNull ?? "" }));
        return Exit.Completed;
    }

    private static async Task<int> ShowAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var found = await session.Client.GetAsync(DefinitionReference.Parse(parse.GetRequiredValue(Reference)).VersionPath, cancel);
        if (session.Json) session.Terminal.Print(found);
        else session.Terminal.PrintIndented(found);
        return Exit.Completed;
    }

    private static async Task<int> SourceAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var path = $"{DefinitionReference.Parse(parse.GetRequiredValue(Reference)).VersionPath}/source";
        var bytes = await session.Client.BytesAsync(path, cancel);
        if (session.Json) session.Terminal.Print(Json.Object("source", System.Text.Encoding.UTF8.GetString(bytes)));
        else session.Terminal.Write(bytes);
        return Exit.Completed;
    }

    private static async Task<int> GraphAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var graph = await session.Client.GetAsync($"{DefinitionReference.Parse(parse.GetRequiredValue(Reference)).VersionPath}/graph", cancel);
        if (session.Json) session.Terminal.Print(graph);
        else GraphText.Write(session.Terminal, graph);
        return Exit.Completed;
    }
}
