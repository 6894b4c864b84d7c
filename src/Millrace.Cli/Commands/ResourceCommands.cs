using System.CommandLine;
using Millrace.Cli.Inputs;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace resources …</c>: texts that a workspace keeps beside its definitions.</summary>
internal static class ResourceCommands
{
    private const long BytesMax = 2 << 20;

    private static readonly Argument<string> Name = new("name") { Description = "Name of the resource." };
    private static readonly Argument<string[]> Files = new("file") { Description = "Files to keep, each under its own name.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string?> As = new("--name") { Description = "Another name; for one file.", HelpName = "name" };
    private static readonly Option<string?> Under = new("--under") { Description = "What stands before the names, such as protos.", HelpName = "folder" };
    private static readonly Option<int> Limit = new("--limit") { Description = "Lines at most.", DefaultValueFactory = _ => 200, HelpName = "n" };

    public static Command Create(CommandLine line)
    {
        var group = new Verb("resources", "Keep documents of APIs, protos, schemas and scripts that definitions name by resource:///name.",
            "millrace resources push petstore.yaml", "millrace resources push greet.proto types.proto --under protos", "millrace resources list");
        group.Aliases.Add("resource");
        group.Add(line.With(new Verb("list", "List them.", "millrace resources list --json") { Limit }, ListAsync));
        group.Add(line.With(new Verb("push", "Keep files, in the place of those of the same names.", "millrace resources push petstore.yaml --name shop/petstore.yaml") { Files, As, Under }, PushAsync));
        group.Add(line.With(new Verb("get", "Print one.", "millrace resources get petstore.yaml") { Name }, GetAsync));
        group.Add(line.With(new Verb("remove", "Keep one no longer.", "millrace resources remove petstore.yaml") { Name }, RemoveAsync));
        return group;
    }

    private static string Path(string name) => $"api/v1/resources/{string.Join('/', name.Split('/').Select(Uri.EscapeDataString))}";

    private static async Task<int> ListAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var items = await session.Client.ListAsync("api/v1/resources", parse.GetValue(Limit), cancel);
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(items)));
        else
            Columns.Write(session.Terminal, ["ADDRESS", "TYPE", "BYTES", "CHANGED"], items.Select(r => new[]
            {
                r["address"].StringOrNull ?? "", r["mediaType"].StringOrNull ?? "", r["size"].ToString(), Times.Date(r["updatedAt"].StringOrNull),
            }));
        return Exit.Completed;
    }

    private static async Task<int> PushAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var files = parse.GetRequiredValue(Files);
        if (parse.GetValue(As) is not null && files.Length > 1) throw new UsageException("--name is for one file.");
        var kept = new List<Json>();
        foreach (var file in files)
        {
            var name = parse.GetValue(As) ?? System.IO.Path.GetFileName(file);
            if (parse.GetValue(Under)?.Trim('/') is { Length: > 0 } folder) name = $"{folder}/{name}";
            var (status, resource) = await session.Client.PutTextAsync(Path(name), TextFile.Read(file, BytesMax), TypeOf(file), cancel);
            kept.Add(resource);
            if (!session.Json) session.Terminal.Line($"{resource["address"].StringOrNull} {(status == 201 ? "is kept" : "is changed")}");
        }
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(kept)));
        return Exit.Completed;
    }

    private static async Task<int> GetAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        session.Terminal.Write(await session.Client.BytesAsync(Path(parse.GetRequiredValue(Name)), cancel));
        return Exit.Completed;
    }

    private static async Task<int> RemoveAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var name = parse.GetRequiredValue(Name);
        await session.Client.DeleteAsync(Path(name), cancel);
        if (!session.Json) session.Terminal.Line($"{name} is kept no longer");
        return Exit.Completed;
    }

    private static string TypeOf(string file) => System.IO.Path.GetExtension(file).ToLowerInvariant() switch
    {
        ".json" => "application/json",
        ".yaml" or ".yml" => "application/yaml",
        _ => "text/plain",
    };
}
