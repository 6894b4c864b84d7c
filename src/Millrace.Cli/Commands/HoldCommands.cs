using System.CommandLine;
using Millrace.Cli.Inputs;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary>Has all runs of a definition, or of the workspace, stand and go on.</summary>
internal static class HoldCommands
{
    private static readonly Argument<string> Name = new("definition") { Description = "namespace/name." };
    private static readonly Option<string?> Reason = new("--reason") { Description = "Why; runs that stand tell it.", HelpName = "text" };

    /// <summary><c>millrace definitions suspend</c> and <c>resume</c>.</summary>
    public static Verb[] OfDefinitions(CommandLine line) =>
    [
        line.With(new Verb("suspend", "No run of a definition begins, and those under way stop before their next step.", "millrace definitions suspend demo/order --reason 'wrong prices'") { Name, Reason }, (s, p, c) => SendAsync(s, p, Path(p), "suspension", c)),
        line.With(new Verb("resume", "Runs of a suspended definition go on where they were.", "millrace definitions resume demo/order") { Name }, (s, p, c) => SendAsync(s, p, Path(p), "resumption", c)),
    ];

    /// <summary><c>millrace workspace …</c>.</summary>
    public static Verb Create(CommandLine line)
    {
        var group = new Verb("workspace", "Have all runs stand, and go on.", "millrace workspace suspend --reason maintenance", "millrace workspace resume");
        group.Add(line.With(new Verb("suspend", "No run begins, and those under way stop before their next step.", "millrace workspace suspend") { Reason }, (s, p, c) => SendAsync(s, p, "api/v1/workspace", "suspension", c)));
        group.Add(line.With(new Verb("resume", "Runs go on where they were.", "millrace workspace resume"), (s, p, c) => SendAsync(s, p, "api/v1/workspace", "resumption", c)));
        group.Add(line.With(new Verb("suspensions", "List what is suspended.", "millrace workspace suspensions"), ListAsync));
        return group;
    }

    /// <exception cref="UsageException">The text names no definition, or names a version of one.</exception>
    private static string Path(ParseResult parse)
    {
        var definition = DefinitionReference.Parse(parse.GetRequiredValue(Name));
        if (definition.Version is not null) throw new UsageException("All versions are suspended together: name the definition without one.");
        return $"api/v1/definitions/{Uri.EscapeDataString(definition.Namespace)}/{Uri.EscapeDataString(definition.Name)}";
    }

    private static async Task<int> SendAsync(Session session, ParseResult parse, string path, string what, CancellationToken cancel)
    {
        var body = what == "suspension" && parse.GetValue(Reason) is { } reason ? Json.Object("reason", reason) : Json.EmptyObject;
        var (_, answer) = await session.Client.PostAsync($"{path}/{what}", body, null, cancel);
        if (session.Json) session.Terminal.Print(answer);
        else session.Terminal.Line(what == "suspension" ? "suspended" : "resumed");
        return Exit.Completed;
    }

    private static async Task<int> ListAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var found = await session.Client.GetAsync("api/v1/suspensions", cancel);
        if (session.Json) session.Terminal.Print(found);
        else
            Columns.Write(session.Terminal, ["WHAT", "SINCE", "REASON"], (found["items"].ArrayOrNull ?? JsonArray.Empty).Select(s => new[]
            {
                s["name"].StringOrNull is { } name ? $"{s["namespace"].StringOrNull}/{name}" : "the workspace", Times.Date(s["since"].StringOrNull), s["reason"].StringOrNull ?? "",
            }));
        return Exit.Completed;
    }
}
