using System.CommandLine;
using Millrace.Cli.Api;
using Millrace.Cli.Inputs;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace run</c>: from a file or a name to the run's end.</summary>
internal static class RunCommand
{
    /// <summary>A request of 16 MiB is taken, with what else it says.</summary>
    private const int InRequestMax = (16 << 20) - (16 << 10);

    private const int UploadMax = 128 << 20;

    private static readonly Argument<string> What = new("what") { Description = "A definition's file (it is pushed first, with the definitions it runs that lie beside it), or namespace/name[:version] of one the server has." };
    private static readonly Argument<string[]> Members = new("key=value") { Description = "Members of the input. A value that is JSON is taken as JSON (n=5, on=true, list=[1,2]), anything else as text; n='\"5\"' forces text.", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string?> Input = new("--input") { Description = "The whole input: JSON text, @file, or - for the standard input. key=value sets members on top of it.", HelpName = "json|@file|-" };
    private static readonly Option<string?> Key = new("--idempotency-key") { Description = "Starts one run however often the command is repeated with this key (at most 255 characters).", HelpName = "key" };
    private static readonly Option<bool> Detach = new("--detach", "-d") { Description = "Answer as soon as the run is on disk; do not wait for its end." };
    private static readonly Option<bool> Plain = new("--plain") { Description = "One line for each change instead of a picture that moves. The default when the output is no terminal." };

    public static Command Create(CommandLine line)
    {
        var command = new Verb("run", "Start a run and follow it to its end.",
            "millrace run samples/release-notes.yaml repository=.",
            "millrace run samples/orders-csv.yaml --input @order.json --plain",
            "millrace run demo/release-notes:1.0.0 repository=/src/app since=v1.2 --detach",
            "echo '{\"n\": 5}' | millrace run demo/loop --input - --json | jq .output")
        { What, Members, Input, Key, Detach, Plain };
        line.Does(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var what = parse.GetRequiredValue(What);
        var members = parse.GetValue(Members) ?? [];
        var input = InputArguments.Read(parse.GetValue(Input), members, session.Terminal.In, bytesMax: UploadMax);
        var (definition, pushed) = await ResolveAsync(session, what, cancel);
        if (input is { } typed && members.Length > 0) input = InputArguments.WithAbsolutePaths(typed, members, await SchemaAsync(session, definition, cancel));
        var request = JsonObject.Empty.With("definition", definition.ToJson());
        if (input is { } given) request = await WithInputAsync(session.Client, request, given, cancel);
        var (status, run) = await session.Client.PostAsync("api/v1/runs", request, parse.GetValue(Key), cancel);
        var id = run["id"].AsString();
        if (!session.Json) session.Terminal.Line($"run {id} {(status == 201 ? "started" : "was started before with this key")}");
        if (parse.GetValue(Detach))
        {
            if (session.Json) session.Terminal.Print(run);
            else session.Terminal.Line($"See it with: millrace runs watch {id}");
            return Exit.Completed;
        }
        return await new RunWatch(session, plain: parse.GetValue(Plain)).FollowAsync(run, pushed, cancel);
    }

    /// <summary>In the request; what is too large for that is uploaded, which a server with a bucket offers.</summary>
    private static async Task<JsonObject> WithInputAsync(ServerClient client, JsonObject request, Json input, CancellationToken cancel)
    {
        var bytes = JsonText.ToUtf8(input);
        return bytes.Length <= InRequestMax ? request.With("input", input) : request.With("upload", await client.UploadAsync(bytes, cancel));
    }

    private static async Task<Json> SchemaAsync(Session session, DefinitionReference definition, CancellationToken cancel) =>
        (await session.Client.GetAsync(definition.VersionPath, cancel))["inputSchema"];

    private static async Task<(DefinitionReference, List<Pushed>)> ResolveAsync(Session session, string what, CancellationToken cancel)
    {
        if (!File.Exists(what) && DefinitionReference.TryParse(what) is { } reference) return (reference, []);
        if (!File.Exists(what)) throw new UsageException($"There is no file {what}, and it is no namespace/name[:version] either.");
        var pushed = await new DefinitionFiles(session.Client).PushWithChildrenAsync(what, cancel);
        foreach (var one in pushed) DefinitionCommands.Report(session, one);
        return (pushed[^1].Definition, pushed);
    }
}
