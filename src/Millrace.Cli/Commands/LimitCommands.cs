using System.CommandLine;
using System.Globalization;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace limits …</c>.</summary>
internal static class LimitCommands
{
    private static readonly Argument<string> Name = new("name") { Description = "namespace/name of the definition, or the name that limits of several share." };
    private static readonly Argument<string> Most = new("limit") { Description = "Runs at once, or none to take back what was set." };
    private static readonly Option<int> Lines = new("--limit") { Description = "Lines at most.", DefaultValueFactory = _ => 200, HelpName = "n" };
    private static readonly Option<int?> Weight = new("--weight") { Description = "Its share of what workspaces share, 1 to 100.", HelpName = "n" };
    private static readonly Option<string?> AtOnce = new("--runs") { Description = "Runs of the workspace at work at once, or none for any number.", HelpName = "n" };

    public static Command Create(CommandLine line)
    {
        var group = new Verb("limits", "See what keeps runs from working all at once, and set it.", "millrace limits", "millrace limits set demo/orders 5", "millrace limits workspace --weight 3");
        group.Add(Lines);
        line.Does(group, ListAsync);
        group.Add(line.With(new Verb("list", "List limits that runs hold or wait for.", "millrace limits list --json") { Lines }, ListAsync));
        group.Add(line.With(new Verb("set", "Set a limit in place of what the documents say.", "millrace limits set demo/orders 5", "millrace limits set demo/orders none") { Name, Most }, SetAsync));
        group.Add(line.With(new Verb("workspace", "See or set the workspace's weight, and how many of its runs work at once; what is not said stays.", "millrace limits workspace", "millrace limits workspace --weight 3") { Weight, AtOnce }, WorkspaceAsync));
        return group;
    }

    private static async Task<int> ListAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var items = await session.Client.ListAsync("api/v1/limits", parse.GetValue(Lines), cancel);
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(items)));
        else
            Columns.Write(session.Terminal, ["LIMIT", "KEY", "KIND", "MOST", "HELD", "QUEUED", "SINCE"], items.Select(l => new[]
            {
                l["name"].StringOrNull ?? "", l["key"].StringOrNull ?? "", l["kind"].StringOrNull ?? "", $"{l["limit"]}{(l["isSetting"].IsTruthy ? " (set)" : "")}",
                l["held"].ToString(), l["queued"].ToString(), Times.Date(l["oldestSince"].StringOrNull),
            }));
        return Exit.Completed;
    }

    private static async Task<int> SetAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var name = parse.GetRequiredValue(Name);
        var path = string.Join('/', name.Split('/', 2).Select(Uri.EscapeDataString));
        var (_, set) = await session.Client.PutAsync($"api/v1/limits/{path}", Json.Object("limit", Limit(parse.GetRequiredValue(Most))), cancel);
        if (session.Json) session.Terminal.Print(set);
        else session.Terminal.Line(set["limit"].IsNull ? $"{Terminal.Clean(name)} is what the documents say" : $"{Terminal.Clean(name)} is {set["limit"]}");
        return Exit.Completed;
    }

    private static async Task<int> WorkspaceAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        const string path = "api/v1/limits/workspace";
        var (weight, atOnce) = (parse.GetValue(Weight), parse.GetValue(AtOnce) is { } text ? Limit(text) : (Json?)null);
        var limits = await session.Client.GetAsync(path, cancel);
        if (weight is not null || atOnce is not null)
            (_, limits) = await session.Client.PutAsync(path, Json.Object("weight", weight ?? limits["weight"], "limit", atOnce ?? limits["limit"]), cancel);
        if (session.Json) session.Terminal.Print(limits);
        else session.Terminal.Line($"weight {limits["weight"]}, {(limits["limit"].IsNull ? "any number of runs" : $"{limits["limit"]} runs")} at once");
        return Exit.Completed;
    }

    /// <exception cref="UsageException">It is no number.</exception>
    private static Json Limit(string text)
    {
        if (text == "none") return Json.Null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : throw new UsageException($"'{text}' is no limit: a whole number, or none.");
    }
}
