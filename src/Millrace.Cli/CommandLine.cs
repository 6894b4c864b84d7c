using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Millrace.Cli.Api;
using Millrace.Cli.Commands;
using Millrace.Cli.Inputs;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli;

/// <summary>What every command has at hand.</summary>
/// <param name="Json">True when the caller wants output for machines.</param>
internal sealed record Session(Terminal Terminal, ServerClient Client, bool Json);

/// <summary>The whole command line, and the one place where its errors become messages and exit codes.</summary>
internal sealed class CommandLine
{
    private const string DefaultServer = "http://127.0.0.1:8000";

    private readonly Terminal _terminal;
    private readonly Option<string?> _server = new("--server")
    {
        Description = $"Address of the server. Default: the variable MILLRACE_URL, else {DefaultServer}.",
        HelpName = "url",
        Recursive = true,
    };
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON for other programs; problems go to the standard error, as JSON too.", Recursive = true };

    private CommandLine(Terminal terminal) => _terminal = terminal;

    public static async Task<int> RunAsync(string[] args, Terminal terminal, CancellationToken cancel)
    {
        var line = new CommandLine(terminal);
        // @file is a value here (--input @file), not a file with more arguments.
        var parse = line.Root().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var configuration = new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        if (parse.Action is not ParseErrorAction) return await parse.InvokeAsync(configuration, cancel);
        foreach (var error in parse.Errors) terminal.Note($"{terminal.Paint("error", Ink.Bad)} {error.Message}");
        terminal.Note($"See: millrace {string.Join(' ', Names(parse))}--help");
        return Exit.Refused;
    }

    /// <summary>The verb, which does this work.</summary>
    public Verb With(Verb verb, Func<Session, ParseResult, CancellationToken, Task<int>> work)
    {
        Does(verb, work);
        return verb;
    }

    /// <summary>Gives a command its work: with a session, and with errors told in one way.</summary>
    public void Does(Command command, Func<Session, ParseResult, CancellationToken, Task<int>> work) =>
        command.SetAction(async (parse, cancel) =>
        {
            var json = parse.GetValue(_json);
            try
            {
                using var client = new ServerClient(_terminal.Http(Address(parse.GetValue(_server))));
                return await work(new Session(_terminal, client, json), parse, cancel);
            }
            catch (Exception e) when (e is UsageException or RefusedException or DocumentException or UnreachableException or OperationCanceledException)
            {
                return Tell(e, json);
            }
        });

    private static IEnumerable<string> Names(ParseResult parse)
    {
        var names = new Stack<string>();
        for (var at = parse.CommandResult; at is { Command: not RootCommand }; at = at.Parent as System.CommandLine.Parsing.CommandResult) names.Push(at.Command.Name + " ");
        return names.Select(n => n.TrimEnd()).Append("");
    }

    private RootCommand Root()
    {
        var root = new RootCommand("millrace: start durable workflows, watch them, and look after them.");
        root.Options.Add(_server);
        root.Options.Add(_json);
        root.Subcommands.Add(RunCommand.Create(this));
        root.Subcommands.Add(DefinitionCommands.CreateValidate(this));
        root.Subcommands.Add(DefinitionCommands.Create(this));
        root.Subcommands.Add(RunsCommands.Create(this));
        root.Subcommands.Add(EventsCommands.Create(this));
        root.Subcommands.Add(ResourceCommands.Create(this));
        root.Subcommands.Add(ScheduleCommands.Create(this));
        root.Subcommands.Add(TriggerCommands.Create(this));
        root.Subcommands.Add(LimitCommands.Create(this));
        root.Subcommands.Add(DeadLetterCommands.Create(this));
        root.Subcommands.Add(RetentionCommand.Create(this));
        root.Subcommands.Add(ApprovalCommands.Create(this));
        root.Subcommands.Add(SinkCommands.Create(this));
        root.Subcommands.Add(HoldCommands.Create(this));
        root.Subcommands.Add(SystemCommand.Create(this));
        root.Subcommands.Add(TestCommand.Create(this));
        root.Subcommands.Add(RecordCommand.Create(this));
        root.Subcommands.Add(Admin());
        root.Subcommands.Add(new Verb("jq", "Run a jq filter over JSON, without a server. Its options are jq's own: see millrace jq --help.", "millrace jq -r '.items[].name' list.json"));
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return root;
    }

    /// <summary>Stands in the help. It works on the stores themselves, so it is part of the server's program, which ./millrace calls for it.</summary>
    private Verb Admin()
    {
        var command = new Verb("admin", "Move, back up, restore and verify data where it lies. Its options are its own: see millrace admin --help.", "millrace admin verify --data data");
        command.SetAction(_ =>
        {
            _terminal.Note($"{_terminal.Paint("error", Ink.Bad)} This program holds no databases: call ./millrace admin, or Millrace.Server admin.");
            return Exit.Refused;
        });
        return command;
    }

    /// <exception cref="UsageException">The address is no HTTP address.</exception>
    private static Uri Address(string? option)
    {
        var text = option ?? Environment.GetEnvironmentVariable("MILLRACE_URL");
        if (string.IsNullOrEmpty(text)) text = DefaultServer;
        if (!Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new UsageException($"'{text}' is no address of a server: expected something like {DefaultServer}.");
        return address;
    }

    private int Tell(Exception e, bool json)
    {
        var problem = Problem(e);
        if (json) _terminal.Error.WriteLine(problem.Body);
        else if (e is DocumentException document) new FindingView(_terminal, _terminal.Error).Draw(problem, document.Path, document.Text);
        else if (e is RefusedException) new FindingView(_terminal, _terminal.Error).Draw(problem);
        else _terminal.Note(e is OperationCanceledException ? "Interrupted. Runs go on." : $"{_terminal.Paint("error", Ink.Bad)} {Terminal.Clean(e.Message)}");
        if (e is UnreachableException && !json) _terminal.Note("Start a server with ./run, or name another one with --server or MILLRACE_URL.");
        return e switch
        {
            OperationCanceledException => Exit.Interrupted,
            UnreachableException => Exit.Unreachable,
            _ => problem.Status >= 500 ? Exit.Unreachable : Exit.Refused,
        };
    }

    private static Problem Problem(Exception e)
    {
        if (e is RefusedException refused) return refused.Problem;
        if (e is DocumentException document) return document.Problem;
        var code = e switch { UnreachableException => "cli.unreachable", OperationCanceledException => "cli.interrupted", _ => "cli.usage" };
        return new Problem(0, code, e.Message, e.Message, [], Json.Object("code", code, "detail", e.Message));
    }
}
