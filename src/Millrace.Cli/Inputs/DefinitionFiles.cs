using Millrace.Cli.Api;
using Millrace.Jq;

namespace Millrace.Cli.Inputs;

/// <summary>A document that the server finds wrong, with the text in which to show where.</summary>
internal sealed class DocumentException(string path, string source, Problem problem) : Exception($"{path}: {problem.Detail ?? problem.Title}")
{
    public string Path { get; } = path;
    public string Text { get; } = source;
    public Problem Problem { get; } = problem;
}

/// <param name="Created">False when the server had the same text already.</param>
internal sealed record Pushed(string File, string Text, DefinitionReference Definition, bool Created, IReadOnlyList<Finding> Warnings, Json Body);

/// <summary>What the server says of a document, changing nothing.</summary>
internal sealed record Checked(string File, string Text, bool Valid, IReadOnlyList<Finding> Findings, DefinitionReference? Definition, IReadOnlyList<DefinitionReference> Children, Json Body);

/// <summary>Definitions that lie in files: checked, and pushed together with the definitions they run.</summary>
internal sealed class DefinitionFiles(ServerClient client)
{
    /// <summary>The server's own limit; a longer file is not even sent.</summary>
    public const int BytesMax = 1 << 20;

    /// <summary>Neighbours that are looked into at most.</summary>
    private const int NeighboursMax = 200;

    private readonly Dictionary<string, Checked?> _checked = new(StringComparer.Ordinal);

    public async Task<Checked> CheckAsync(string file, CancellationToken cancel)
    {
        var text = TextFile.Read(file, BytesMax);
        var (_, body) = await client.PostDocumentAsync("api/v1/definitions/validation", text, cancel);
        return new Checked(file, text, body["valid"].IsTruthy, Finding.List(body["diagnostics"]),
            body["definition"].IsObject ? DefinitionReference.Of(body["definition"]) : null,
            [.. (body["children"].ArrayOrNull ?? JsonArray.Empty).Select(DefinitionReference.Of)], body);
    }

    /// <exception cref="DocumentException">The document has errors, or its version exists with another text.</exception>
    public async Task<Pushed> PushAsync(string file, CancellationToken cancel)
    {
        var text = TextFile.Read(file, BytesMax);
        try
        {
            var (status, body) = await client.PostDocumentAsync("api/v1/definitions", text, cancel);
            return new Pushed(file, text, DefinitionReference.Of(body), status == 201, Finding.List(body["diagnostics"]), body);
        }
        catch (RefusedException e)
        {
            throw new DocumentException(file, text, e.Problem);
        }
    }

    /// <summary>Pushes the file, and first the definitions it runs that lie beside it, each once. The file itself comes last.</summary>
    public async Task<List<Pushed>> PushWithChildrenAsync(string file, CancellationToken cancel)
    {
        var order = new List<string>();
        await VisitAsync(Path.GetFullPath(file), order, [], cancel);
        var pushed = new List<Pushed>();
        foreach (var path in order) pushed.Add(await PushAsync(path == Path.GetFullPath(file) ? file : Path.GetRelativePath(".", path), cancel));
        return pushed;
    }

    private async Task VisitAsync(string file, List<string> order, HashSet<string> visited, CancellationToken cancel)
    {
        if (!visited.Add(file)) return;
        // An invalid document is pushed all the same: the server's refusal says what is wrong with it.
        var found = await CheckOnceAsync(file, cancel);
        foreach (var child in found?.Children ?? [])
            if (await FindBesideAsync(file, child, cancel) is { } beside) await VisitAsync(beside, order, visited, cancel);
        order.Add(file);
    }

    private async Task<string?> FindBesideAsync(string file, DefinitionReference child, CancellationToken cancel)
    {
        var neighbours = Directory.EnumerateFiles(Path.GetDirectoryName(file)!)
            .Where(f => Path.GetExtension(f) is ".yaml" or ".yml" or ".json" && f != file && new FileInfo(f).Length <= BytesMax)
            .Order(StringComparer.Ordinal).Take(NeighboursMax);
        foreach (var neighbour in neighbours)
        {
            if (!_checked.ContainsKey(neighbour) && !MayDefine(neighbour, child.Name)) continue;
            var found = await CheckOnceAsync(neighbour, cancel);
            if (found?.Definition is not { } id || id.Namespace != child.Namespace || id.Name != child.Name) continue;
            if (child.Version is null or "latest" || id.Version == child.Version) return neighbour;
        }
        return null;
    }

    private static bool MayDefine(string file, string name)
    {
        try
        {
            return TextFile.Read(file, BytesMax).Contains(name, StringComparison.Ordinal);
        }
        catch (UsageException)
        {
            return false;
        }
    }

    private async Task<Checked?> CheckOnceAsync(string file, CancellationToken cancel)
    {
        if (_checked.TryGetValue(file, out var known)) return known;
        Checked? found = null;
        try
        {
            found = await CheckAsync(file, cancel);
        }
        catch (RefusedException)
        {
            // Not a document at all; a neighbour is then skipped, and the file itself is refused when it is pushed.
        }
        return _checked[file] = found;
    }
}
