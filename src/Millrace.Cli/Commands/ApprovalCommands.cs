using System.CommandLine;
using Millrace.Cli.Inputs;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace approvals …</c>: what people are asked, and what they say.</summary>
internal static class ApprovalCommands
{
    private static readonly Argument<string> Id = new("id") { Description = "The id of the question." };
    private static readonly Option<string[]> State = new("--state") { Description = "Only those in this state: open, approved, rejected, expired, cancelled; may be repeated.", HelpName = "state" };
    private static readonly Option<string?> Run = new("--run") { Description = "Only those of this run.", HelpName = "id" };
    private static readonly Option<int> Limit = new("--limit") { Description = "Lines at most.", HelpName = "n", DefaultValueFactory = _ => 50 };
    private static readonly Option<string> By = new("--by") { Description = "Who says it. Default: the user of this machine.", HelpName = "name", DefaultValueFactory = _ => Environment.UserName };
    private static readonly Option<string?> Comment = new("--comment") { Description = "Why.", HelpName = "text" };
    private static readonly Option<string?> Form = new("--form") { Description = "What the form asks for, as JSON.", HelpName = "json" };
    private static readonly Option<string> To = new("--to") { Description = "Who is to decide instead.", HelpName = "name", Required = true };
    private static readonly Option<string> For = new("--for") { Description = "In whose name the link decides.", HelpName = "name", Required = true };

    public static Verb Create(CommandLine line)
    {
        var group = new Verb("approvals", "See what people are asked, and decide.", "millrace approvals list --state open", "millrace approvals approve 019a… --by anna");
        group.Aliases.Add("approval");
        group.Add(line.With(new Verb("list", "List questions, newest first.", "millrace approvals list --state open") { State, Run, Limit }, ListAsync));
        group.Add(line.With(new Verb("show", "Show one question and what people have said.", "millrace approvals show 019a…") { Id }, ShowAsync));
        group.Add(line.With(new Verb("approve", "Say yes.", "millrace approvals approve 019a… --by anna --form '{\"amount\": 5}'") { Id, By, Comment, Form }, (s, p, c) => DecideAsync(s, p, "approve", c)));
        group.Add(line.With(new Verb("reject", "Say no.", "millrace approvals reject 019a… --by anna --comment 'too dear'") { Id, By, Comment, Form }, (s, p, c) => DecideAsync(s, p, "reject", c)));
        group.Add(line.With(new Verb("delegate", "Hand one's vote to another.", "millrace approvals delegate 019a… --by anna --to bert") { Id, By, To, Comment }, DelegateAsync));
        group.Add(line.With(new Verb("link", "Make a link with which whoever has it decides; its token is shown this once.", "millrace approvals link 019a… --for anna") { Id, For }, LinkAsync));
        return group;
    }

    private static string Path(ParseResult parse) => $"api/v1/approvals/{Uri.EscapeDataString(parse.GetRequiredValue(Id))}";

    private static async Task<int> ListAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var query = new List<string>();
        foreach (var state in parse.GetValue(State) ?? []) query.Add($"state={Uri.EscapeDataString(state)}");
        if (parse.GetValue(Run) is { } run) query.Add($"run={Uri.EscapeDataString(run)}");
        var items = await session.Client.ListAsync($"api/v1/approvals{(query.Count == 0 ? "" : "?" + string.Join('&', query))}", parse.GetValue(Limit), cancel);
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(items)));
        else
            Columns.Write(session.Terminal, ["ID", "STATE", "TITLE", "AGREED", "ASKED", "EXPIRES", "RUN"], items.Select(a => new[]
            {
                a["id"].StringOrNull ?? "", a["state"].StringOrNull ?? "", a["title"].StringOrNull ?? "", $"{Agreed(a)} of {a["quorum"]}", Times.Date(a["createdAt"].StringOrNull),
                Times.Date(a["expiresAt"].StringOrNull), a["run"].StringOrNull ?? "",
            }));
        return Exit.Completed;
    }

    private static async Task<int> ShowAsync(Session session, ParseResult parse, CancellationToken cancel) => Tell(session, await session.Client.GetAsync(Path(parse), cancel));

    private static async Task<int> DecideAsync(Session session, ParseResult parse, string decision, CancellationToken cancel)
    {
        var body = JsonObject.Empty.With("by", parse.GetRequiredValue(By)).With("decision", decision);
        if (parse.GetValue(Comment) is { } comment) body = body.With("comment", comment);
        if (parse.GetValue(Form) is { } form) body = body.With("form", FormOf(form));
        return Tell(session, (await session.Client.PostAsync($"{Path(parse)}/decisions", body, null, cancel)).Body);
    }

    private static async Task<int> DelegateAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var body = JsonObject.Empty.With("by", parse.GetRequiredValue(By)).With("to", parse.GetRequiredValue(To));
        if (parse.GetValue(Comment) is { } comment) body = body.With("comment", comment);
        return Tell(session, (await session.Client.PostAsync($"{Path(parse)}/delegation", body, null, cancel)).Body);
    }

    private static async Task<int> LinkAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var (_, link) = await session.Client.PostAsync($"{Path(parse)}/links", Json.Object("for", parse.GetRequiredValue(For)), null, cancel);
        if (session.Json) session.Terminal.Print(link);
        else session.Terminal.Line(new Uri(session.Client.Address, (link["page"].StringOrNull ?? "").TrimStart('/')).ToString());
        return Exit.Completed;
    }

    /// <exception cref="UsageException">The text is no JSON.</exception>
    private static Json FormOf(string text)
    {
        try
        {
            return JsonText.Parse(text);
        }
        catch (JsonTextException e)
        {
            throw new UsageException($"--form is no JSON: column {e.Column}: {e.Message}");
        }
    }

    private static int Tell(Session session, Json approval)
    {
        var terminal = session.Terminal;
        if (session.Json)
        {
            terminal.Print(approval);
            return Exit.Completed;
        }
        terminal.Line($"{approval["id"].StringOrNull}  {approval["state"].StringOrNull}  {Terminal.Clean(approval["title"].StringOrNull ?? "")}");
        if (approval["description"].StringOrNull is { } description) terminal.Line(Terminal.Clean(description));
        terminal.Line($"run {approval["run"].StringOrNull}, step {approval["step"]}; {Agreed(approval)} of {approval["quorum"]} have agreed");
        if (!approval["show"].IsNull) terminal.Line(Terminal.Clean(approval["show"].ToString()));
        terminal.Line($"sha-256 {approval["hash"].StringOrNull}");
        foreach (var said in approval["decisions"].ArrayOrNull ?? JsonArray.Empty)
            terminal.Line($"{Times.Date(said["at"].StringOrNull)}  {Terminal.Clean(said["by"].StringOrNull ?? "")} {said["decision"].StringOrNull}{(said["to"].StringOrNull is { } to ? $" to {Terminal.Clean(to)}" : "")}{(said["comment"].StringOrNull is { } comment ? $": {Terminal.Clean(comment)}" : "")}");
        return Exit.Completed;
    }

    private static int Agreed(Json approval) => (approval["decisions"].ArrayOrNull ?? JsonArray.Empty).Count(d => d["decision"].StringOrNull == "approve");
}
