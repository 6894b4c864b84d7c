using System.CommandLine;
using Millrace.Cli.Inputs;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace runs signal</c>: an event that one run alone hears.</summary>
internal static class SignalCommand
{
    private static readonly Argument<string> Name = new("name") { Description = "What it is called: the type of event that the run listens for." };
    private static readonly Argument<string[]> Members = new("key=value") { Description = "Members of the signal's data.", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string?> Data = new("--data") { Description = "The signal's data: JSON text, @file, or - for the standard input.", HelpName = "json" };
    private static readonly Option<string?> Key = new("--key") { Description = "Idempotency key: the same key sends one signal.", HelpName = "text" };

    public static void AddTo(Command runs, CommandLine line) => runs.Add(line.With(
        new Verb("signal", "Send a run an event that no other run hears; it hears it where it listens for that type, or when it begins to.",
            "millrace runs signal 019a… approved by=ada", "millrace runs signal 019a… order.changed --data @order.json --key change-17")
        {
            RunsCommands.Id, Name, Members, Data, Key,
        }, SendAsync));

    private static async Task<int> SendAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var body = Json.Object("name", parse.GetRequiredValue(Name));
        if (InputArguments.Read(parse.GetValue(Data), parse.GetValue(Members) ?? [], session.Terminal.In, "--data") is { } data) body = body.AsObject().With("data", data);
        var (_, sent) = await session.Client.PostAsync(RunsCommands.Path(parse, "/signals"), body, parse.GetValue(Key), cancel);
        if (session.Json) session.Terminal.Print(sent);
        else session.Terminal.Line($"event {sent["position"]} {sent["id"].StringOrNull}{(sent["duplicate"].IsTruthy ? " was there already" : $" sent to run {sent["run"].StringOrNull}")}");
        return Exit.Completed;
    }
}
